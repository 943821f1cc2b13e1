package pages_test

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/live"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/pages"
	"github.com/leatwork/leat/web/internal/storage"
)

// markup is what strangers write, which must stay text.
const markup = `<script>alert("1")</script><img src=x onerror=alert(1)>`

// A world is pages of a storage that a test fills.
type world struct {
	testing.TB
	broker broker.Broker
	pages  *pages.Pages
	audit  *audit.Log
	role   access.Role
}

func newWorld(t testing.TB, b broker.Broker, change func(*pages.Config)) *world {
	t.Helper()
	if b == nil {
		b = model.New(model.Options{})
	}
	quiet := slog.New(slog.DiscardHandler)
	s := storage.New(b, 0)
	w := &world{TB: t, broker: b, audit: audit.New(b, quiet), role: access.Admin}
	cfg := pages.Config{
		Root: "/leat", Storage: s, Doer: &deed.Doer{Storage: s}, Audit: w.audit, Hub: live.New(time.Second, time.Second), Patience: 10 * time.Second, Logger: quiet,
	}
	if change != nil {
		change(&cfg)
	}
	t.Cleanup(cfg.Hub.Close)
	w.pages = pages.New(cfg)
	return w
}

func masked(t *testing.T, lines ...string) func(*pages.Config) {
	t.Helper()
	rules, err := mask.New(access.Admin, lines...)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *pages.Config) { c.Rules = rules }
}

// as is w for somebody of another role.
func (w *world) as(role access.Role) *world {
	other := *w
	other.role = role
	return &other
}

func (w *world) ask(method, target string) (status int, body string, header http.Header) {
	w.Helper()
	ctx := access.With(w.Context(), access.Identity{Name: "ann", Role: w.role})
	r := httptest.NewRequestWithContext(ctx, method, "http://leat.test"+target, nil)
	rec := httptest.NewRecorder()
	w.pages.ServeHTTP(rec, r)
	b, err := io.ReadAll(rec.Result().Body)
	if err != nil {
		w.Fatal(err)
	}
	return rec.Code, string(b), rec.Result().Header
}

// shows checks that a page has texts, whatever is markup in them.
func (w *world) shows(target string, texts ...string) string {
	w.Helper()
	status, body, _ := w.ask("GET", target)
	if status != http.StatusOK {
		w.Errorf("GET %s: %d %s", target, status, body)
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(body), text) {
			w.Errorf("GET %s shows no %q:\n%s", target, text, body)
		}
	}
	w.isHarmless(target, body)
	return body
}

// isHarmless checks that nothing of a page is what a stranger made of it.
func (w *world) isHarmless(target, body string) {
	w.Helper()
	for _, part := range []string{"<script>", "onerror=alert(1)>", "<img"} {
		if strings.Contains(body, part) {
			w.Errorf("GET %s has markup of a stranger:\n%s", target, body)
		}
	}
	for _, part := range []string{" style=", "javascript:", " onclick=", " onload="} {
		if strings.Contains(body, part) {
			w.Errorf("GET %s has %q, which the policy forbids", target, part)
		}
	}
}

func (w *world) lacks(target string, texts ...string) {
	w.Helper()
	_, body, _ := w.ask("GET", target)
	for _, text := range texts {
		if strings.Contains(html.UnescapeString(body), text) {
			w.Errorf("GET %s shows %q", target, text)
		}
	}
}

func (w *world) beat(s broker.Server) {
	w.Helper()
	if err := w.broker.Beat(w.Context(), time.Now(), s); err != nil {
		w.Fatal(err)
	}
}

func (w *world) do(f func(context.Context) error) {
	w.Helper()
	if err := f(w.Context()); err != nil {
		w.Fatal(err)
	}
}

package web_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/stock"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// A fort is a dashboard that is attacked, below /leat, and what is behind it.
type fort struct {
	*testing.T
	url    string
	broker broker.Broker
}

// besieged is on a storage of its own with whatever a storage has. Who asks says which
// role they have in the header Role, or is nobody.
func besieged(t *testing.T, change func(*web.Config)) *fort {
	t.Helper()
	b, err := sqlitebroker.Open(filepath.Join(t.TempDir(), "leat.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if err := stock.Fill(t.Context(), b, 300, time.Now()); err != nil {
		t.Fatal(err)
	}
	return fortOf(t, b, change)
}

func fortOf(t *testing.T, b broker.Broker, change func(*web.Config)) *fort {
	t.Helper()
	cfg := web.Config{Broker: b, Root: "/leat", Logger: slog.New(slog.DiscardHandler), Authoriser: access.AuthoriserFunc(func(r *http.Request) (access.Identity, error) {
		role, err := access.ParseRole(r.Header.Get("Role"))
		if err != nil {
			return access.Identity{}, &access.UnknownError{Reason: "no role"}
		}
		return access.Identity{Name: "ann", Role: role}, nil
	})}
	if change != nil {
		change(&cfg)
	}
	h, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		_ = h.Close()
	})
	return &fort{T: t, url: s.URL, broker: b}
}

// post sends a form or, to the API, a document.
func (f *fort) post(path, body string, header ...string) (status int, said string, h http.Header) {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), http.MethodPost, f.url+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(path, "/leat/api/") {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	c := http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := c.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		f.Fatal(err)
	}
	return answer.StatusCode, string(b), answer.Header
}

// stored returns what must not change.
func (f *fort) stored() any {
	f.Helper()
	counts, err := f.broker.Counts(f.Context(), time.Now())
	if err != nil {
		f.Fatal(err)
	}
	runs, err := f.broker.Homes(f.Context(), broker.HomesRequest{Queue: "default", Limit: 100})
	if err != nil {
		f.Fatal(err)
	}
	return []any{counts, runs.Homes}
}

// TestNothingIsChangedByWhoMayNot tries everything that can be done, both ways in which it
// can be asked for, in the name of all who may not.
func TestNothingIsChangedByWhoMayNot(t *testing.T) {
	f := besieged(t, nil)
	closed := fortOf(t, f.broker, func(c *web.Config) { c.ReadOnly = true })
	before := f.stored()
	tried := 0
	for _, d := range deed.All(access.Admin) {
		form, body := target(d)
		for _, path := range []string{"/leat/deed/", "/leat/api/v1/"} {
			sent := form
			if path == "/leat/api/v1/" {
				sent = body
			}
			path += string(d.Kind) + "/" + d.Name
			try := func(f *fort, who string, want int, header ...string) {
				tried++
				if status, said, _ := f.post(path, sent, header...); status != want {
					t.Errorf("POST %s of %s: %d, want %d: %.300s", path, who, status, want, said)
				}
			}
			try(f, "somebody unknown", http.StatusUnauthorized)
			for role := access.Nobody; role < d.Role; role++ {
				try(f, role.String(), http.StatusForbidden, "Role", role.String())
			}
			try(f, "another site", http.StatusForbidden, "Role", "admin", "Sec-Fetch-Site", "cross-site")
			try(f, "a site beside it", http.StatusForbidden, "Role", "admin", "Sec-Fetch-Site", "same-site")
			try(f, "a site with an older browser", http.StatusForbidden, "Role", "admin", "Origin", "http://evil.test")
			try(f, "a file", http.StatusForbidden, "Role", "admin", "Origin", "null")
			try(closed, "an admin where nothing is changed", http.StatusForbidden, "Role", "admin")
		}
	}
	if diff := cmp.Diff(before, f.stored()); diff != "" {
		t.Errorf("what is stored has changed (-before +after):\n%s", diff)
	}
	if tried < 300 {
		t.Errorf("only %d attacks were tried", tried)
	}
}

// target returns what a deed is done to, as a form and as a document: something that there
// is as far as the kind goes.
func target(d deed.Deed) (form, body string) {
	fields := map[string]string{}
	if !d.New {
		if d.Kind.NamesQueue() {
			fields["queue"] = "mail"
		}
		if d.Kind.NamesID() {
			fields["id"] = "nightly-report"
		}
	}
	v := url.Values{}
	for name, value := range fields {
		v.Set(name, value)
	}
	b, err := json.Marshal(fields)
	if err != nil {
		panic(err) // a map of strings can be written
	}
	return v.Encode(), string(b)
}

// TestAGetChangesNothing asks for everything that can be done by GET and HEAD.
func TestAGetChangesNothing(t *testing.T) {
	f := besieged(t, nil)
	before := f.stored()
	for _, d := range deed.All(access.Admin) {
		form, _ := target(d)
		for _, path := range []string{"/leat/deed/", "/leat/api/v1/"} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				fetch(t, method, f.url+path+string(d.Kind)+"/"+d.Name+"?"+form+"&confirm=1&count=1", "Role", "admin", "X-HTTP-Method-Override", "POST")
			}
		}
	}
	if diff := cmp.Diff(before, f.stored()); diff != "" {
		t.Errorf("what is stored has changed (-before +after):\n%s", diff)
	}
}

func TestNobodyIsLedElsewhere(t *testing.T) {
	f := besieged(t, nil)
	for _, back := range []string{
		"https://evil.test/", "//evil.test/", `/\evil.test/`, `\\evil.test`, "///evil.test", "/leat//evil.test", "/leat/../evil", "javascript:alert(1)", "data:text/html,x",
		" https://evil.test", "/leat@evil.test", "/leat.evil.test", "evil", "/other", "/leat/\r\nSet-Cookie: a=b", "http:evil.test", "?x", "#x", "%2f%2fevil.test",
	} {
		form := url.Values{"queue": {"mail"}, "back": {back}}
		for _, path := range []string{"/leat/deed/queue/pause", "/leat/deed/queue/resume"} {
			status, _, h := f.post(path, form.Encode(), "Role", "admin")
			at := h.Get("Location")
			u, err := url.Parse(at)
			if status == http.StatusSeeOther && (err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(at, "/leat/") || strings.Contains(at, "//") || strings.Contains(u.Path, "..")) {
				t.Errorf("back to %q leads to %q", back, at)
			}
			if h.Get("Set-Cookie") != "" {
				t.Errorf("back to %q sets a cookie: %v", back, h)
			}
		}
	}
}

func TestNothingIsReadByWhoIsUnknown(t *testing.T) {
	f := besieged(t, nil)
	for _, path := range []string{
		"/", "/queues", "/queue?name=mail", "/tasks", "/task?queue=mail&id=1", "/groups", "/servers", "/entries", "/runs", "/storage", "/audit", "/settings", "/help",
		"/live?page=/leat/", "/complete?of=tasks&q=", "/deed/queue/pause?queue=mail", "/api/v1/queues", "/api/v1/openapi.json", "/api/v1/whoami", "/api/v1/task/payload?queue=mail&id=1",
		"/api/queues", "/assets/x/style.css", "/nothing", "",
	} {
		for _, role := range []string{"", "nobody"} {
			status, said, h := fetch(t, http.MethodGet, f.url+"/leat"+path, "Role", role)
			want := http.StatusUnauthorized
			if role != "" {
				want = http.StatusForbidden
			}
			if status != want || strings.Contains(said, "mail") || h.Get("Cache-Control") != "no-store" {
				t.Errorf("GET %s of %q: %d, %.200s", path, role, status, said)
			}
		}
	}
}

// collapsing is a storage that panics.
type collapsing struct{ *model.Model }

func (collapsing) Counts(context.Context, time.Time, ...string) ([]broker.Counts, error) {
	panic("a storage of the user's own")
}

func TestAStorageThatPanicsEndsNothing(t *testing.T) {
	f := fortOf(t, collapsing{model.New(model.Options{})}, nil)
	for range 2 {
		if status, said, _ := fetch(t, http.MethodGet, f.url+"/leat/queues", "Role", "viewer"); status < 500 || strings.Contains(said, "user's own") {
			t.Errorf("it is answered with %d: %.300s", status, said)
		}
	}
	if status, _, _ := fetch(t, http.MethodGet, f.url+"/leat/help", "Role", "viewer"); status != http.StatusOK {
		t.Errorf("another page is answered with %d", status)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/leat/live?page=/leat/queues", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Role", "viewer")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, len("event: trouble"))
	if _, err := io.ReadFull(answer.Body, first); err != nil || string(first) != "event: trouble" {
		t.Errorf("who follows is told %q, %v", first, err)
	}
}

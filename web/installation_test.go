package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

func TestWhatAnInstallationMayBeCalled(t *testing.T) {
	for _, color := range web.Colors() {
		if _, err := web.Absent(web.Config{Color: color, Others: []web.Installation{{Name: "b", URL: "https://b.example/leat/", Color: color}, {Name: "c", URL: "/"}}}); err != nil {
			t.Errorf("%s: %v", color, err)
		}
	}
	for _, c := range []struct {
		cfg   web.Config
		field string
	}{
		{web.Config{Color: "pink"}, "Config.Color"},
		{web.Config{Others: []web.Installation{{Name: "b", URL: "/b", Color: "#f00"}}}, "Installation.Color"},
		{web.Config{Others: []web.Installation{{URL: "/b"}}}, "Installation.Name"},
		{web.Config{Others: []web.Installation{{Name: "b"}}}, "Installation.URL"},
		{web.Config{Others: []web.Installation{{Name: "b", URL: "javascript:alert(1)"}}}, "Installation.URL"},
		{web.Config{Others: []web.Installation{{Name: "b", URL: "//b.example"}}}, "Installation.URL"},
		{web.Config{Others: []web.Installation{{Name: "b", URL: "///b.example"}}}, "Installation.URL"},
		{web.Config{Others: []web.Installation{{Name: "b", URL: "/%2Fb.example"}}}, "Installation.URL"},
		{web.Config{Others: []web.Installation{{Name: "b", URL: "/b?x"}}}, "Installation.URL"},
		{web.Config{Others: []web.Installation{{Name: "b", URL: `/\b.example`}}}, "Installation.URL"},
	} {
		_, err := web.Absent(c.cfg)
		if invalid, ok := errors.AsType[*task.InvalidError](err); !ok || invalid.Field != c.field {
			t.Errorf("%+v: %v, want that %s is invalid", c.cfg, err, c.field)
		}
	}
	if _, err := web.New(web.Config{}); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("without a broker: %v", err)
	}
}

// asked returns what a dashboard answers to somebody on this machine.
func asked(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost"
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnAbsentStorageIsToldToThoseWhoMayLook(t *testing.T) {
	h, err := web.Absent(web.Config{Root: "/a", Name: "first", Color: "red", Others: []web.Installation{{Name: "second", URL: "/b/"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for path, words := range map[string]string{
		"/a/":                           `href="/b/"`,
		"/a/tasks?q=state:retry":        `href="/b/tasks?q=state%3Aretry"`,
		"/a/task?queue=q&id=x":          `href="/b/"`,
		"/a/live?page=/tasks":           "cannot be reached",
		"/a/api/v1/queues":              `"status":503`,
		"/a/deed/queue/pause?queue=q":   "cannot be reached",
		"/a/tasks?q=%22%3E%3Cscript%3E": "cannot be reached",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			w := asked(t, h, method, path)
			if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), words) || strings.Contains(w.Body.String(), "><script>") {
				t.Errorf("%s %s = %d, want 503 with %q:\n%s", method, path, w.Code, words, w.Body)
			}
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/a/", http.NoBody)
	r.RemoteAddr = "192.0.2.7:1"
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "second") {
		t.Errorf("a stranger is answered with %d:\n%s", w.Code, w.Body)
	}
}

func TestTheMenuOfInstallationsCanBeReadInEveryColour(t *testing.T) {
	cfg := web.Config{Name: "shop", Color: "red"}
	for _, color := range web.Colors() {
		cfg.Others = append(cfg.Others, web.Installation{Name: "in " + color, URL: "/" + color, Color: color})
	}
	s := serve(t, onSQLite(t), cfg)
	for way, o := range looks {
		t.Run(way, func(t *testing.T) {
			p := browsertest.New(t, s.server.URL, o)
			p.Open("/queues?q=size>0")
			p.Click(".places summary")
			p.WaitFor(".places ul", "in red", "in yellow")
			p.Fits()
			if !o.NoScript && !o.Phone {
				p.Axe()
			}
			p.Screenshot("installations-" + way)
		})
	}
}

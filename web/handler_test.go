package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

// mounted returns a server whose mux has the dashboard at a root, and a page of its own.
func mounted(t *testing.T, root string) *httptest.Server {
	t.Helper()
	h, err := web.New(web.Config{Broker: onSQLite(t), Root: root})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(root+"/", h)
	if root != "" {
		mux.Handle(root, h)
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the program's own") })
	}
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// fetch asks for a path as it is, and follows no redirect.
func fetch(t *testing.T, method, address string, header ...string) (status int, body string, h http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	c := http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b), answer.Header
}

func TestADashboardMayBeMountedBelowAPath(t *testing.T) {
	for _, root := range []string{"", "/leat", "/ops/queues"} {
		t.Run(root, func(t *testing.T) {
			s := mounted(t, root)
			status, body, _ := fetch(t, http.MethodGet, s.URL+root+"/")
			if status != http.StatusOK || !strings.Contains(body, "<h1>Overview</h1>") {
				t.Fatalf("GET %s/: %d %.200s", root, status, body)
			}
			for _, part := range strings.Split(body, `"`) {
				if strings.HasPrefix(part, "/") && part != root && !strings.HasPrefix(part, root+"/") && !strings.HasPrefix(part, "/>") {
					t.Errorf("the page has an address outside of the root: %s", part)
				}
			}
			if root == "" {
				return
			}
			if status, _, h := fetch(t, http.MethodGet, s.URL+root); status != http.StatusMovedPermanently || h.Get("Location") != root+"/" {
				t.Errorf("GET %s: %d to %q", root, status, h.Get("Location"))
			}
			if _, body, _ := fetch(t, http.MethodGet, s.URL+"/other"); body != "the program's own" {
				t.Errorf("GET /other: %s", body)
			}
		})
	}
}

func TestAnUnknownPageIsNotFound(t *testing.T) {
	s := mounted(t, "/leat")
	for _, path := range []string{"/leat/nothing", "/leat/queues/", "/leat/live?page=/nothing", "/leat/live?page=/leat/nothing", "/leat/assets/style.css", "/leat/assets/"} {
		if status, _, _ := fetch(t, http.MethodGet, s.URL+path); status != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", path, status)
		}
	}
}

func TestFaultsOfAConfigAreToldAllAtOnce(t *testing.T) {
	_, err := web.New(web.Config{Root: "leat/", Refresh: time.Millisecond, Timeout: -1, Prometheus: "file:///etc/passwd"})
	if !errors.Is(err, task.ErrInvalid) {
		t.Fatalf("err = %v", err)
	}
	for _, field := range []string{"Broker", "Root", "Refresh", "Timeout"} {
		if !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("the error does not tell of Config.%s: %v", field, err)
		}
	}
	if strings.Contains(err.Error(), "passwd") || !strings.Contains(strings.ToLower(err.Error()), "prometheus") {
		t.Errorf("the error tells the address of Prometheus, or nothing of it: %v", err)
	}
	for _, root := range []string{"/", "/a/", "a", "/a//b", "/a?b", "/a b", "/%41", "/{a}", "/a/../b", "/a/."} {
		if _, err := web.New(web.Config{Broker: onSQLite(t), Root: root}); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("root %q: %v", root, err)
		}
	}
}

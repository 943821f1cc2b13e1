package guard

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/leatwork/leat/web/access"
)

// A stand is a guard with a handler behind it that tells what came through.
type stand struct {
	*testing.T
	h http.Handler

	mu      sync.Mutex
	through []string // method and path
	who     access.Identity
	body    string
	log     bytes.Buffer
}

func newStand(t *testing.T, cfg Config, next http.HandlerFunc) *stand {
	t.Helper()
	s := &stand{T: t}
	if cfg.Authoriser == nil {
		cfg.Authoriser = as(access.Admin, false)
	}
	cfg.Logger = slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug}))
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.h = g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("behind the guard a body cannot be read: %v", err)
		}
		s.mu.Lock()
		s.through, s.who, s.body = append(s.through, r.Method+" "+r.URL.Path), access.From(r.Context()), string(body)
		s.mu.Unlock()
		if next != nil {
			next(w, r)
		}
	}))
	return s
}

// Write is for the log, which is written by several goroutines.
func (s *stand) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *stand) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// as knows everybody as somebody of that role.
func as(role access.Role, weak bool) access.Authoriser {
	return access.AuthoriserFunc(func(*http.Request) (access.Identity, error) {
		return access.Identity{Name: "ann", Role: role, Weak: weak}, nil
	})
}

// ask makes a request with headers, each "Name: value"; "Host: ..." is the host.
func (s *stand) ask(method, target string, body io.Reader, headers ...string) reply {
	s.Helper()
	r := httptest.NewRequestWithContext(s.Context(), method, "http://leat.test"+target, body)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Add(name, value)
		}
	}
	return s.serve(r)
}

func (s *stand) serve(r *http.Request) reply {
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// A reply is an answer that has been read.
type reply struct {
	status int
	header http.Header
	text   string
}

// read reads an answer and closes it.
func read(t *testing.T, r *http.Response) reply {
	t.Helper()
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{r.StatusCode, r.Header, string(b)}
}

// passed returns how many requests have come through.
func (s *stand) passed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.through)
}

// wants checks what became of a request.
func (s *stand) wants(what string, got reply, status int) {
	s.Helper()
	if got.status != status {
		s.Errorf("%s is answered with %d, want %d", what, got.status, status)
	}
}

func describe(method, target string, headers []string) string {
	return fmt.Sprintf("%s %s with %q", method, target, headers)
}

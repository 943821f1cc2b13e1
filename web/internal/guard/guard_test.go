package guard

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	s := newStand(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/panic":
			w.Header().Set("Content-Security-Policy", "default-src *")
			panic("lost")
		case "/asset":
			w.Header().Set("Cache-Control", "max-age=9")
		}
	})
	for target, status := range map[string]int{"/": 200, "/panic": 500, "/../x": 404, "/asset": 200} {
		got := s.ask("GET", target, nil)
		s.wants(target, got, status)
		for name, want := range headers {
			if target == "/asset" && name == "Cache-Control" {
				want = "max-age=9"
			}
			if value := got.header.Get(name); value != want {
				t.Errorf("%s is answered with %s: %q, want %q", target, name, value, want)
			}
		}
	}
	for _, part := range []string{"unsafe", "*", "http:", "https:", "blob:"} {
		if strings.Contains(policy, part) {
			t.Errorf("the policy has %s", part)
		}
	}
}

func TestWhoAsksIsToldOn(t *testing.T) {
	s := newStand(t, Config{}, nil)
	s.ask("GET", "/", nil)
	if want := (access.Identity{Name: "ann", Role: access.Admin, From: "192.0.2.1"}); s.who != want {
		t.Errorf("who asks is %+v, want %+v", s.who, want)
	}
}

func TestWhoIsNotKnownIsAsked(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		asked  []string
		level  string
	}{
		{"nobody", &access.UnknownError{Challenges: []string{`Basic realm="leat"`, `Bearer realm="leat"`}}, 401, []string{`Basic realm="leat"`, `Bearer realm="leat"`}, "DEBUG"},
		{"a wrong password", &access.UnknownError{Wrong: true, Challenges: []string{"Basic"}}, 401, []string{"Basic"}, "WARN"},
		{"an error of another kind that names nobody", access.ErrUnknown, 401, nil, "DEBUG"},
		{"somebody who may not", errors.New("not of us"), 403, nil, "WARN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(t, Config{Authoriser: access.AuthoriserFunc(func(*http.Request) (access.Identity, error) {
				return access.Identity{Name: "eve", Role: access.Admin}, c.err
			})}, nil)
			got := s.ask("GET", "/", nil, "Authorization: Basic c2VjcmV0")
			s.wants("it", got, c.status)
			if asked := got.header.Values("WWW-Authenticate"); strings.Join(asked, "|") != strings.Join(c.asked, "|") {
				t.Errorf("it is asked for %q, want %q", asked, c.asked)
			}
			if s.passed() > 0 || strings.Contains(s.logged(), "c2VjcmV0") || !strings.Contains(s.logged(), "level="+c.level) {
				t.Errorf("%d came through; the log has %s", s.passed(), s.logged())
			}
			if said := got.text; strings.Contains(said, "not of us") || strings.Contains(said, "script") {
				t.Errorf("the answer is %s", said)
			}
		})
	}
}

func TestPanicsEndNothing(t *testing.T) {
	panics := access.AuthoriserFunc(func(*http.Request) (access.Identity, error) { panic("in a callback of the user") })
	s := newStand(t, Config{Authoriser: panics}, nil)
	s.wants("a panic of who authorises", s.ask("GET", "/", nil), http.StatusInternalServerError)
	if s.passed() > 0 || !strings.Contains(s.logged(), "in a callback") || !strings.Contains(s.logged(), "guard_test.go") {
		t.Errorf("%d came through; the log has %s", s.passed(), s.logged())
	}

	s = newStand(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/late":
			_, _ = io.WriteString(w, strings.Repeat("half ", 5000))
		}
		var nobody *access.Identity
		_ = nobody.Name
	})
	server := httptest.NewUnstartedServer(s.h)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	defer server.Close()
	for _, path := range []string{"/early", "/late", "/abort", "/early"} {
		answer, err := server.Client().Get(server.URL + path)
		if path == "/early" {
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, answer)
			s.wants(path, got, http.StatusInternalServerError)
			if said := got.text; strings.Contains(said, "nil pointer") {
				t.Errorf("the answer is %s", said)
			}
			continue
		}
		if err == nil {
			_, err = io.ReadAll(answer.Body)
			_ = answer.Body.Close()
		}
		if err == nil {
			t.Errorf("half an answer to %s is taken for the whole", path)
		}
	}
	if n := strings.Count(s.logged(), "made the dashboard panic"); n != 3 {
		t.Errorf("%d panics are logged", n)
	}
}

func TestStreamsAreFlushed(t *testing.T) {
	s := newStand(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	})
	server := httptest.NewServer(s.h)
	defer server.Close()
	got, err := server.Client().Get(server.URL + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	first := make([]byte, 6)
	if _, err := io.ReadFull(got.Body, first); err != nil || string(first) != "first\n" {
		t.Errorf("of a stream that goes on %q arrives, %v", first, err)
	}
}

func TestWhatIsLogged(t *testing.T) {
	s := newStand(t, Config{}, nil)
	s.ask("GET", "/tasks?q=payload.card:4111", nil, "Authorization: Bearer secret", "Cookie: a=secret")
	s.ask("POST", "/deed/task/run", strings.NewReader("id=secret"))
	logged := s.logged()
	for _, part := range []string{"level=DEBUG", "level=INFO", "path=/tasks", "status=200", "by=ann", "role=admin", "from=192.0.2.1", "method=POST"} {
		if !strings.Contains(logged, part) {
			t.Errorf("the log has no %s: %s", part, logged)
		}
	}
	for _, part := range []string{"secret", "4111"} {
		if strings.Contains(logged, part) {
			t.Errorf("the log has %s: %s", part, logged)
		}
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no authoriser":   {Logger: slog.Default()},
		"no logger":       {Authoriser: access.Loopback()},
		"an empty host":   {Logger: slog.Default(), Authoriser: access.Loopback(), Hosts: []string{""}},
		"a star":          {Logger: slog.Default(), Authoriser: access.Loopback(), Hosts: []string{"*.example.com"}},
		"a whole address": {Logger: slog.Default(), Authoriser: access.Loopback(), Hosts: []string{"https://leat.example.com"}},
		"a port":          {Logger: slog.Default(), Authoriser: access.Loopback(), Hosts: []string{"leat.example.com:8080"}},
	} {
		if _, err := New(cfg); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("%s is refused with %v", name, err)
		}
	}
	if g, err := New(Config{Logger: slog.Default(), Authoriser: access.Loopback(), Hosts: []string{"Leat.Example.com."}}); err != nil || g.Patience != 10*time.Second {
		t.Errorf("a host is refused with %v", err)
	}
}

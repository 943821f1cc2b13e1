package command_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

// A site is a dashboard that a test has started.
type site struct {
	*testing.T
	url  string // without a slash at its end
	said string // the line with which it began
	c    *exec.Cmd
	out  *bufio.Reader
}

// siteOf starts "leat web" on a free port with an environment of nothing but environ.
func siteOf(t *testing.T, environ []string, args ...string) *site {
	t.Helper()
	c := exec.Command(program(t), append([]string{"web"}, args...)...)
	c.Env = append([]string{"LEAT_WEB_PORT=0", "HOME=" + t.TempDir()}, environ...)
	return started(t, c)
}

// started starts a dashboard, waits until it says where it is, and ends it with the test.
func started(t *testing.T, c *exec.Cmd) *site {
	t.Helper()
	s := &site{T: t, c: c}
	stderr, err := s.c.StderrPipe()
	if err == nil {
		err = s.c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.c.Process.Kill() // it may have ended
		_ = s.c.Wait()
	})
	s.out = bufio.NewReader(stderr)
	for s.url == "" {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("%s says %q and ends: %v", c, s.said+line, err)
		}
		s.said += line
		if found := regexp.MustCompile(`dashboard is at (https?://\S+)/,`).FindStringSubmatch(line); found != nil {
			s.url = found[1]
		}
	}
	return s
}

// end sends the process a signal, and returns with what it has ended.
func (s *site) end(signal os.Signal) error {
	s.Helper()
	if err := s.c.Process.Signal(signal); err != nil {
		s.Fatal(err)
	}
	return s.c.Wait()
}

// get asks for a path, with headers such as "Host: a".
func (s *site) get(path string, headers ...string) (status int, body string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		s.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	return s.do(r)
}

// do returns what is answered to a request, and follows no redirect.
func (s *site) do(r *http.Request) (status int, body string) {
	s.Helper()
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// answers demands a status of a path, and words in the answer.
func (s *site) answers(path string, status int, words string, headers ...string) {
	s.Helper()
	if got, body := s.get(path, headers...); got != status || !strings.Contains(body, words) {
		s.Errorf("GET %s %q = %d without %q, want %d:\n%.2000s", path, headers, got, words, status, body)
	}
}

// onFile returns a URL of a file of SQLite with a task in a queue.
func onFile(t *testing.T, name string) string {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "leat.db")
	put(t, url, name)
	return url
}

// put enqueues a task in a queue of a storage.
func put(t *testing.T, url, name string) {
	t.Helper()
	b, err := brokerurl.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := queue.NewClient(b).Enqueue(t.Context(), task.New("greet", []byte(`{}`)), task.Queue(name)); err != nil {
		t.Fatal(err)
	}
}

func TestTheDashboardIsServedUntilASignal(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		s := siteOf(t, nil, "--broker", onFile(t, "from-the-test"), "--name", "The Installation")
		s.answers("/queues", 200, "from-the-test")
		s.answers("/", 200, "The Installation")
		s.answers("/healthz", 200, "ok")
		s.answers("/readyz", 200, "ok")
		s.answers("/metrics", 404, "")
		s.answers("/debug/pprof/", 404, "")
		s.answers("/", 401, "", "Host: example.com")
		live, err := http.NewRequest(http.MethodGet, s.url+"/live?page=/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		live.Header.Set("Accept", "text/event-stream")
		live.Header.Set("Accept-Encoding", "identity") // what is compressed has an end of its own
		stream, err := http.DefaultTransport.RoundTrip(live)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Body.Close()
		began := time.Now()
		if err := s.end(signal); err != nil {
			t.Errorf("after %v, leat web ends with %v", signal, err)
		}
		if _, err := io.Copy(io.Discard, stream.Body); err != nil {
			t.Errorf("a stream of events breaks off: %v", err)
		}
		t.Logf("ended %v after %v, with a stream under way", time.Since(began).Round(time.Millisecond), signal)
	}
}

func TestWhoMayAskFromWhere(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	code, hash, said := calls(strings.NewReader("correct horse\n"), "web", "--hash")
	if code != 0 || said != "" || strings.Contains(hash, "correct") {
		t.Fatalf("leat web --hash exits with %d, writes %q and says %q", code, hash, said)
	}
	users, tokens := file("# people\n\nann:viewer:"+hash), file("robot:admin:0123456789abcdef\n")
	url := onFile(t, "q")
	t.Run("users and tokens", func(t *testing.T) {
		s := siteOf(t, []string{"LEAT_WEB_ANYONE=viewer"}, "--broker", url, "--host", "0.0.0.0", "--user-file", users, "--token-file", tokens, "--enable-metrics-exporter")
		s.answers("/", 401, "")
		s.answers("/", 401, "", "Authorization: Basic YW5uOndyb25n")
		s.answers("/", 200, "ann", "Authorization: Basic YW5uOmNvcnJlY3QgaG9yc2U=")
		s.answers("/", 401, "", "Authorization: Bearer 0123456789abcdeX")
		s.answers("/", 200, "robot", "Authorization: Bearer 0123456789abcdef")
		s.answers("/metrics", 401, "")
		s.answers("/metrics", 200, "leat_queue_tasks", "Authorization: Bearer 0123456789abcdef")
		s.answers("/readyz", 200, "ok")
	})
	t.Run("a proxy", func(t *testing.T) {
		s := siteOf(t, nil, "--broker", url, "--trusted-header", "X-User", "--trusted-role-header", "X-Role", "--trusted-proxy", "127.0.0.0/8,::1")
		s.answers("/", 401, "")
		s.answers("/", 200, "eve", "X-User: eve", "X-Role: operator")
	})
	t.Run("not a proxy", func(t *testing.T) {
		s := siteOf(t, nil, "--broker", url, "--trusted-header", "X-User", "--trusted-proxy", "192.0.2.1")
		s.answers("/", 401, "", "X-User: eve")
	})
	t.Run("anybody", func(t *testing.T) {
		s := siteOf(t, nil, "--broker", url, "--host", "0.0.0.0", "--anyone", "viewer", "--allow-host", "leat.example", "--enable-metrics-exporter", "--metrics-open")
		s.answers("/", 200, "", "Host: leat.example")
		s.answers("/", 403, "", "Host: other.example")
		s.answers("/metrics", 200, "asynq_queue_size", "Host: other.example")
	})
}

func TestWhatTheDashboardRefuses(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		line string
		code int
		says string
	}{
		{"--host 0.0.0.0", 2, "--user-file"},
		{"--host example.com", 2, "--anyone viewer"},
		{"--host 0.0.0.0 --anyone nobody", 2, "must be viewer, operator or admin"},
		{"--host 0.0.0.0 --anyone viewer --pprof", 2, "--pprof"},
		{"--metrics-open", 2, "--enable-metrics-exporter"},
		{"--trusted-header X-User", 2, "--trusted-proxy"},
		{"--trusted-proxy 127.0.0.1", 2, "--trusted-header"},
		{"--trusted-header X-User --trusted-proxy x", 2, "10.0.0.0/8"},
		{"--user-file /no/such/file", 3, "/no/such/file"},
		{"--user-file " + file("ann:viewer:secret"), 2, ":1"},
		{"--user-file " + file("\nann"), 2, ":2"},
		{"--user-file " + file("ann:king:pbkdf2-sha256$secret"), 2, "king"},
		{"--user-file " + file(""), 2, "--user-file"},
		{"--token-file " + file("a:admin:secret"), 2, "--token-file"},
		{"--prometheus-addr secret:9090", 2, "http://"},
		{"--root leat", 2, "slash"},
		{"--refresh 1ms", 2, "500ms"},
		{"--serve-cert a", 2, "serve-key"},
		{"--port 99999", 2, "port"},
		{"--check --port 1", 5, "nobody"},
		{"now", 2, "now"},
	} {
		code, out, said := calls(strings.NewReader(""), append([]string{"web", "--broker", "memory:", "--port", "0"}, strings.Fields(c.line)...)...)
		if code != c.code || out != "" || !strings.Contains(said, c.says) || strings.Contains(said, "secret") {
			t.Errorf("leat web %s exits with %d, writes %q and says %q, want %d and %q", c.line, code, out, said, c.code, c.says)
		}
	}
	code, out, said := calls(strings.NewReader("short\n"), "web", "--hash")
	if code != 2 || out != "" || !strings.Contains(said, "8 bytes") {
		t.Errorf("leat web --hash of a short password exits with %d, writes %q and says %q", code, out, said)
	}
}

func TestAPortThatAnotherHas(t *testing.T) {
	s := siteOf(t, nil, "--broker", "memory:")
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), ":")
	code, _, said := calls(strings.NewReader(""), "web", "--broker", "memory:", "--port", port)
	if code != 1 || !strings.Contains(said, "in use") || !strings.Contains(said, port) {
		t.Errorf("leat web on a port that is taken exits with %d and says %q", code, said)
	}
	if code, out, said := calls(strings.NewReader(""), "web", "--check", "--port", port); code != 0 || out != "" || said != "" {
		t.Errorf("leat web --check exits with %d, writes %q and says %q", code, out, said)
	}
}

func TestBelowAPath(t *testing.T) {
	s := siteOf(t, nil, "--broker", onFile(t, "q"), "--root", "/leat/", "--pprof", "--access-log")
	s.answers("/queues", 200, `href="/leat/`)
	s.url = strings.TrimSuffix(s.url, "/leat")
	s.answers("/healthz", 200, "ok")
	s.answers("/debug/pprof/goroutine?debug=1", 200, "goroutine")
	s.answers("/queues", 404, "")
	if line, err := s.out.ReadString('\n'); err != nil || !strings.Contains(line, "path=/leat/queues") {
		t.Errorf("the access log has %q, %v", line, err)
	}
}

func TestProfilesAreForThoseWhoMayDoEverything(t *testing.T) {
	s := siteOf(t, nil, "--broker", onFile(t, "q"), "--anyone", "viewer", "--pprof")
	s.answers("/queues", 200, "")
	s.answers("/debug/pprof/goroutine?debug=1", 403, "admins")
}

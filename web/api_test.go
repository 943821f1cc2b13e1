package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

// served returns the address of a dashboard.
func served(t *testing.T, c web.Config) string {
	t.Helper()
	h, err := web.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.URL + c.Root
}

func enqueue(t *testing.T, b broker.Broker, q, id string) {
	t.Helper()
	if _, err := queue.NewClient(b).Enqueue(t.Context(), task.New("email:welcome", []byte(`{"user":2}`)), task.Queue(q), task.ID(id)); err != nil {
		t.Fatal(err)
	}
}

// TestThePagesCurlExamplesRun plays the examples of the page about the API as a script.
func TestThePagesCurlExamplesRun(t *testing.T) {
	text, err := os.ReadFile("../docs/web-api.md")
	if err != nil {
		t.Fatal(err)
	}
	b := onSQLite(t)
	for n := range 9 {
		enqueue(t, b, "mail", fmt.Sprint("m", n+1))
	}
	var script strings.Builder
	for n, block := range strings.Split(string(text), "```sh\n") {
		if n > 0 {
			commands, _, _ := strings.Cut(block, "```")
			script.WriteString(commands)
		}
	}
	if n := strings.Count(script.String(), "curl "); n < 15 {
		t.Fatalf("the page has %d examples", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-eux", "-c", script.String())
	sh.Env = append(os.Environ(), "LEAT="+served(t, web.Config{Broker: b, Root: "/ops"}), "no_proxy=*")
	if out, err := sh.CombinedOutput(); err != nil {
		t.Errorf("an example fails: %v\n%.3000s", err, out)
	}
}

func TestNamesOfAnyKindGetThroughToTheAPIs(t *testing.T) {
	b := onSQLite(t)
	address := served(t, web.Config{Broker: b, Root: "/ops"})
	for _, q := range []string{"a/b", "..", "a/../b", ".", "a:b@c+d-e", "x:pause", "/", "a//b"} {
		enqueue(t, b, q, "id/../:run")
		v := url.Values{"queue": {q}, "id": {"id/../:run"}}
		if status, body, _ := fetch(t, http.MethodGet, address+"/api/v1/task?"+v.Encode()); status != http.StatusOK {
			t.Errorf("of queue %s, /api/v1 answers with %d: %s", q, status, body)
		}
	}
	for _, q := range []string{"a/b", "a:b@c+d-e", "x:pause"} {
		path := address + "/api/queues/" + url.PathEscape(q)
		if status, body, _ := fetch(t, http.MethodGet, path+"/pending_tasks"); status != http.StatusOK || !strings.Contains(body, `"id":"id/../:run"`) {
			t.Errorf("of queue %s, the addresses of asynqmon answer with %d: %s", q, status, body)
		}
		if status, body, _ := fetch(t, http.MethodPost, path+":pause"); status != http.StatusNoContent {
			t.Errorf("to pause queue %s, the addresses of asynqmon answer with %d: %s", q, status, body)
		}
	}
}

func TestTheAPIsAreGuarded(t *testing.T) {
	b := onSQLite(t)
	enqueue(t, b, "mail", "m1")
	for _, is := range []struct {
		config     web.Config
		path       string
		old, today int
		header     []string
	}{
		{web.Config{ReadOnly: true}, "", http.StatusMethodNotAllowed, http.StatusForbidden, nil},
		{web.Config{}, "", http.StatusForbidden, http.StatusForbidden, []string{"Sec-Fetch-Site", "cross-site"}},
		{web.Config{}, "", http.StatusForbidden, http.StatusForbidden, []string{"Origin", "https://elsewhere.example"}},
	} {
		is.config.Broker, is.config.Root = b, "/ops"
		address := served(t, is.config)
		if status, body, _ := fetch(t, http.MethodPost, address+"/api/queues/mail:pause", is.header...); status != is.old {
			t.Errorf("%v, %v: the addresses of asynqmon answer with %d: %s, want %d", is.config.ReadOnly, is.header, status, body, is.old)
		}
		if status, body, _ := fetch(t, http.MethodPost, address+"/api/v1/queue/pause", is.header...); status != is.today {
			t.Errorf("%v, %v: /api/v1 answers with %d: %s, want %d", is.config.ReadOnly, is.header, status, body, is.today)
		}
	}
	info, err := queue.NewInspector(b).QueueInfo(t.Context(), "mail")
	if err != nil || info.Paused {
		t.Errorf("the queue is paused: %+v, %v", info, err)
	}
}

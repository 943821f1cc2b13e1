package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/web/access"
)

// hostile is what strangers write into every field that they can.
const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)>"'` + "`{{.}}\x1b[31m\u202e"

// saysNothingHostile fails if a page has markup of a stranger in it.
func (s *site) saysNothingHostile(what, body string) {
	s.Helper()
	s.saysNot(what, body, "<script>alert", "<img", "\x1b", "\u202e", "ZgotmplZ")
}

func TestATaskShowsWhatIsKnownOfIt(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{Jaeger: "http://127.0.0.1:16686/", Links: []web.Link{{Name: "Order", Template: "https://shop/o/{payload.order.id}?t={header.tenant}"}}})
		s.enqueue("order:paid", `{"order":{"id":12345678901234567890,"lines":["a","b",{}]},"order":1.50,"none":null}`, task.ID("t1"), task.Queue("shop"),
			task.ProcessIn(time.Hour), task.Header("tenant", "acme & sons"), task.Unique(time.Hour), task.Retention(time.Hour),
			task.Header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
		body := s.page("/task", "queue", "shop", "id", "t1")
		s.says("the task", body, "it waits for its time", "12345678901234567890", "1.50", "[ 3 elements ]", "{ 2 members }", "acme &amp; sons",
			`href="http://127.0.0.1:16686/trace/4bf92f3577b34da6a3ce929d0e0e4736"`, "Unique by", "1h0m0s once it is completed", `action="/deed/task/archive"`)
		s.saysNot("the task, whose order is no object at last", body, "https://shop/o/")
		s.says("the text", s.page("/task", "queue", "shop", "id", "t1", "view", "text"), "<pre>{\n  &#34;order&#34;")
		s.says("the bytes", s.page("/task", "queue", "shop", "id", "t1", "view", "hex"), "00000000  7b 22 6f")
	})
}

func TestNothingThatAStrangerWritesIsMarkup(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{Links: []web.Link{{Name: "There", Template: "https://x/{payload.a}"}}})
		s.enqueue("plain", `{"a":`+quoted(hostile)+`,`+quoted(hostile)+`:[`+quoted(hostile)+`]}`, task.ID("json"), task.Header("h", hostile), task.ProcessIn(time.Hour))
		s.enqueue("plain", hostile, task.ID("text"), task.ProcessIn(time.Hour))
		s.enqueue("plain", "\xff\xfe"+hostile, task.ID("bytes"), task.ProcessIn(time.Hour))
		for _, id := range []string{"json", "text", "bytes"} {
			for _, view := range []string{"", "tree", "text", "hex"} {
				s.saysNothingHostile(id+" as "+view, s.page("/task", "queue", "default", "id", id, "view", view))
			}
		}
		s.saysNothingHostile("the list", s.page("/tasks"))
		for _, path := range []string{"/tasks", "/queues"} {
			s.saysNot("a query", s.page(path, "q", hostile), "<script>alert", "<img", "ZgotmplZ") // the field has what was typed
		}
		for _, path := range []string{address("/queue", "name", hostile), address("/task", "queue", hostile, "id", hostile), address("/group", "queue", "default", "name", hostile)} {
			_, body, _ := fetch(t, http.MethodGet, s.server.URL+path)
			s.saysNothingHostile(path, body)
		}
	})
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x1b", `\u001b`).Replace(s) + `"`
}

func TestATaskThatHasRunShowsItsAttemptsAndItsResult(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{})
		s.enqueue("twice", "{}", task.ID("t1"), task.Retention(time.Hour), task.MaxRetry(3))
		mux := task.NewMux()
		mux.HandleFunc("twice", func(ctx context.Context, t *task.Task) error {
			if n, _ := task.GetRetryCount(ctx); n == 0 {
				panic(hostile + "\nof two lines")
			}
			_, err := t.ResultWriter().Write([]byte(`{"total":9007199254740993}`))
			return err
		})
		s.run(mux, func() bool {
			i, err := queue.NewInspector(b).Get(t.Context(), "default", "t1")
			return err == nil && i.State == task.Completed
		})
		body := s.page("/task", "queue", "default", "id", "t1")
		s.saysNothingHostile("the task", body)
		s.says("the task", body, "state-completed", "9007199254740993", "of two lines", "web/task_test.go:", "✓ done", `class="timeline"`)
	})
}

func TestBytesAreHadAsTheyAreAndNeverOpened(t *testing.T) {
	viewer, err := access.Anyone(access.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	b := onSQLite(t)
	s := serve(t, b, web.Config{})
	payload := "\xff<html>" + strings.Repeat("x", 100_000)
	s.enqueue("a", payload, task.ID("t/1"))
	path := address("/task/raw", "queue", "default", "id", "t/1", "part", "payload")
	status, body, h := fetch(t, http.MethodGet, s.server.URL+path)
	if status != http.StatusOK || body != payload {
		t.Errorf("%d, and %d of %d bytes", status, len(body), len(payload))
	}
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Content-Disposition": `attachment; filename="t_1-payload"`,
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if status, _, _ := fetch(t, http.MethodGet, s.server.URL+strings.Replace(path, "part=payload", "part=other", 1)); status != http.StatusNotFound {
		t.Errorf("another part: %d", status)
	}
	masked := serve(t, b, web.Config{Authoriser: viewer, Mask: []string{"*"}})
	if _, body, _ := fetch(t, http.MethodGet, masked.server.URL+path); body != `"•••"` {
		t.Errorf("what is hidden is told: %.40q", body)
	}
	s.says("a large payload", s.page("/task", "queue", "default", "id", "t/1"), "Show all", "97.7 KiB")
}

func TestAProgramsOwnWriterDoesNoHarm(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	s := serve(t, onSQLite(t), web.Config{FormatPayload: func(typ string, b []byte) string {
		switch typ {
		case "panics":
			panic(hostile)
		case "blocks":
			<-block
		case "spoils":
			clear(b)
		}
		return fmt.Sprintf("<b>%s</b> %s\xff", b, typ)
	}})
	for _, typ := range []string{"plain", "panics", "blocks", "spoils"} {
		s.enqueue(typ, "payload-of", task.ID(typ))
	}
	s.says("what is written", s.page("/task", "queue", "default", "id", "plain"), "&lt;b&gt;payload-of&lt;/b&gt; plain")
	panics := s.page("/task", "queue", "default", "id", "panics")
	s.says("one that panics", panics, "has panicked")
	s.saysNothingHostile("one that panics", panics)
	for range 10 {
		body := s.page("/task", "queue", "default", "id", "blocks", "view", "")
		s.says("one that blocks", body, "What formats it", "payload")
	}
	s.page("/task", "queue", "default", "id", "spoils")
	s.says("what was spoilt", s.page("/task", "queue", "default", "id", "spoils", "view", "text"), "payload-of")
}

func TestLinksThatMakeNoSenseAreRefused(t *testing.T) {
	_, err := web.New(web.Config{Broker: onSQLite(t), Jaeger: "javascript:", Links: []web.Link{{Name: "There", Template: "https://{payload.host}/"}, {Template: "https://x/"}}})
	if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), "Jaeger") || !strings.Contains(err.Error(), "There") || !strings.Contains(err.Error(), "needs a name") {
		t.Errorf("err = %v", err)
	}
}

func TestGroupsAndTheirTasksAreShown(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{})
		for i, group := range []string{"small", "large", "large"} {
			s.enqueue("fold", "{}", task.ID(fmt.Sprint("t", i)), task.Group(group), task.Queue("mail"))
		}
		s.enqueue("fold", "{}", task.Group("elsewhere"), task.Queue("other"))
		body := s.page("/groups", "queue", "mail", "sort", "-size")
		if large, small := strings.Index(body, "name=large"), strings.Index(body, "name=small"); large < 0 || small < large {
			t.Errorf("the largest group is not the first: %d, %d", large, small)
		}
		s.saysNot("the groups of one queue", body, "name=elsewhere")
		body = s.page("/group", "queue", "mail", "name", "large")
		s.says("the group", body, "2 tasks", "id=t1", "id=t2", `action="/deed/group/run"`)
		s.saysNot("the group", body, "id=t0")
		s.says("a group of nothing", s.page("/group", "queue", "mail", "name", "none"), "Nothing waits in this group")
	})
}

func TestTwoTasksAreCompared(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{})
	s.enqueue("a", `{"user":1,"same":true,"text":`+quoted(hostile)+`}`, task.ID("t1"), task.Header("h", "one"))
	s.enqueue("a", `{"user":2,"same":true}`, task.ID("t2"), task.Header("h", "two"))
	body := s.page("/diff", "aqueue", "default", "aid", "t1", "bqueue", "default", "bid", "t2")
	s.says("the comparison", body, "<b>one</b>", "<b>two</b>", `<td class="bad">−   &#34;user&#34;: 1,`, `<td class="good">+   &#34;user&#34;: 2,`, `<span class="dim">a</span>`)
	s.saysNothingHostile("the comparison", body)
	for _, query := range []string{"", "?aqueue=default&aid=t1", "?aqueue=default&aid=t1&bqueue=default&bid=none"} {
		if status, _, _ := fetch(t, http.MethodGet, s.server.URL+"/diff"+query); status != http.StatusBadRequest && status != http.StatusNotFound {
			t.Errorf("/diff%s: %d", query, status)
		}
	}
}

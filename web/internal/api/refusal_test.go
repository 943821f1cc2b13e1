package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"

	"github.com/leatwork/leat/internal/redistest"
)

// enqueued enqueues n tasks into a queue.
func enqueued(t *testing.T, b broker.Broker, name string, n int) {
	t.Helper()
	c := queue.NewClient(b)
	for range n {
		if _, err := c.Enqueue(t.Context(), task.New("note", []byte(`{"text":"`+strings.Repeat("x", 200)+`"}`)), task.Queue(name)); err != nil {
			t.Fatal(err)
		}
	}
}

// problem checks that an answer is a problem of a status.
func (a answer) problem(t *testing.T, status int, field, code string) {
	t.Helper()
	if a.Code != status || a.Header().Get("Content-Type") != "application/problem+json" || a.at("status") != float64(status) || a.textAt("title") == "" || a.textAt("detail") == "" || a.textAt("type") == "" {
		t.Errorf("the answer is %d, %s: %s, want the problem %d", a.Code, a.Header().Get("Content-Type"), a.Body, status)
	}
	if a.textAt("field") != field || a.textAt("code") != code {
		t.Errorf("the problem %s has the field %q and the code %q, want %q and %q", a.Body, a.textAt("field"), a.textAt("code"), field, code)
	}
}

func TestWhatCannotBeAnsweredIsAProblem(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		enqueued(t, b, "mail", 3)
		c := clientOf(t, configOf(b))
		for _, is := range []struct {
			method, address, body string
			status                int
			field, code           string
			header                []string
		}{
			{"GET", "/nothing", "", 404, "", "no-route", nil},
			{"GET", "/task?queue=mail&id=none", "", 404, "", "", nil},
			{"GET", "/task?queue=none&id=none", "", 404, "", "", nil},
			{"GET", "/queue?name=none", "", 404, "", "", nil},
			{"GET", "/server?id=none", "", 404, "", "no-server", nil},
			{"GET", "/entry?name=none", "", 404, "", "", nil},
			{"GET", "/entry/history?name=none", "", 404, "", "", nil},
			{"GET", "/run?queue=mail&id=none", "", 404, "", "", nil},
			{"GET", "/run/input?queue=mail&id=none", "", 404, "", "", nil},
			{"GET", "/groups?queue=none", "", 404, "", "", nil},
			{"GET", "/task?queue=mail", "", 400, "id", "", nil},
			{"GET", "/task?queue=mail&id=", "", 400, "id", "", nil},
			{"GET", "/tasks?limit=0", "", 400, "limit", "", nil},
			{"GET", "/tasks?limit=501", "", 400, "limit", "", nil},
			{"GET", "/tasks?limit=many", "", 400, "limit", "", nil},
			{"GET", "/tasks?limit=1&limit=2", "", 400, "limit", "", nil},
			{"GET", "/tasks?size=1", "", 400, "size", "", nil},
			{"GET", "/tasks?q=%zz", "", 400, "query", "", nil},
			{"GET", "/tasks?newest=perhaps", "", 400, "newest", "", nil},
			{"GET", "/tasks?cursor=garbage", "", 400, "cursor", "", nil},
			{"GET", "/runs?cursor=garbage", "", 400, "cursor", "", nil},
			{"GET", "/queues?cursor=garbage", "", 400, "cursor", "", nil},
			{"GET", "/figures?from=yesterday", "", 400, "from", "", nil},
			{"GET", "/tasks?q=sate:retry", "", 400, "q", "", nil},
			{"POST", "/tasks", "{}", 405, "", "method", nil},
			{"DELETE", "/task", "", 405, "", "method", nil},
			{"GET", "/stats", "", 406, "", "accept", []string{"Accept", "text/html"}},
			{"POST", "/queue/pause", `{"queue":"mail"}`, 415, "", "content-type", []string{"Content-Type", "text/plain"}},
			{"POST", "/queue/pause", `{"queue":"mail"}`, 415, "", "content-type", []string{"Content-Type", ""}},
			{"POST", "/queue/pause", `{"queue":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "", "too-large", nil},
			{"POST", "/queue/pause", `{"queue":"mail","until":"x"}`, 400, "until", "", nil},
			{"POST", "/queue/pause", `{"queue":7}`, 400, "queue", "", nil},
			{"POST", "/queue/pause", `{}`, 400, "queue", "", nil},
			{"POST", "/queue/pause", `{"queue":"mail"} {}`, 400, "body", "", nil},
			{"POST", "/queue/pause", `["mail"]`, 400, "body", "", nil},
			{"POST", "/queue/paint", `{"queue":"mail"}`, 404, "", "no-route", nil},
		} {
			t.Logf("%s %.60s", is.method, is.address)
			c.do(is.method, is.address, is.body, is.header...).problem(t, is.status, is.field, is.code)
		}
		a := c.do("GET", "/tasks?q=state:retry+sate:retry", "")
		if a.at("at") != float64(12) || !strings.Contains(a.textAt("hint"), "state") {
			t.Errorf("the problem of a query is %s, want where it is and what may be meant", a.Body)
		}
		if a := c.do("POST", "/tasks", "{}"); a.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("/tasks allows %q", a.Header().Get("Allow"))
		}
	})
}

func TestWhoMayNotIsRefused(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		enqueued(t, b, "mail", 3)
		c := clientOf(t, configOf(b))
		c.role = access.Nobody
		c.do("GET", "/tasks", "").problem(t, 403, "", "role")
		c.role = access.Viewer
		c.do("POST", "/queue/pause", `{"queue":"mail"}`).problem(t, 403, "", "role")
		if isPaused := c.get("/queue", "name", "mail").at("paused"); isPaused != false {
			t.Errorf("it was done all the same: %v", isPaused)
		}
		config := configOf(b)
		config.ReadOnly = true
		c = clientOf(t, config)
		c.do("POST", "/queue/pause", `{"queue":"mail"}`).problem(t, 403, "", "read-only")
	})
}

func TestWhatIsHiddenIsNotTold(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		complete(t, b, "sums", "sum-1", []byte(`{"a":"secret-1","b":2}`), []byte(`{"a":"secret-2"}`))
		config := configOf(b)
		rules, err := mask.New(access.Admin, "a", "header:tenant")
		if err != nil {
			t.Fatal(err)
		}
		config.Mask = rules
		c := clientOf(t, config)
		seen := func() string {
			var all strings.Builder
			for _, address := range []string{"/tasks", "/task", "/task/payload", "/task/result"} {
				query := []string{"queue", "sums", "id", "sum-1"}
				if address == "/tasks" {
					query = nil
				}
				all.WriteString(c.get(address, query...).Body.String())
			}
			return all.String()
		}
		if all := seen(); strings.Count(all, "secret-1") != 3 || strings.Count(all, "secret-2") != 3 || strings.Count(all, "acme") != 2 {
			t.Errorf("an admin sees %s", all)
		}
		c.role = access.Operator
		if all := seen(); strings.Contains(all, "secret") || strings.Contains(all, "acme") || strings.Count(all, mask.Hidden) != 8 {
			t.Errorf("an operator sees %s", all)
		}
		c.do("GET", "/tasks?q=payload.a:secret-1", "").problem(t, 403, "", "")
	})
}

func TestAStorageThatIsGoneIsAProblem(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b, err := redisbroker.Open(server.URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	enqueued(t, b, "mail", 1)
	config := configOf(b)
	config.Patience = 2 * time.Second
	c := clientOf(t, config)
	c.get("/tasks")
	server.Kill()
	a := c.do("GET", "/task?queue=mail&id=x", "")
	a.problem(t, 503, "", "")
	if strings.Contains(a.Body.String(), server.Addr) {
		t.Errorf("it tells where the storage is: %s", a.Body)
	}
}

// A slow broker does not tell of an entry as long as somebody waits.
type slow struct{ broker.Broker }

func (slow) Entry(ctx context.Context, _ broker.EntryRef) (broker.Stored, error) {
	<-ctx.Done()
	return broker.Stored{}, ctx.Err()
}

func TestAStorageThatTakesTooLongIsAProblem(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		config := configOf(slow{b})
		config.Patience = 20 * time.Millisecond
		clientOf(t, config).do("GET", "/task?queue=mail&id=x", "").problem(t, http.StatusGatewayTimeout, "", "")
	})
}

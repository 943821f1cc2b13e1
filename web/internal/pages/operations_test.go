package pages_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/audit"
)

const (
	serverID  = "6f1f8f0e-7f57-4b3c-9d55-0f0f0f0f0f01"
	stoppedID = "6f1f8f0e-7f57-4b3c-9d55-0f0f0f0f0f02"
)

// withServers has two servers: one that runs what strangers wrote, and one that stops.
func withServers(t *testing.T, w *world) *world {
	t.Helper()
	now := time.Now()
	w.beat(broker.Server{
		ID: serverID, Host: "web-1", PID: 17, Concurrency: 4, Queues: map[string]int{"mail": 3, "default": 1}, Strict: true, Status: "active", Started: now.Add(-time.Hour),
		Workers: []broker.Worker{
			{Entry: broker.EntryRef{Queue: "mail", ID: "a/../b"}, Type: "email:send", Payload: []byte(`{"to":"` + strings.ReplaceAll(markup, `"`, `\"`) + `","card":"4111"}`), Started: now.Add(-9 * time.Minute), Deadline: now.Add(time.Second)},
			{Entry: broker.EntryRef{Queue: "default", ID: "x"}, Type: "report", Payload: []byte(markup), Started: now},
		},
	})
	w.beat(broker.Server{ID: stoppedID, Host: "web-2", PID: 18, Concurrency: 1, Queues: map[string]int{"default": 1}, Status: "stopped", Started: now})
	return w
}

func TestServers(t *testing.T) {
	w := withServers(t, newWorld(t, nil, nil))
	w.shows("/servers", "web-1:17", "web-2:18", "2 / 4", "strict", "mail", "2 servers", "2 of 5 slots are busy", "/leat/server?id="+serverID)
	w.shows("/servers?q=host:web-2", "web-2:18", "1 server of 2")
	w.lacks("/servers?q=host:web-2", "web-1:17")
	w.shows("/servers?q=hots:x", `did you mean "host"?`, "The query makes no sense")
	w.shows("/servers?sort=-running", "▼")
	body := w.shows("/server?id="+serverID, "web-1:17", "email:send", markup, "4111", "/leat/task?id=a%2F..%2Fb&queue=mail", "none", "2 of 4 slots")
	if strings.Index(body, "email:send") > strings.Index(body, "report") {
		t.Error("the task that runs longest is not the first")
	}
	w.shows("/server?id="+stoppedID, "stopped", "It is idle.")
	for _, id := range []string{"", "nobody", markup} {
		status, body, _ := w.ask("GET", "/server?id="+strings.ReplaceAll(id, " ", "%20"))
		if status != http.StatusNotFound {
			t.Errorf("a server that is none is answered with %d", status)
		}
		w.isHarmless("/server", body)
	}
}

func TestWhatAServerRunsIsMasked(t *testing.T) {
	w := withServers(t, newWorld(t, nil, masked(t, "card")))
	for _, role := range []access.Role{access.Viewer, access.Operator} {
		w.as(role).shows("/server?id="+serverID, "•••", "email:send")
		w.as(role).lacks("/server?id="+serverID, "4111", `alert("1")</script><img src=x onerror=alert(1)>`+"\n")
		w.as(role).lacks("/servers", "4111")
	}
	w.shows("/server?id="+serverID, "4111")
}

// withEntries has an entry that strangers wrote, and one of asynq's.
func withEntries(t *testing.T, w *world) *world {
	t.Helper()
	i := periodic.NewInspector(w.broker)
	w.do(func(ctx context.Context) error {
		return i.Add(ctx, periodic.Entry{Name: "report/../daily", Schedule: "30 2 * * 1-5", Zone: "Europe/Berlin", Type: "report", Payload: periodic.Bytes([]byte(`{"card":"4111","x":"<script>"}`))}, markup)
	})
	w.do(func(ctx context.Context) error { return i.Pause(ctx, "report/../daily", "bob", markup) })
	w.do(func(ctx context.Context) error {
		return i.Add(ctx, periodic.Entry{Name: "tidy", Schedule: "@every 5m", Type: "tidy", Payload: periodic.Template(`{"card":"4111"}`)}, "bob")
	})
	now := time.Now().Truncate(time.Second)
	w.do(func(ctx context.Context) error {
		return w.broker.BeatScheduler(ctx, now, broker.Scheduler{ID: serverID, Host: "web-1", PID: 17, Entries: []broker.PeriodicEntry{
			{ID: "asynq-1", Spec: "*/5 * * * *", Type: "mail", Payload: []byte(markup), Options: []string{`Queue("low")`, `Header(["x","4111"])`}, Next: now.Add(time.Minute), Prev: now},
		}})
	})
	w.do(func(ctx context.Context) error {
		return w.broker.RecordTicks(ctx, broker.Tick{Entry: "asynq-1", TaskID: "t-1", At: now})
	})
	return w
}

func TestEntries(t *testing.T) {
	w := withEntries(t, newWorld(t, nil, nil))
	w.shows("/entries", "report/../daily", "Monday to Friday at 02:30, Europe/Berlin", "every 5 minutes", "paused", "tidy", "asynq-1", "low", "/leat/entry?name=report%2F..%2Fdaily")
	w.shows("/entries?q=paused:yes", "report/../daily")
	w.lacks("/entries?q=paused:yes", "asynq-1", "tidy</a>")
	w.shows("/entries?q=name:asynq-1", "asynq-1")
	w.shows("/entries?q=namme:x", "The query makes no sense", `did you mean "name"?`)
	w.shows("/entries?sort=-next", "▼")

	w.shows("/entry?name=report%2F..%2Fdaily", "Monday to Friday at 02:30", "30 2 * * 1-5", "bob", markup, "4111", "Next ticks", "It is paused", "added")
	w.shows("/entry?name=tidy", "every 5 minutes", `{"card":"4111"}`, "nobody")
	w.shows("/entry?name=asynq-1", "A scheduler of asynq has this entry", "t-1", "/leat/task?id=t-1&queue=low", markup)
	for target, want := range map[string]int{"/entry": 400, "/entry?name=": 400, "/entry?name=nothing": 404, "/entry?name=%3Cscript%3E": 400} {
		status, body, _ := w.ask("GET", target)
		if status != want {
			t.Errorf("GET %s: %d, want %d", target, status, want)
		}
		w.isHarmless(target, body)
	}
}

func TestOnlyWhoMayIsOfferedDeedsOfEntries(t *testing.T) {
	w := withEntries(t, newWorld(t, nil, nil))
	w.shows("/entry?name=report%2F..%2Fdaily", "/leat/deed/entry/resume", "/leat/deed/entry/run", "/leat/deed/entry/backfill", "/leat/deed/entry/remove")
	w.lacks("/entry?name=report%2F..%2Fdaily", "/leat/deed/entry/pause")
	w.as(access.Operator).lacks("/entry?name=tidy", "/leat/deed/entry/remove")
	w.as(access.Viewer).lacks("/entry?name=tidy", "/leat/deed/")
	w.as(access.Viewer).lacks("/entries", "/leat/deed/", "checkbox")
	w.lacks("/entry?name=asynq-1", "/leat/deed/")
}

func TestTheEndOfABackfillIsOfferedWhereItIsListed(t *testing.T) {
	w := withEntries(t, newWorld(t, nil, nil))
	const end = "/leat/deed/entry/end-backfill"
	w.lacks("/entry?name=tidy", end)
	var id string
	w.do(func(ctx context.Context) (err error) {
		now := time.Now()
		id, err = periodic.NewInspector(w.broker).Backfill(ctx, "tidy", periodic.Backfill{From: now.Add(-time.Hour), To: now, Cap: 1, By: "bob"})
		return err
	})
	w.shows("/entry?name=tidy", id, end+"?backfill="+url.QueryEscape(id)+"&id=tidy")
	w.shows("/deed/entry/end-backfill?backfill="+url.QueryEscape(id)+"&id=tidy", id)
	w.as(access.Viewer).lacks("/entry?name=tidy", end)
}

func TestWhatAnEntryCarriesIsMasked(t *testing.T) {
	w := withEntries(t, newWorld(t, nil, masked(t, "card", "header:*"))).as(access.Operator)
	for _, name := range []string{"report%2F..%2Fdaily", "tidy", "asynq-1"} {
		w.shows("/entry?name="+name, "•••")
		w.lacks("/entry?name="+name, "4111")
	}
}

func TestAudit(t *testing.T) {
	w := newWorld(t, nil, masked(t, "card"))
	w.shows("/audit", "Nothing has been done yet.")
	for _, e := range []audit.Entry{
		{By: markup, Role: access.Admin, From: "192.0.2.9", Deed: "delete", Kind: "task", Target: "mail/17", Args: map[string]string{"why": markup}, Count: 1},
		{Role: access.Operator, Deed: "archive", Kind: "task", Target: "payload.card:4111 state:retry", Count: 42, Err: markup},
	} {
		w.audit.Record(t.Context(), e)
	}
	body := w.shows("/audit", markup, "192.0.2.9", "task delete", "mail/17", "why=", "42", "anybody", "payload.card:4111")
	if strings.Index(body, "archive") > strings.Index(body, "mail/17") {
		t.Error("what was done last is not the first")
	}
	w.as(access.Viewer).shows("/audit", "•••", "mail/17")
	w.as(access.Viewer).lacks("/audit", "4111")
}

// contrary is a storage that contradicts itself.
type contrary struct {
	*model.Model
	err error
}

func (c contrary) Mend(_ context.Context, _ time.Time, dry bool) ([]broker.Mended, error) {
	if !dry {
		return nil, errors.New("something was changed")
	}
	return []broker.Mended{{Fault: "entry " + markup + " is in two states", Done: "taken out of pending"}, {Fault: "entry b is damaged"}}, c.err
}

func (c contrary) Describe(context.Context, ...string) (broker.About, error) {
	return broker.About{
		Kind: "redis cluster", Version: "8.0.0", Address: "10.0.0.1:7000", Prefix: "shop", Uptime: 90 * time.Minute, Memory: 95, MaxMemory: 100,
		Eviction: "allkeys-lru", Facts: map[string]string{"os": markup},
		Cluster: &broker.Cluster{State: "ok", Nodes: 6, Size: 3, Places: []broker.QueuePlace{{Queue: "mail", Slot: 866, Nodes: []string{"10.0.0.1:7000", "10.0.0.2:7000"}}}},
	}, nil
}

func TestStorage(t *testing.T) {
	w := newWorld(t, contrary{Model: model.New(model.Options{})}, nil)
	w.shows("/storage", "redis cluster", "8.0.0", "shop", "1h30m", "allkeys-lru", "tasks get lost", "95.00%", "866", "10.0.0.2:7000", markup, "It has not been checked", "Check it now")
	for _, role := range []access.Role{access.Viewer, access.Nobody} {
		if status, _, _ := w.as(role).ask("POST", "/storage/verify"); status != http.StatusForbidden {
			t.Errorf("%s has it checked: %d", role, status)
		}
		w.as(role).lacks("/storage", "Check it now")
	}
	status, _, header := w.as(access.Operator).ask("POST", "/storage/verify")
	if status != http.StatusSeeOther || header.Get("Location") != "/leat/storage" {
		t.Errorf("an operator has it checked: %d to %q", status, header.Get("Location"))
	}
	w.as(access.Viewer).shows("/storage", "2 faults", "by ann", "taken out of pending", "there is no plain remedy", markup)

	w = newWorld(t, contrary{model.New(model.Options{}), errors.New("it does not answer")}, nil)
	if status, body, _ := w.ask("POST", "/storage/verify"); status != http.StatusServiceUnavailable || strings.Contains(body, "2 faults") {
		t.Errorf("a storage that fails is answered with %d", status)
	}
	w.shows("/storage", "It has not been checked")

	w = newWorld(t, nil, nil)
	w.ask("POST", "/storage/verify")
	w.shows("/storage", "All is well")
}

package view_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var update = flag.Bool("update", false, "write what is shown to testdata")

// golden compares the JSON of v with testdata/NAME.json.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s is shown otherwise (-want +got):\n%s", name, diff)
	}
}

// at is the time of what is shown, in a zone of its own.
var at = time.Date(2026, 11, 30, 13, 0, 0, 500e6, time.FixedZone("CET", 3600))

var servers = []broker.Server{{
	ID: "a1b2", Host: "web-1", PID: 4711, Status: "active", Queues: map[string]int{"mail": 6, "low": 1}, Concurrency: 10, Started: at.Add(-time.Hour),
	Workers: []broker.Worker{{
		Entry: broker.EntryRef{Queue: "mail", ID: "17"}, Type: "email:welcome", Payload: []byte(`{"user": 7}`),
		Started: at.Add(-1500 * time.Millisecond), Deadline: at.Add(time.Minute),
	}},
}}

func TestTasks(t *testing.T) {
	full := &task.Info{
		ID: "17", Queue: "mail", Type: "email:welcome", State: task.Active,
		Payload: []byte(` {"user": 12345678901234567890, "rate": 1.50, "html": "<b>"}` + "\n"),
		Headers: map[string]string{"tenant": "acme"}, MaxRetry: 25, Retried: 1,
		LastErr: "connection refused", LastFailedAt: at.Add(-time.Minute),
		Timeout: 90 * time.Second, Deadline: at.Add(time.Hour), StartBy: at.Add(time.Minute), Retention: time.Hour,
		Group: "customer-7", UniqueKey: "u", MaxCrashes: 3, Crashes: 1, CancelAsked: true, IsOrphaned: true,
		Progress: []byte("half <way>"), Result: []byte{0xff, 0x00},
		Attempts: []task.AttemptRecord{
			{Started: at.Add(-2 * time.Minute), Ended: at.Add(-time.Minute), Worker: "web-1:4711", Err: "panic at mail/send.go:9: boom", Stack: "mail.Send()\n    /src/mail/send.go:9 +0x1d"},
			{Ended: at, Err: broker.LeaseRanOut},
		},
	}
	golden(t, "task-full", view.TaskOf(full, servers...))
	golden(t, "tasks", []view.Task{
		view.TaskOf(&task.Info{ID: "1", Queue: "low", Type: "report", State: task.Pending, NextProcessAt: at}),
		view.TaskOf(&task.Info{ID: "2", Queue: "low", Type: "report", State: task.Completed, Payload: []byte("text, \u202e"), Result: []byte("null"), CompletedAt: at}),
		view.TaskOf(&task.Info{ID: "3", Queue: "low", Type: "report", State: task.Archived, Payload: []byte{0xff}, End: "poison"}),
		view.TaskOf(&task.Info{ID: "17", Queue: "low", Type: "report", State: task.Active}, servers...), // which runs that of another queue
	})
}

func TestQueuesAndTheirFigures(t *testing.T) {
	mail := queue.QueueInfo{
		Counts: broker.Counts{
			Queue: "mail", Pending: 4, Active: 1, Scheduled: 2, Retry: 3, Archived: 5, Completed: 6, Aggregating: 7, Groups: 2,
			Paused: true, Processed: 200, Failed: 10, ProcessedTotal: 4000, FailedTotal: 17,
		},
		Latency: 1500 * time.Millisecond, Memory: 4096,
	}
	low := queue.QueueInfo{Counts: broker.Counts{Queue: "low", Pending: 1}, MemoryErr: errors.New("MEMORY is not allowed")}
	unasked := queue.QueueInfo{Counts: broker.Counts{Queue: "unasked", Pending: 1}}
	golden(t, "stats", view.StatsOf([]queue.QueueInfo{mail, low, unasked, {Counts: broker.Counts{Queue: "empty"}}}))
	golden(t, "stats-none", view.StatsOf(nil))
	golden(t, "day", view.DayOf("mail", broker.Day{Date: at.Truncate(24 * time.Hour), Processed: 4, Failed: 1}))
	golden(t, "group", view.GroupOf("mail", broker.Group{Name: "customer-7", Size: 3, Frozen: 2, Oldest: at.Add(-time.Hour), Newest: at}))
}

func TestServers(t *testing.T) {
	cut := strings.Repeat("ä", broker.MaxWorkerPayload/2)
	s := servers[0]
	s.Workers = append(s.Workers, broker.Worker{Entry: broker.EntryRef{Queue: "mail", ID: "18"}, Type: "text", Payload: []byte("x" + cut)[:broker.MaxWorkerPayload], Started: at})
	shown := view.ServerOf(at, s)
	if last := &shown.Workers[1]; !last.PayloadCut || string(last.Payload) != `"x`+cut[:len(cut)-2]+`"` {
		t.Errorf("a payload that was cut within a character is shown as %s, cut: %v", last.Payload, last.PayloadCut)
	} else {
		last.Payload = view.Data(`"x…"`)
	}
	golden(t, "server", shown)
	golden(t, "server-idle", view.ServerOf(at, broker.Server{ID: "c3", Host: "web-2", PID: 1, Status: "stopped"}))
}

func TestEntries(t *testing.T) {
	infos := []periodic.Info{{
		Entry: periodic.Entry{
			Name: "nightly", Schedule: "30 2 * * *", Zone: "Europe/Berlin", Start: at, Jitter: time.Minute, Window: periodic.DefaultWindow,
			Missed: periodic.RunOnce(), Type: "report", Payload: periodic.Template(`{"day": "{{.Time}}"}`), Options: []task.Option{task.Queue("low"), task.MaxRetry(3)},
		},
		Source: periodic.FromStore, Known: at.Add(-time.Hour), Prev: at.Add(-time.Minute), Late: true, RunBy: []string{"s1"}, Asked: 1,
		Paused:    &periodic.Pause{By: "ada", Why: "maintenance", At: at},
		Backfills: []periodic.Backfill{{ID: "b1", From: at.Add(-48 * time.Hour), To: at, Cap: 2, By: "ada", Begun: at, Done: at, Enqueued: 2, Skipped: 1}},
		History:   []periodic.Event{{Tick: at, At: at, What: periodic.TickFired, Queue: "low", ID: "nightly~1", By: "s1"}, {At: at, What: periodic.EntryPaused, Why: "maintenance", By: "ada"}},
		Open:      []broker.EntryRef{{Queue: "low", ID: "nightly~1"}},
	}, {
		Entry:  periodic.Entry{Name: "often", Schedule: "@every 5m", Type: "ping", Payload: periodic.Bytes([]byte(`{"a": 1}`))},
		Source: periodic.FromCode, Next: at,
	}}
	schedulers := []broker.Scheduler{
		{ID: "s1", Entries: []broker.PeriodicEntry{{ID: "nightly", Type: "report"}}},
		{ID: "s2", Entries: []broker.PeriodicEntry{{ID: "c0ffee", Spec: "@every 30s", Type: "sync", Payload: []byte("now"), Options: []string{`Queue("mail")`, "MaxRetry(3)"}, Next: at, Prev: at.Add(-30 * time.Second)}}},
	}
	golden(t, "entries", view.EntriesOf(infos, schedulers))
	golden(t, "tick-asynq", view.TickOfAsynq(broker.Tick{Entry: "c0ffee", TaskID: "t1", At: at}))
}

package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// inspected are the brokers that an Inspector is tested with. Each open is called
// outside of a bubble, and what it returns within one.
var inspected = []struct {
	name string
	open func(t *testing.T) func(t testing.TB) broker.Broker
}{
	{"model", func(*testing.T) func(testing.TB) broker.Broker {
		return func(testing.TB) broker.Broker { return model.New(model.Options{}) }
	}},
	{"sqlite", func(*testing.T) func(testing.TB) broker.Broker {
		return func(t testing.TB) broker.Broker {
			b, err := sqlitebroker.Open(":memory:", nil)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}},
	{"redis", func(t *testing.T) func(testing.TB) broker.Broker {
		server := redistest.Shared(t)
		return func(t testing.TB) broker.Broker {
			b, err := redisbroker.Open(server.SocketURL(), &redisbroker.Options{
				Prefix: redistest.Prefix(), LocalClock: true, Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}},
}

// A promise is a sentence about an Inspector, and what fails if it is not true.
type promise struct {
	sentence string
	keep     func(*inspection)
}

func TestInspector(t *testing.T) {
	for _, of := range inspected {
		t.Run(of.name, func(t *testing.T) {
			open := of.open(t)
			for _, p := range slices.Concat(figurePromises, listPromises, movePromises, pausePromises, editPromises, transferPromises, removePromises, bulkPromises) {
				t.Run(p.sentence, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b := open(t)
						defer b.Close()
						p.keep(&inspection{newBench(t, b), queue.NewInspector(b)})
					})
				})
			}
		})
	}
}

// An inspection is a bench with an inspector.
type inspection struct {
	*bench
	i *queue.Inspector
}

var figurePromises = []promise{
	{"the queues are those that were enqueued into", func(x *inspection) {
		x.put("b", task.Pending)
		x.put("a", task.Scheduled)
		x.wantQueues("a", "b")
	}},
	{"a queue's figures count each state", func(x *inspection) {
		x.put("q", task.States()...)
		got := x.info("q")
		want := broker.Counts{Queue: "q", Pending: 1, Active: 1, Scheduled: 1, Retry: 1, Archived: 1, Completed: 1, Aggregating: 1, Groups: 1,
			Processed: 3, Failed: 2, ProcessedTotal: 3, FailedTotal: 2, ReadySince: got.ReadySince}
		if diff := cmp.Diff(want, got.Counts); diff != "" {
			x.Errorf("figures (-want +got):\n%s", diff)
		}
		if got.MemoryErr != nil || got.Memory <= 0 {
			x.Errorf("memory: got %d, %v; want some", got.Memory, got.MemoryErr)
		}
	}},
	{"latency is for how long the next task has been ready", func(x *inspection) {
		x.put("q", task.Scheduled)
		if got := x.info("q").Latency; got != 0 {
			x.Errorf("latency of a queue with nothing ready is %v, want 0", got)
		}
		x.put("q", task.Pending)
		x.pass(3 * time.Second)
		if got, want := x.info("q").Latency, 3*time.Second; got != want {
			x.Errorf("latency is %v, want %v", got, want)
		}
	}},
	{"what is asked of a queue that does not exist is not found", func(x *inspection) {
		x.put("other", task.Pending)
		ctx := x.Context()
		for name, ask := range map[string]func() error{
			"QueueInfo": func() error { _, err := x.i.QueueInfo(ctx, "q"); return err },
			"History":   func() error { _, err := x.i.History(ctx, "q", 7); return err },
			"Groups":    func() error { _, err := x.i.Groups(ctx, "q"); return err },
			"List":      func() error { _, err := x.i.List(ctx, queue.ListQuery{Queue: "q", State: task.Retry}); return err },
			"Get":       func() error { _, err := x.i.Get(ctx, "q", "a"); return err },
			"Run":       func() error { return x.i.Run(ctx, "q", "a") },
			"Recover":   func() error { return x.i.Recover(ctx, "q", "a") },
			"Edit":      func() error { return x.i.EditPayload(ctx, "q", "a", nil) },
			"Remove":    func() error { return x.i.RemoveQueue(ctx, "q", false) },
			"ForceOut":  func() error { return x.i.RemoveQueue(ctx, "q", true) },
			"Bulk": func() error {
				_, err := x.i.Bulk(ctx, queue.BulkRequest{Queue: "q", State: task.Retry, Do: broker.Run})
				return err
			},
		} {
			if err := ask(); !errors.Is(err, queue.ErrQueueNotFound) {
				x.Errorf("%s: got %v, want ErrQueueNotFound", name, err)
			}
		}
		if paused, err := x.i.Resume(ctx, "q"); paused || err != nil {
			x.Errorf("Resume() = %v, %v after what was refused; want that it was not paused", paused, err)
		}
	}},
	{"history has a day's outcomes, today first", func(x *inspection) {
		x.put("q", task.Archived, task.Completed)
		x.pass(24 * time.Hour)
		x.put("q", task.Retry)
		got, err := x.i.History(x.Context(), "q", 3)
		today := time.Now().UTC().Truncate(24 * time.Hour)
		want := []broker.Day{
			{Date: today, Processed: 1, Failed: 1},
			{Date: today.AddDate(0, 0, -1), Processed: 2, Failed: 1},
			{Date: today.AddDate(0, 0, -2)},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			x.Errorf("History() error %v (-want +got):\n%s", err, diff)
		}
		if _, err := x.i.History(x.Context(), "q", 0); !errors.Is(err, task.ErrInvalid) {
			x.Errorf("History() of 0 days = %v, want ErrInvalid", err)
		}
	}},
	{"servers are listed with what they run", func(x *inspection) {
		ref, now := broker.EntryRef{Queue: "default", ID: "a"}, time.Now()
		for _, id := range []string{"2f1c7f0e-0000-4000-8000-000000000002", "2f1c7f0e-0000-4000-8000-000000000001"} {
			record := broker.Server{ID: id, Host: "host", PID: 7, Concurrency: 3, Queues: map[string]int{"default": 1}, Status: "active", Started: now,
				Workers: []broker.Worker{{Entry: ref, Type: "t", Started: now, Deadline: now.Add(time.Minute)}}}
			if err := x.b.Beat(x.Context(), now, record); err != nil {
				x.Fatal(err)
			}
		}
		got, err := x.i.Servers(x.Context())
		if err != nil || len(got) != 2 || got[0].ID > got[1].ID || len(got[0].Workers) != 1 || got[0].Workers[0].Entry != ref {
			x.Errorf("Servers() = %+v, %v; want two in order of their ids, each of which runs %v", got, err, ref)
		}
	}},
	{"groups are listed with their sizes", func(x *inspection) {
		x.group("q", "b", "1")
		x.group("q", "a", "2", "3")
		x.group("q", "c", "4")
		x.freeze("q", "c")
		got, err := x.i.Groups(x.Context(), "q")
		if err != nil {
			x.Fatal(err)
		}
		var sizes []string
		for _, g := range got {
			sizes = append(sizes, fmt.Sprintf("%s: %d", g.Name, g.Size))
		}
		if diff := cmp.Diff([]string{"a: 2", "b: 1", "c: 0"}, sizes); diff != "" {
			x.Errorf("groups (-want +got):\n%s", diff)
		}
	}},
}

func TestWhatCannotBeMeasuredLeavesTheRest(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		refusal := errors.New("MEMORY is not allowed")
		i := queue.NewInspector(forgetful{Model: x.b.(*model.Model), err: refusal})
		got, err := i.QueueInfo(x.Context(), "default")
		if err != nil || got.Pending != 1 || !errors.Is(got.MemoryErr, refusal) {
			t.Errorf("QueueInfo() = %+v, %v; want its figures, and why there is no memory", got, err)
		}
	})
}

// A forgetful broker does not know what its memory is.
type forgetful struct {
	*model.Model
	err error
}

func (f forgetful) Memory(context.Context, string) (int64, error) { return 0, f.err }

func TestAnInspectorWithoutABrokerRefusesEveryCall(t *testing.T) {
	i, ctx := queue.NewInspector(nil), t.Context()
	for name, ask := range map[string]func() error{
		"Queues":      func() error { _, err := i.Queues(ctx); return err },
		"QueueInfo":   func() error { _, err := i.QueueInfo(ctx, "q"); return err },
		"History":     func() error { _, err := i.History(ctx, "q", 1); return err },
		"Servers":     func() error { _, err := i.Servers(ctx); return err },
		"Groups":      func() error { _, err := i.Groups(ctx, "q"); return err },
		"Events":      func() error { _, err := i.Events(ctx, "", 1); return err },
		"List":        func() error { _, err := i.List(ctx, queue.ListQuery{Queue: "q", State: task.Retry}); return err },
		"Get":         func() error { _, err := i.Get(ctx, "q", "a"); return err },
		"Find":        func() error { _, err := i.Find(ctx, "a"); return err },
		"Run":         func() error { return i.Run(ctx, "q", "a") },
		"Recover":     func() error { return i.Recover(ctx, "q", "a") },
		"EditPayload": func() error { return i.EditPayload(ctx, "q", "a", nil) },
		"Pause":       func() error { _, err := i.Pause(ctx, "q"); return err },
		"PauseBy":     func() error { _, err := i.PauseBy(ctx, "q", "", ""); return err },
		"ReadPauses":  func() error { return i.ReadPauses(ctx, []queue.QueueInfo{{Counts: broker.Counts{Paused: true}}}) },
		"RemoveQueue": func() error { return i.RemoveQueue(ctx, "q", true) },
		"Bulk": func() error {
			_, err := i.Bulk(ctx, queue.BulkRequest{Queue: "q", State: task.Retry, Do: broker.Run})
			return err
		},
	} {
		if err := ask(); !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), "broker") {
			t.Errorf("%s = %v, want an ErrInvalid about the broker", name, err)
		}
	}
}

func TestEventsAreReadBehindACursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, model.New(model.Options{Events: 10}))
		i := queue.NewInspector(x.b)
		x.enqueue("a")
		x.enqueue("b")
		all, err := i.Events(t.Context(), "", 10)
		if err != nil || len(all) != 2 {
			t.Fatalf("Events() = %v, %v; want two", all, err)
		}
		rest, err := i.Events(t.Context(), all[0].Cursor, 10)
		if diff := cmp.Diff(all[1:], rest); err != nil || diff != "" {
			t.Errorf("Events() after the first: error %v (-want +got):\n%s", err, diff)
		}
	})
	i := queue.NewInspector(model.New(model.Options{}))
	if _, err := i.Events(t.Context(), "", 10); !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Events() of a broker that keeps none = %v, want ErrRefused", err)
	}
	i = queue.NewInspector(struct{ broker.Broker }{model.New(model.Options{})})
	if _, err := i.Events(t.Context(), "", 10); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Events() of a broker without = %v, want ErrUnsupported", err)
	}
}

// put stores an entry in each of these states in a queue; its id is the word of
// the state. A group is called "g".
func (x *inspection) put(queue string, states ...task.State) {
	x.Helper()
	order := slices.Clone(states) // what is leased must be the only one that is ready
	slices.SortStableFunc(order, func(a, b task.State) int {
		switch {
		case a == b:
			return 0
		case a == task.Pending:
			return 1
		default:
			return -1
		}
	})
	for _, state := range order {
		x.putOne(queue, state.String(), state)
	}
}

func (x *inspection) putOne(queue, id string, state task.State) {
	x.Helper()
	now := time.Now()
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: queue, ID: id}, Type: "test:" + id, Payload: []byte(id), MaxRetry: 3}
	switch state {
	case task.Scheduled:
		e.DueAt = now.Add(time.Hour)
	case task.Aggregating:
		e.Group = "g"
	}
	x.change(broker.Change{Enqueue: []broker.Entry{e}})
	s := broker.Settlement{Failed: true}
	switch state {
	case task.Retry:
		s.To, s.At = broker.Retry, now.Add(time.Hour)
	case task.Archived:
		s.To = broker.Archived
	case task.Completed:
		s.To, s.At, s.Failed = broker.Completed, now.Add(48*time.Hour), false
	case task.Active:
	default:
		return
	}
	l := x.lease(queue)
	if state == task.Active {
		return
	}
	s.Token, s.Entry = l.Token, l.Entry
	if s.Failed {
		s.Entry.LastErr, s.Entry.LastFailedAt = "it broke: "+id, now
	} else {
		s.Entry.CompletedAt = now
	}
	x.change(broker.Change{Settle: []broker.Settlement{s}})
}

// lease leases the next entry of a queue, for ten seconds.
func (x *inspection) lease(queue string) broker.Lease {
	x.Helper()
	now := time.Now()
	want := broker.LeaseRequest{Queues: []broker.Share{{Queue: queue}}, Max: 1, Until: now.Add(10 * time.Second)}
	applied, err := x.b.Apply(x.Context(), now, nil, want)
	if err != nil || len(applied.Leases) != 1 {
		x.Fatalf("Apply() leased %v, %v; want one", applied.Leases, err)
	}
	return applied.Leases[0]
}

func (x *inspection) change(c broker.Change) {
	x.Helper()
	applied, err := x.b.Apply(x.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{})
	if err := errors.Join(append(applied.Outcomes, err)...); err != nil {
		x.Fatalf("Apply() = %v, want nil", err)
	}
}

// group stores entries with these ids in a group.
func (x *inspection) group(queue, group string, ids ...string) {
	x.Helper()
	for _, id := range ids {
		x.change(broker.Change{Enqueue: []broker.Entry{{EntryRef: broker.EntryRef{Queue: queue, ID: id}, Type: "test", Group: group}}})
	}
}

// freeze has a group folded, and returns the batch.
func (x *inspection) freeze(queue, group string) broker.Batch {
	x.Helper()
	now := time.Now()
	batch, err := x.b.Gather(x.Context(), now, broker.GatherRequest{
		Queue: queue, Group: group, Token: queue + "-" + group, MaxSize: 100, Until: now.Add(10 * time.Second),
	})
	if err != nil || batch.Token == "" {
		x.Fatalf("Gather() = %+v, %v; want a batch", batch, err)
	}
	return batch
}

func (x *inspection) info(name string) *queue.QueueInfo {
	x.Helper()
	info, err := x.i.QueueInfo(x.Context(), name)
	if err != nil {
		x.Fatalf("QueueInfo(%s) = %v, want nil", name, err)
	}
	return info
}

func (x *inspection) task(queue, id string) *task.Info {
	x.Helper()
	info, err := x.i.Get(x.Context(), queue, id)
	if err != nil {
		x.Fatalf("Get(%s/%s) = %v, want nil", queue, id, err)
	}
	return info
}

// ids returns the ids of the tasks in one state, "g" being the group, in order.
func (x *inspection) ids(name string, state task.State) []string {
	x.Helper()
	q := queue.ListQuery{Queue: name, State: state, Limit: queue.MaxPage}
	if state == task.Aggregating {
		q.Group = "g"
	}
	page, err := x.i.List(x.Context(), q)
	if err != nil {
		x.Fatalf("List(%s of %s) = %v, want nil", state, name, err)
	}
	var ids []string
	for _, info := range page.Tasks {
		ids = append(ids, info.ID)
	}
	return ids
}

func (x *inspection) wantIDs(name string, state task.State, want ...string) {
	x.Helper()
	if diff := cmp.Diff(want, x.ids(name, state)); diff != "" {
		x.Errorf("%s tasks of %s (-want +got):\n%s", state, name, diff)
	}
}

func (x *inspection) wantQueues(want ...string) {
	x.Helper()
	got, err := x.i.Queues(x.Context())
	if err != nil || !slices.Equal(got, want) {
		x.Errorf("Queues() = %v, %v; want %v", got, err, want)
	}
}

// wantState demands that an error is a StateError that names a state.
func (x *inspection) wantState(what string, err error, state task.State) {
	x.Helper()
	refused, ok := errors.AsType[*broker.StateError](err)
	if !ok || !errors.Is(err, broker.ErrState) || refused.State != state {
		x.Errorf("%s = %v, want a StateError that says %s", what, err, state)
	}
}

// everything returns what is stored in a queue, to be compared.
func (x *inspection) everything(name string) map[string]*task.Info {
	x.Helper()
	all := make(map[string]*task.Info)
	for _, state := range task.States() {
		for _, id := range x.ids(name, state) {
			all[id] = x.task(name, id)
		}
	}
	return all
}

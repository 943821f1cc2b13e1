package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var removePromises = []promise{
	{"a queue that holds a task in whatever state is not removed, and left as it is", func(x *inspection) {
		for _, state := range task.States() {
			name := "q-" + state.String()
			x.put(name, state)
			before := x.everything(name)
			if err := x.i.RemoveQueue(x.Context(), name, false); !errors.Is(err, queue.ErrQueueNotEmpty) {
				x.Errorf("with one that is %s: RemoveQueue() = %v, want ErrQueueNotEmpty", state, err)
			}
			if diff := cmp.Diff(before, x.everything(name)); diff != "" || x.info(name).Paused {
				x.Errorf("with one that is %s: paused %v, what is stored (-want +got):\n%s", state, x.info(name).Paused, diff)
			}
		}
	}},
	{"a queue that holds nothing is removed, figures and all", func(x *inspection) {
		x.put("q", task.Archived)
		if err := x.i.Delete(x.Context(), "q", "archived"); err != nil {
			x.Fatal(err)
		}
		if err := x.i.RemoveQueue(x.Context(), "q", false); err != nil {
			x.Fatalf("RemoveQueue() = %v, want nil", err)
		}
		x.wantRemoved("q")
	}},
	{"a queue is removed by force with whatever it holds", func(x *inspection) {
		x.put("q", task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating)
		x.group("q", "h", "1", "2")
		x.enqueueTo("q", "u", task.Unique(time.Hour))
		x.put("other", task.Pending)
		if err := x.i.RemoveQueue(x.Context(), "q", true); err != nil {
			x.Fatalf("RemoveQueue() = %v, want nil", err)
		}
		x.wantRemoved("q")
		x.wantIDs("other", task.Pending, "pending")
		x.enqueueTo("q", "u", task.Unique(time.Hour)) // its claim is free
	}},
	{"a queue of a thousand tasks is removed in steps", func(x *inspection) {
		x.many("q", 1001)
		if err := x.i.RemoveQueue(x.Context(), "q", true); err != nil {
			x.Fatalf("RemoveQueue() = %v, want nil", err)
		}
		x.wantRemoved("q")
	}},
	{"a queue of which tasks are being run is not removed even by force, and left as it is", func(x *inspection) {
		x.put("q", task.Active, task.Pending, task.Retry)
		before := x.everything("q")
		watched := &racing{Broker: x.b, beforePause: func() { x.Error("the queue was paused, want it left as it is") }}
		err := queue.NewInspector(watched).RemoveQueue(x.Context(), "q", true)
		if !errors.Is(err, queue.ErrQueueNotEmpty) || !strings.Contains(err.Error(), "1 of its tasks are being run") {
			x.Errorf("RemoveQueue() = %v, want ErrQueueNotEmpty and how many are being run", err)
		}
		if diff := cmp.Diff(before, x.everything("q")); diff != "" || x.info("q").Paused {
			x.Errorf("paused %v, what is stored (-want +got):\n%s", x.info("q").Paused, diff)
		}
	}},
	{"a task that is begun just before the queue is paused keeps it from being removed", func(x *inspection) {
		x.put("q", task.Pending)
		racing := &racing{Broker: x.b, beforePause: func() { x.lease("q") }}
		if err := queue.NewInspector(racing).RemoveQueue(x.Context(), "q", true); !errors.Is(err, queue.ErrQueueNotEmpty) {
			x.Errorf("RemoveQueue() = %v, want ErrQueueNotEmpty", err)
		}
		x.wantIDs("q", task.Active, "pending")
		if x.info("q").Paused {
			x.Error("the queue is left paused")
		}
	}},
	{"a queue of which tasks are being folded is not removed even by force", func(x *inspection) {
		x.group("q", "h", "1", "2", "3")
		x.freeze("q", "h")
		x.put("q", task.Aggregating)
		err := x.i.RemoveQueue(x.Context(), "q", true)
		if !errors.Is(err, queue.ErrQueueNotEmpty) || !strings.Contains(err.Error(), "3 are being folded") {
			x.Errorf("RemoveQueue() = %v, want ErrQueueNotEmpty and how many are being folded", err)
		}
		x.wantIDs("q", task.Aggregating, "aggregating")
	}},
	{"orphans do not keep a queue from being removed by force", func(x *inspection) {
		x.put("q", task.Active)
		x.pass(11 * time.Second)
		if err := x.i.RemoveQueue(x.Context(), "q", false); !errors.Is(err, queue.ErrQueueNotEmpty) {
			x.Errorf("without force: RemoveQueue() = %v, want ErrQueueNotEmpty", err)
		}
		if err := x.i.RemoveQueue(x.Context(), "q", true); err != nil {
			x.Fatalf("RemoveQueue() = %v, want nil", err)
		}
		x.wantRemoved("q")
	}},
	{"a run beside a queue keeps it from being removed without force", func(x *inspection) {
		x.put("q", task.Archived)
		home := broker.Home{Queue: "q", ID: "run"}
		x.change(broker.Change{Home: home, Put: []broker.Put{{Key: "k", Body: []byte("v")}}})
		if err := x.i.Delete(x.Context(), "q", "archived"); err != nil {
			x.Fatal(err)
		}
		if err := x.i.RemoveQueue(x.Context(), "q", false); !errors.Is(err, queue.ErrQueueNotEmpty) {
			x.Errorf("without force: RemoveQueue() = %v, want ErrQueueNotEmpty", err)
		}
		if err := x.i.RemoveQueue(x.Context(), "q", true); err != nil {
			x.Fatalf("RemoveQueue() = %v, want nil", err)
		}
		if docs, err := x.b.Documents(x.Context(), home, "k"); err != nil || docs[0].Version != 0 {
			x.Errorf("the run's document is %v, %v; want it gone", docs, err)
		}
	}},
	{"a queue that is filled while it is removed is given up at last", func(x *inspection) {
		n := 0
		racing := &racing{Broker: x.b, beforeRemove: func() {
			x.enqueueTo("q", fmt.Sprint(n))
			n++
		}}
		x.put("q", task.Pending)
		if err := queue.NewInspector(racing).RemoveQueue(x.Context(), "q", true); !errors.Is(err, queue.ErrQueueNotEmpty) || n < 5 {
			x.Errorf("RemoveQueue() = %v after %d tries, want ErrQueueNotEmpty after some", err, n)
		}
	}},
}

// A racing broker lets something happen between the calls of its operator.
type racing struct {
	broker.Broker
	beforePause, beforeRemove func()
}

func (r *racing) Pause(ctx context.Context, now time.Time, queue string, paused bool) (bool, error) {
	if r.beforePause != nil && paused {
		r.beforePause()
	}
	return r.Broker.Pause(ctx, now, queue, paused)
}

func (r *racing) Remove(ctx context.Context, now time.Time, queue string, force bool) error {
	if r.beforeRemove != nil {
		r.beforeRemove()
	}
	return r.Broker.Remove(ctx, now, queue, force)
}

// wantRemoved demands that nothing is left of a queue.
func (x *inspection) wantRemoved(name string) {
	x.Helper()
	if _, err := x.i.QueueInfo(x.Context(), name); !errors.Is(err, queue.ErrQueueNotFound) {
		x.Errorf("QueueInfo(%s) = %v, want ErrQueueNotFound", name, err)
	}
	x.enqueueTo(name, "again")
	got := x.info(name)
	if want := (broker.Counts{Queue: name, Pending: 1, ReadySince: got.ReadySince}); got.Counts != want {
		x.Errorf("figures of %s, made again: got %+v, want %+v", name, got.Counts, want)
	}
	if err := x.i.Delete(x.Context(), name, "again"); err != nil {
		x.Fatal(err)
	}
}

// enqueueTo enqueues a task whose id is id into a queue.
func (x *inspection) enqueueTo(name, id string, options ...task.Option) {
	x.Helper()
	x.enqueue(id, append(options, task.Queue(name))...)
}

// many stores n pending entries, whose ids count up from 1000000.
func (x *inspection) many(queue string, n int, more ...func(*broker.Entry)) {
	x.Helper()
	var changes []broker.Change
	for i := range n {
		e := broker.Entry{EntryRef: broker.EntryRef{Queue: queue, ID: fmt.Sprint(1000000 + i)}, Type: "many"}
		for _, set := range more {
			set(&e)
		}
		changes = append(changes, broker.Change{Enqueue: []broker.Entry{e}})
	}
	applied, err := x.b.Apply(x.Context(), time.Now(), changes, broker.LeaseRequest{})
	if err := errors.Join(append(applied.Outcomes, err)...); err != nil {
		x.Fatal(err)
	}
}

package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var movePromises = []promise{
	{"Run makes a task ready at the back of its queue", func(x *inspection) {
		x.moveEach(x.i.Run, task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating)
	}},
	{"Archive archives a task", func(x *inspection) {
		x.moveEach(x.i.Archive, task.Archived, task.Pending, task.Scheduled, task.Retry, task.Completed, task.Aggregating)
	}},
	{"Delete deletes a task", func(x *inspection) {
		x.moveEach(x.i.Delete, 0, task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating)
	}},
	{"Cancel archives a task that waits", func(x *inspection) {
		x.put("q", task.Active) // it is asked, and goes on
		x.moveEach(x.i.Cancel, task.Archived, task.Pending, task.Scheduled, task.Retry, task.Aggregating, task.Active)
		for _, id := range []string{"pending", "scheduled", "retry", "aggregating"} {
			if got := x.task("q", id).End; got != "cancelled" {
				x.Errorf("the one that was %s has ended as %q, want cancelled", id, got)
			}
		}
	}},
	{"Reschedule has a task wait for its time", func(x *inspection) {
		at := time.Now().Add(3 * time.Hour)
		later := func(ctx context.Context, queue, id string) error { return x.i.Reschedule(ctx, queue, id, at) }
		x.moveEach(later, task.Scheduled, task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating)
		if got := x.task("q", "retry").NextProcessAt; !got.Equal(at) {
			x.Errorf("it is due at %v, want %v", got, at)
		}
	}},
	{"Reschedule to a time that has passed makes a task ready", func(x *inspection) {
		x.put("q", task.Scheduled)
		if err := x.i.Reschedule(x.Context(), "q", "scheduled", time.Now().Add(-time.Second)); err != nil {
			x.Fatal(err)
		}
		x.wantIDs("q", task.Pending, "scheduled")
	}},
	{"Reschedule refuses a time that cannot be kept", func(x *inspection) {
		x.put("q", task.Scheduled)
		for _, at := range []time.Time{{}, time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)} {
			if err := x.i.Reschedule(x.Context(), "q", "scheduled", at); !errors.Is(err, task.ErrInvalid) {
				x.Errorf("Reschedule(%v) = %v, want ErrInvalid", at, err)
			}
		}
	}},
	{"an active task that is cancelled is asked to end", func(x *inspection) {
		x.put("q", task.Active)
		for range 2 {
			if err := x.i.Cancel(x.Context(), "q", "active"); err != nil {
				x.Fatal(err)
			}
		}
		if got := x.task("q", "active"); got.State != task.Active || !got.CancelAsked {
			x.Errorf("it is %s, asked %v; want active, asked true", got.State, got.CancelAsked)
		}
	}},
	{"a completed task is requeued, and is done again", func(x *inspection) {
		x.put("q", task.Completed)
		if err := x.i.Run(x.Context(), "q", "completed"); err != nil {
			x.Fatal(err)
		}
		l := x.lease("q")
		x.change(broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Completed, At: time.Now().Add(time.Hour)}}})
		if got := x.task("q", "completed").State; got != task.Completed || x.info("q").ProcessedTotal != 2 {
			x.Errorf("it is %s and was done %d times, want completed, 2", got, x.info("q").ProcessedTotal)
		}
	}},
	{"what is run keeps its retries and forgets how it ended", func(x *inspection) {
		x.put("q", task.Retry)
		before := x.task("q", "retry").Retried
		for _, do := range []func(context.Context, string, string) error{x.i.Cancel, x.i.Run} {
			if err := do(x.Context(), "q", "retry"); err != nil {
				x.Fatal(err)
			}
		}
		if got := x.task("q", "retry"); got.Retried != before || got.End != "" || got.State != task.Pending {
			x.Errorf("it is %s, has used %d retries and has ended as %q; want pending, %d and not", got.State, got.Retried, got.End, before)
		}
	}},
	{"a task that is not there cannot be moved", func(x *inspection) {
		x.put("q", task.Pending)
		if err := x.i.Run(x.Context(), "q", "other"); !errors.Is(err, queue.ErrTaskNotFound) || errors.Is(err, queue.ErrQueueNotFound) {
			x.Errorf("Run() = %v, want ErrTaskNotFound, and not ErrQueueNotFound", err)
		}
	}},
	{"a task that is being folded cannot be moved", func(x *inspection) {
		x.put("q", task.Aggregating)
		x.freeze("q", "g")
		for _, do := range []func(context.Context, string, string) error{x.i.Run, x.i.Archive, x.i.Delete, x.i.Cancel} {
			err := do(x.Context(), "q", "aggregating")
			if refused, ok := errors.AsType[*broker.StateError](err); !ok || !refused.Frozen {
				x.Errorf("got %v, want a StateError that says it is being folded", err)
			}
		}
	}},
	{"an orphan is recovered, or dropped", func(x *inspection) {
		for name, do := range map[string]func(context.Context, string, string) error{"recover": x.i.Recover, "drop": x.i.Drop} {
			x.put(name, task.Active, task.Scheduled)
			x.wantState("with a worker", do(x.Context(), name, "active"), task.Active)
			x.wantState("of one that waits", do(x.Context(), name, "scheduled"), task.Scheduled)
			x.pass(11 * time.Second)
			if err := do(x.Context(), name, "active"); err != nil {
				x.Fatalf("without a worker: %v, want nil", err)
			}
			x.wantIDs(name, task.Active)
		}
		x.wantIDs("recover", task.Pending, "active")
		if _, err := x.i.Get(x.Context(), "drop", "active"); !errors.Is(err, queue.ErrTaskNotFound) {
			x.Errorf("after Drop: Get() = %v, want ErrTaskNotFound", err)
		}
	}},
	{"who has lost an orphan cannot settle it any more", func(x *inspection) {
		x.enqueue("a")
		l := x.lease("default")
		x.pass(11 * time.Second)
		if err := x.i.Recover(x.Context(), "default", "a"); err != nil {
			x.Fatal(err)
		}
		late := broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}}
		applied, err := x.b.Apply(x.Context(), time.Now(), []broker.Change{late}, broker.LeaseRequest{})
		if err != nil || !errors.Is(applied.Outcomes[0], broker.ErrLeaseLost) {
			x.Errorf("Apply() = %v, %v; want ErrLeaseLost", applied.Outcomes, err)
		}
		x.wantIDs("default", task.Pending, "a")
	}},
	{"a paused queue begins nothing until it is resumed", func(x *inspection) {
		for _, want := range []bool{true, false} {
			if got, err := x.i.Pause(x.Context(), "q"); err != nil || got != want {
				x.Errorf("Pause() = %v, %v; want %v", got, err, want)
			}
		}
		x.put("q", task.Pending)
		want := broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}}, Max: 1, Until: time.Now().Add(time.Minute)}
		if applied, err := x.b.Apply(x.Context(), time.Now(), nil, want); err != nil || len(applied.Leases) > 0 {
			x.Errorf("Apply() leased %v, %v; want nothing", applied.Leases, err)
		}
		if !x.info("q").Paused {
			x.Error("a paused queue is not shown as paused")
		}
		for _, want := range []bool{true, false} {
			if got, err := x.i.Resume(x.Context(), "q"); err != nil || got != want {
				x.Errorf("Resume() = %v, %v; want %v", got, err, want)
			}
		}
		x.lease("q")
	}},
}

// moveEach does it to a task in each state, and demands that those in from are in
// state to then (0: gone), and that the others are refused and stay.
func (x *inspection) moveEach(do func(ctx context.Context, queue, id string) error, to task.State, from ...task.State) {
	x.Helper()
	var missing []task.State
	for _, state := range task.States() {
		if _, err := x.i.Get(x.Context(), "q", state.String()); err != nil {
			missing = append(missing, state)
		}
	}
	x.put("q", missing...)
	for _, state := range task.States() {
		err := do(x.Context(), "q", state.String())
		got, gone := x.i.Get(x.Context(), "q", state.String())
		switch {
		case !slices.Contains(from, state):
			x.wantState("for one that is "+state.String(), err, state)
			if gone != nil || got.State != state {
				x.Errorf("the one that was %s is %v after it was refused", state, got)
			}
		case err != nil:
			x.Errorf("for one that is %s: %v, want nil", state, err)
		case state == task.Active: // what becomes of it is another promise
		case to == 0 && !errors.Is(gone, queue.ErrTaskNotFound):
			x.Errorf("the one that was %s is %v, want it gone", state, got)
		case to != 0 && (gone != nil || got.State != to):
			x.Errorf("the one that was %s is %v, %v; want it %s", state, got, gone, to)
		}
	}
	if to == task.Pending {
		x.wantIDs("q", task.Pending, "pending", "scheduled", "retry", "archived", "completed", "aggregating")
	}
}

var editPromises = []promise{
	{"a payload is replaced in every state in which a task waits, and nothing else is", func(x *inspection) {
		x.put("q", task.States()...)
		before := x.everything("q")
		for _, state := range task.States() {
			id := state.String()
			err := x.i.EditPayload(x.Context(), "q", id, []byte("new"))
			if slices.Contains([]task.State{task.Pending, task.Scheduled, task.Retry, task.Aggregating}, state) {
				if err != nil {
					x.Errorf("for one that is %s: %v, want nil", state, err)
				}
				before[id].Payload = []byte("new")
			} else {
				x.wantState("for one that is "+id, err, state)
			}
		}
		if diff := cmp.Diff(before, x.everything("q")); diff != "" {
			x.Errorf("what is stored (-want +got):\n%s", diff)
		}
	}},
	{"a task whose payload is replaced keeps its place", func(x *inspection) {
		for _, id := range []string{"a", "b", "c"} {
			x.enqueue(id)
		}
		if err := x.i.EditPayload(x.Context(), "default", "b", []byte("new")); err != nil {
			x.Fatal(err)
		}
		x.wantIDs("default", task.Pending, "a", "b", "c")
	}},
	{"a task whose payload is replaced keeps what it is unique by", func(x *inspection) {
		x.enqueue("a", task.Unique(time.Minute))
		if err := x.i.EditPayload(x.Context(), "default", "a", []byte("new")); err != nil {
			x.Fatal(err)
		}
		again := task.New("test:a", []byte("a"), task.Unique(time.Minute))
		x.pass(59 * time.Second)
		if _, err := x.client.Enqueue(x.Context(), again); !errors.Is(err, queue.ErrDuplicateTask) {
			x.Errorf("before its TTL has passed: Enqueue() = %v, want ErrDuplicateTask", err)
		}
	}},
	{"a task that is begun between look and edit is left alone", func(x *inspection) {
		x.enqueue("a")
		slow := &tapped{Broker: x.b}
		slow.apply = func(call applyCall) (broker.Applied, error) {
			slow.apply = nil
			x.lease("default")
			return call.run()
		}
		err := queue.NewInspector(slow).EditPayload(x.Context(), "default", "a", []byte("new"))
		x.wantState("EditPayload()", err, task.Active)
		if got := string(x.task("default", "a").Payload); got != "a" {
			x.Errorf("its payload is %q, want a", got)
		}
	}},
	{"an edit that meets another one is tried again", func(x *inspection) {
		x.enqueue("a")
		slow := &tapped{Broker: x.b}
		others := 3
		slow.apply = func(call applyCall) (broker.Applied, error) {
			if others--; others >= 0 {
				if err := x.i.EditPayload(x.Context(), "default", "a", fmt.Append(nil, "other ", others)); err != nil {
					x.Error(err)
				}
			}
			return call.run()
		}
		if err := queue.NewInspector(slow).EditPayload(x.Context(), "default", "a", []byte("new")); err != nil {
			x.Fatalf("EditPayload() = %v, want nil", err)
		}
		if got := string(x.task("default", "a").Payload); got != "new" || others >= 0 {
			x.Errorf("its payload is %q with %d edits to come, want new, none", got, others)
		}
	}},
}

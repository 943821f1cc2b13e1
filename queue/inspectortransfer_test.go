package queue_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var transferPromises = []promise{
	{"a task that waits is put into another queue, and is there what it was", func(x *inspection) {
		x.put("q", task.States()...)
		before, waits := x.everything("q"), []task.State{task.Pending, task.Scheduled, task.Retry, task.Aggregating}
		for _, state := range task.States() {
			err := x.i.Transfer(x.Context(), "q", state.String(), "other")
			if !slices.Contains(waits, state) {
				x.wantState("for one that is "+state.String(), err, state)
			} else if err != nil {
				x.Errorf("for one that is %s: %v, want nil", state, err)
			}
		}
		x.wantIDs("q", task.Pending)
		x.wantIDs("q", task.Active, "active")
		x.wantIDs("other", task.Pending, "pending")
		x.wantIDs("other", task.Scheduled, "retry", "scheduled")
		x.wantIDs("other", task.Aggregating, "aggregating")
		for id, got := range x.everything("other") {
			if diff := cmp.Diff(before[id], got, cmpopts.IgnoreFields(task.Info{}, "Queue", "State", "Attempts")); diff != "" {
				x.Errorf("%s (-before +after):\n%s", id, diff)
			}
		}
	}},
	{"a task that is begun, or deleted, before it is transferred is left alone", func(x *inspection) {
		for name, meanwhile := range map[string]func(){
			"begun":   func() { x.lease("q") },
			"deleted": func() { x.mustDo(x.i.Delete, "q", "pending") },
		} {
			x.put("q", task.Pending)
			err := x.meanwhile(meanwhile).Transfer(x.Context(), "q", "pending", "other")
			if name == "begun" {
				x.wantState(name, err, task.Active)
				x.pass(11 * time.Second) // it has no worker any more
				x.mustDo(x.i.Drop, "q", "pending")
			} else if !errors.Is(err, queue.ErrTaskNotFound) {
				x.Errorf("%s: %v, want ErrTaskNotFound", name, err)
			}
			if _, err := x.i.Get(x.Context(), "other", "pending"); !errors.Is(err, queue.ErrTaskNotFound) {
				x.Errorf("%s: it is in the other queue, too: %v", name, err)
			}
		}
	}},
	{"a task that is edited before it is transferred goes as it is then", func(x *inspection) {
		x.put("q", task.Pending)
		i := x.meanwhile(func() {
			if err := x.i.EditPayload(x.Context(), "q", "pending", []byte("new")); err != nil {
				x.Error(err)
			}
		})
		if err := i.Transfer(x.Context(), "q", "pending", "other"); err != nil {
			x.Fatal(err)
		}
		if got := string(x.task("other", "pending").Payload); got != "new" {
			x.Errorf("its payload is %q, want new", got)
		}
	}},
	{"a task that is put off, or run, before it is transferred is so in the other queue", func(x *inspection) {
		x.put("q", task.Scheduled, task.Retry)
		at := time.Now().Add(5 * time.Hour)
		later := x.meanwhile(func() {
			if err := x.i.Reschedule(x.Context(), "q", "scheduled", at); err != nil {
				x.Error(err)
			}
		})
		if err := later.Transfer(x.Context(), "q", "scheduled", "other"); err != nil {
			x.Fatal(err)
		}
		if got := x.task("other", "scheduled").NextProcessAt; !got.Equal(at) {
			x.Errorf("it is due at %v, want %v", got, at)
		}
		now := x.meanwhile(func() { x.mustDo(x.i.Run, "q", "retry") })
		if err := now.Transfer(x.Context(), "q", "retry", "other"); err != nil {
			x.Fatal(err)
		}
		x.wantIDs("other", task.Pending, "retry")
	}},
	{"what cannot be had in another queue is refused, and stays", func(x *inspection) {
		ref := func(id string) broker.EntryRef { return broker.EntryRef{Queue: "q", ID: id} }
		x.change(broker.Change{Enqueue: []broker.Entry{
			{EntryRef: ref("unique"), Type: "t", Claim: broker.Claim{Key: "k", TTL: time.Minute}},
			{EntryRef: ref("step"), Type: "t", Home: broker.Home{Queue: "q", ID: "run"}},
			{EntryRef: ref("followed"), Type: "t", Exit: &broker.Entry{EntryRef: ref("exit"), Type: "t"}},
			{EntryRef: ref("there"), Type: "t"},
			{EntryRef: broker.EntryRef{Queue: "other", ID: "there"}, Type: "another"},
		}})
		for id, want := range map[string]error{
			"unique": task.ErrInvalid, "step": task.ErrInvalid, "followed": task.ErrInvalid, "there": queue.ErrTaskIDConflict, "nothing": queue.ErrTaskNotFound,
		} {
			if err := x.i.Transfer(x.Context(), "q", id, "other"); !errors.Is(err, want) {
				x.Errorf("%s: %v, want %v", id, err, want)
			}
		}
		for _, to := range []string{"q", "", "a{b", "\xff"} {
			if err := x.i.Transfer(x.Context(), "q", "there", to); !errors.Is(err, task.ErrInvalid) {
				x.Errorf("to %q: %v, want ErrInvalid", to, err)
			}
		}
		x.wantIDs("q", task.Pending, "unique", "step", "followed", "there")
		if got := x.task("other", "there").Type; got != "another" {
			x.Errorf("the one that was there is of type %q now", got)
		}
	}},
}

// meanwhile returns an inspector that has f called once, before its first change is applied.
func (x *inspection) meanwhile(f func()) *queue.Inspector {
	slow := &tapped{Broker: x.b}
	slow.apply = func(call applyCall) (broker.Applied, error) {
		slow.apply = nil
		f()
		return call.run()
	}
	return queue.NewInspector(slow)
}

func (x *inspection) mustDo(do func(ctx context.Context, queue, id string) error, name, id string) {
	x.Helper()
	if err := do(x.Context(), name, id); err != nil {
		x.Fatal(err)
	}
}

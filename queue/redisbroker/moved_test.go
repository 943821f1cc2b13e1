package redisbroker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func plain(id string) broker.Entry {
	return broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t"}
}

// try applies one change and returns its outcome.
func (x *bench) try(c broker.Change) error {
	x.Helper()
	applied, err := x.b.Apply(x.Context(), x.now, []broker.Change{c}, broker.LeaseRequest{})
	if err != nil {
		x.Fatal(err)
	}
	return applied.Outcomes[0]
}

func (x *bench) move(id string, do broker.Act) error {
	x.Helper()
	return x.try(broker.Change{Move: []broker.Move{{EntryRef: plain(id).EntryRef, Do: do}}})
}

func (x *bench) entry(id string) broker.Stored {
	x.Helper()
	s, err := x.b.Entry(x.Context(), plain(id).EntryRef)
	if err != nil {
		x.Fatal(err)
	}
	return s
}

// inAsynqsHands has entries be what asynq has leased until 1900000030.
func (x *bench) inAsynqsHands(ids ...string) {
	x.Helper()
	for _, id := range ids {
		x.must(
			x.c.LRem(x.Context(), x.queue("pending"), 0, id),
			x.c.HSet(x.Context(), x.queue("t:"+id), "state", "active"),
			x.c.HDel(x.Context(), x.queue("t:"+id), "pending_since"),
			x.c.LPush(x.Context(), x.queue("active"), id),
			x.c.ZAdd(x.Context(), x.queue("lease"), redis.Z{Member: id, Score: 1900000030}),
		)
	}
}

// forwardedByAsynq has entries be what asynq has put aside and made ready again.
func (x *bench) forwardedByAsynq(ids ...string) {
	x.Helper()
	for _, id := range ids {
		x.must(
			x.c.LRem(x.Context(), x.queue("active"), 0, id),
			x.c.ZRem(x.Context(), x.queue("lease"), id),
			x.c.HSet(x.Context(), x.queue("t:"+id), "state", "pending", "pending_since", pendSoon),
			x.c.LPush(x.Context(), x.queue("pending"), id),
		)
	}
}

// TestACancelIsTakenUpWhereAsynqHasMovedTheTask asks for an entry to be cancelled
// that asynq runs, and has asynq retry it: it never runs again.
func TestACancelIsTakenUpWhereAsynqHasMovedTheTask(t *testing.T) {
	x := newBench(t)
	exit := plain("told")
	a := plain("a")
	a.Exit = &exit
	x.apply(broker.Change{Enqueue: []broker.Entry{a}})
	x.inAsynqsHands("a")
	heard := x.c.Subscribe(t.Context(), "asynq:cancel")
	defer heard.Close()
	if _, err := heard.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := x.move("a", broker.Cancel); err != nil {
		t.Fatal(err)
	}
	if m, err := heard.ReceiveMessage(t.Context()); err != nil || m.Payload != "a" {
		t.Errorf("asynq is told %v, %v, want a", m, err)
	}
	if s := x.entry("a"); !s.CancelAsked {
		t.Errorf("a is %+v, want it asked for", s)
	}
	x.forwardedByAsynq("a")
	if applied := x.lease(1); len(applied.Leases) != 0 {
		t.Errorf("leased %+v, want nothing: the exit comes next", applied)
	}
	if s := x.entry("a"); s.State != task.Archived || s.End != broker.Cancelled {
		t.Errorf("a is %s with the end %q, want it archived as cancelled", s.State, s.End)
	}
	x.next("told")
	x.sound("it")
}

// TestACancelIsTakenUpAtTheEndOfARetryOfAsynqs is the same where we forward.
func TestACancelIsTakenUpAtTheEndOfARetryOfAsynqs(t *testing.T) {
	x := newBench(t)
	x.put("a", "retry", "leat_cancel", "1")
	x.must(x.c.ZAdd(t.Context(), x.queue("retry"), redis.Z{Member: "a", Score: 1900000000}))
	if got := x.advance(); got.Cancelled != 1 || got.Due != 0 {
		t.Errorf("Advance() = %+v, want one cancelled", got)
	}
	if s := x.entry("a"); s.State != task.Archived || s.End != broker.Cancelled {
		t.Errorf("a is %s with the end %q, want it archived as cancelled", s.State, s.End)
	}
	x.sound("it")
}

// TestAsynqsTasksAreMovedFromEveryState moves entries that asynq has stored.
func TestAsynqsTasksAreMovedFromEveryState(t *testing.T) {
	for _, state := range []string{"scheduled", "retry", "archived", "completed", "aggregating"} {
		x := newBench(t)
		x.put("a", state)
		key := x.queue(state)
		if state == "aggregating" {
			key = x.queue("g:g")
			x.must(x.c.HSet(t.Context(), x.queue("t:a"), "group", "g"), x.c.SAdd(t.Context(), x.queue("groups"), "g"))
		}
		x.must(x.c.ZAdd(t.Context(), key, redis.Z{Member: "a", Score: 1900000100}))
		if err := x.move("a", broker.Run); err != nil {
			t.Errorf("run from %s = %v", state, err)
		}
		x.sound("a run from " + state)
		if err := x.move("a", broker.Archive); err != nil {
			t.Errorf("archive = %v", err)
		}
		if err := x.move("a", broker.Delete); err != nil {
			t.Errorf("delete = %v", err)
		}
		if diff := cmp.Diff(map[string]any{"asynq:queues": []string{"q"}}, x.stored()); diff != "" {
			t.Errorf("from %s, there is left (-want +got):\n%s", state, diff)
		}
	}
}

// TestAnEntryOfAsynqsInABatchIsFrozen tries to move a member of a batch that asynq
// folds.
func TestAnEntryOfAsynqsInABatchIsFrozen(t *testing.T) {
	x := newBench(t)
	x.put("a", "aggregating", "group", "g")
	x.must(
		x.c.ZAdd(t.Context(), x.queue("g:g:asynqs"), redis.Z{Member: "a", Score: 1900000000}),
		x.c.ZAdd(t.Context(), x.queue("aggregation_sets"), redis.Z{Member: x.queue("g:g:asynqs"), Score: 1900000120}),
	)
	fault, ok := errors.AsType[*broker.StateError](x.move("a", broker.Delete))
	if !ok || !fault.Frozen {
		t.Errorf("delete = %v, want an error that says it is frozen", fault)
	}
}

// TestAClaimThatAsynqDoesNotNameBesideIsFreed deletes a task that asynq has put
// into a group, with its claim in the message alone.
func TestAClaimThatAsynqDoesNotNameBesideIsFreed(t *testing.T) {
	for _, key := range []string{"k", strings.Repeat("k", 200)} {
		x := newBench(t)
		e := grouped("a")
		e.Payload, e.Claim = []byte("asynq:{q}:unique:other"), broker.Claim{Key: key, TTL: time.Hour}
		x.apply(broker.Change{Enqueue: []broker.Entry{e}})
		x.must(x.c.HDel(t.Context(), x.queue("t:a"), "unique_key"))
		if err := x.move("a", broker.Delete); err != nil {
			t.Fatal(err)
		}
		left := x.stored()
		delete(left, x.queue("leat:joined")) // which counts on
		if diff := cmp.Diff(map[string]any{"asynq:queues": []string{"q"}}, left); diff != "" {
			t.Errorf("there is left (-want +got):\n%s", diff)
		}
	}
}

// TestAClaimWithoutTTLDoesNotOutliveWhatAsynqDoes has asynq end, or start, the
// holder of a claim that it does not know.
func TestAClaimWithoutTTLDoesNotOutliveWhatAsynqDoes(t *testing.T) {
	claim := broker.Claim{Key: "k"}
	for _, c := range []struct {
		name string
		by   broker.Claim
		do   func(*bench)
		free bool
	}{
		{"nothing", claim, func(*bench) {}, false},
		{"it runs it", claim, func(x *bench) { x.inAsynqsHands("a") }, false},
		{"it starts it", broker.Claim{Key: "k", UntilStart: true}, func(x *bench) { x.inAsynqsHands("a") }, true},
		{"it archives it", claim, func(x *bench) {
			x.must(
				x.c.LRem(x.Context(), x.queue("pending"), 0, "a"),
				x.c.ZAdd(x.Context(), x.queue("archived"), redis.Z{Member: "a", Score: 1900000000}),
				x.c.HSet(x.Context(), x.queue("t:a"), "state", "archived"),
			)
		}, true},
		{"it deletes it and leaves the claim", claim, func(x *bench) {
			x.must(x.c.LRem(x.Context(), x.queue("pending"), 0, "a"), x.c.Del(x.Context(), x.queue("t:a")))
		}, true},
	} {
		x := newBench(t)
		a, b := plain("a"), plain("b")
		a.Claim, b.Claim = c.by, claim
		x.apply(broker.Change{Enqueue: []broker.Entry{a}})
		c.do(x)
		err := x.try(broker.Change{Enqueue: []broker.Entry{b}})
		if free := err == nil; free != c.free {
			t.Errorf("after %s: the second is enqueued = %v, want it free: %v", c.name, err, c.free)
		}
	}
}

// TestWhatWaitsBehindAClaimIsHeldBackAfterAsynqsForwarding has asynq make an entry
// ready that waits behind a claim.
func TestWhatWaitsBehindAClaimIsHeldBackAfterAsynqsForwarding(t *testing.T) {
	x := newBench(t)
	a, b := plain("a"), plain("b")
	a.Claim, b.Claim = broker.Claim{Key: "k"}, broker.Claim{Key: "k", Behind: true}
	x.apply(broker.Change{Enqueue: []broker.Entry{a}})
	l := x.next("a")
	x.apply(broker.Change{Enqueue: []broker.Entry{b}})
	x.now = x.now.Add(16 * time.Second)
	x.must(x.c.ZRem(t.Context(), x.queue("scheduled"), "b"))
	x.forwardedByAsynq("b")
	if applied := x.lease(1); len(applied.Leases) != 0 {
		t.Errorf("leased %+v, want nothing", applied)
	}
	if s := x.entry("b"); s.State != task.Scheduled || !s.Claim.Behind {
		t.Errorf("b is %+v, want it behind the claim again", s)
	}
	x.sound("it was held back")
	x.settle(l, broker.Done, time.Time{}, false)
	x.next("b")
	x.sound("it")
}

// TestAParkedEntryKeepsItsClaim archives an entry unread, which is no end.
func TestAParkedEntryKeepsItsClaim(t *testing.T) {
	x := newBench(t)
	a, b := plain("a"), plain("b")
	a.Claim, b.Claim = broker.Claim{Key: "k"}, broker.Claim{Key: "k"}
	x.apply(broker.Change{Enqueue: []broker.Entry{a}})
	x.must(x.c.HSet(t.Context(), x.queue("t:a"), "msg", "\xff"))
	if applied := x.lease(1); len(applied.Parked) != 1 {
		t.Fatalf("leased %+v, want a parked", applied)
	}
	if err := x.try(broker.Change{Enqueue: []broker.Entry{b}}); !errors.Is(err, broker.ErrClaimed) {
		t.Errorf("the second is enqueued = %v, want %v", err, broker.ErrClaimed)
	}
	x.sound("parking")
	if err := x.move("a", broker.Delete); err != nil {
		t.Fatal(err)
	}
	x.apply(broker.Change{Enqueue: []broker.Entry{b}})
}

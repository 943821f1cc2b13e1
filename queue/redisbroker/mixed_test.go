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

// Beside asynq: what its scripts leave behind, done by hand.

func (x *bench) queue(key string) string { return "asynq:{q}:" + key }

// attended has it be as if Advance had been called all the time.
func (x *bench) attended() {
	x.Helper()
	x.must(x.c.Del(x.Context(), x.queue("leat:advanced")))
}

// takeover does what asynq's recovery, forwarding and next dequeue do to an
// entry that is leased by us.
func (x *bench) takeover(id string, until int64) {
	x.Helper()
	ctx := x.Context()
	x.must(
		x.c.ZAdd(ctx, x.queue("lease"), redis.Z{Member: id, Score: float64(until)}),
		x.c.HSet(ctx, x.queue("t:"+id), "state", "active"),
	)
}

func TestALeaseThatAsynqHasTakenOverIsLost(t *testing.T) {
	x := newBench(t)
	x.put("a", "pending")
	x.must(x.c.LPush(x.Context(), x.queue("pending"), "a"))
	l := x.next("a")
	x.takeover("a", 1900000075)

	applied, err := x.b.Apply(x.Context(), x.now, []broker.Change{{
		Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}},
	}}, broker.LeaseRequest{})
	if err != nil || !errors.Is(applied.Outcomes[0], broker.ErrLeaseLost) {
		t.Errorf("settle = %v, %v, want %v", applied.Outcomes, err, broker.ErrLeaseLost)
	}
	held, err := x.b.Extend(x.Context(), x.now, x.now.Add(time.Minute), l.Ref())
	if err != nil || held[0] != broker.Lost {
		t.Errorf("extend = %v, %v, want lost", held, err)
	}
}

func TestALeaseOfAsynqsIsRecoveredAfterItsGrace(t *testing.T) {
	x := newBench(t)
	for _, id := range []string{"a", "b"} {
		x.put(id, "active")
		x.must(
			x.c.LPush(x.Context(), x.queue("active"), id),
			x.c.ZAdd(x.Context(), x.queue("lease"), redis.Z{Member: id, Score: 1900000010}),
		)
	}
	for _, step := range []struct {
		second    int64
		recovered int
		next      int64
	}{
		{1900000009, 0, 1900000010},
		{1900000010, 0, 1900000040},
		{1900000039, 0, 1900000040},
		{1900000040, 2, 0},
	} {
		x.now = time.Unix(step.second, 999)
		x.attended()
		got := x.advance()
		want := broker.Advanced{Recovered: step.recovered}
		if step.next != 0 {
			want.Next = time.Unix(step.next, 0)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at %d (-want +got):\n%s", step.second, diff)
		}
	}
	if diff := cmp.Diff([]string{"b", "a"}, x.c.LRange(x.Context(), x.queue("pending"), 0, -1).Val()); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
}

func TestOurLeasesAreFoundBehindAsynqs(t *testing.T) {
	x := newBench(t)
	x.put("ours", "pending")
	x.must(x.c.LPush(x.Context(), x.queue("pending"), "ours"))
	x.next("ours") // until 1900000030
	for _, id := range []string{"a", "b", "c"} {
		x.put(id, "active")
		x.must(
			x.c.LPush(x.Context(), x.queue("active"), id),
			x.c.ZAdd(x.Context(), x.queue("lease"), redis.Z{Member: id, Score: 1900000020}),
		)
	}
	x.now = time.Unix(1900000031, 0)
	x.attended()
	advanced, err := x.b.Advance(t.Context(), x.now, broker.AdvanceRequest{Queues: []string{"q"}, Limit: 1})
	if err != nil || advanced.Recovered != 1 || x.state("ours") != task.Pending {
		t.Errorf("Advance() = %+v, %v, and ours is %s; want it recovered", advanced, err, x.state("ours"))
	}
}

func TestAPausedQueueGivesNoLeases(t *testing.T) {
	x := newBench(t)
	x.put("a", "pending")
	x.must(
		x.c.LPush(t.Context(), x.queue("pending"), "a"),
		x.c.Set(t.Context(), x.queue("paused"), "1900000000", 0),
	)
	if applied := x.lease(5); len(applied.Leases) != 0 {
		t.Errorf("leased %v from a paused queue", applied.Leases)
	}
	x.must(x.c.Del(t.Context(), x.queue("paused")))
	x.next("a")
}

func TestAnEntryThatCannotBeReadIsArchivedUnread(t *testing.T) {
	x := newBench(t)
	x.put("good", "pending")
	for _, id := range []string{"garbage", "other"} {
		x.put(id, "pending")
	}
	x.must(
		x.c.HSet(t.Context(), x.queue("t:garbage"), "msg", "\xff\xff"),
		x.c.HSet(t.Context(), x.queue("t:other"), "msg", x.c.HGet(t.Context(), x.queue("t:good"), "msg").Val()),
		x.c.LPush(t.Context(), x.queue("pending"), "garbage", "lost", "other", "good"),
	)

	applied := x.lease(2)
	if len(applied.Leases) != 1 || applied.Leases[0].Entry.ID != "good" {
		t.Errorf("leased %+v, want good alone", applied.Leases)
	}
	parked := make(map[string]error)
	for _, p := range applied.Parked {
		parked[p.ID] = p.Err
	}
	if len(parked) != 3 || !errors.Is(parked["lost"], broker.ErrNotFound) {
		t.Errorf("parked %v, want garbage, other and lost, which is not found", parked)
	}
	for _, id := range []string{"garbage", "other"} {
		got := x.c.HGetAll(t.Context(), x.queue("t:"+id)).Val()
		delete(got, "msg")
		want := map[string]string{"state": "archived", "leat_end": "undecodable", "leat_until": "1900000001"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	counts, err := x.b.Counts(t.Context(), x.now, "q")
	if err != nil || counts[0].Archived != 2 || counts[0].Active != 1 || counts[0].ProcessedTotal != 0 {
		t.Errorf("counts = %+v, %v, want 2 archived, 1 active, none processed", counts, err)
	}
	list, err := x.b.List(t.Context(), broker.ListRequest{Queue: "q", State: task.Archived, Limit: 10})
	if err != nil || len(list) != 2 || list[0].ID != "garbage" || !strings.Contains(list[0].LastErr, "decode") {
		t.Errorf("list = %+v, %v, want both, with the reason", list, err)
	}
}

func TestAnExactTimeThatAsynqLeftBehindDoesNotCount(t *testing.T) {
	x := newBench(t)
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t", DueAt: x.now.Add(time.Second)}
	x.apply(broker.Change{Enqueue: []broker.Entry{e}})
	x.must( // asynq runs it, it fails, and waits for a minute
		x.c.ZRem(t.Context(), x.queue("scheduled"), "a"),
		x.c.ZAdd(t.Context(), x.queue("retry"), redis.Z{Member: "a", Score: 1900000060}),
		x.c.HSet(t.Context(), x.queue("t:a"), "state", "retry"),
	)
	x.now = x.now.Add(10 * time.Second)
	got := x.advance()
	if want := (broker.Advanced{Next: time.Unix(1900000060, 0)}); !cmp.Equal(got, want) {
		t.Errorf("Advance() = %+v, want %+v", got, want)
	}
	if n := x.c.ZCard(t.Context(), x.queue("leat:due")).Val(); n != 0 {
		t.Errorf("%d exact times are left, want 0", n)
	}
	x.now = time.Unix(1900000060, 0)
	if got := x.advance(); got.Due != 1 {
		t.Errorf("Advance() = %+v, want 1 due", got)
	}
}

// TestDamageIsOneChangesOutcome sets keys of the wrong type: what needs them is
// refused, whole, and its neighbours take effect.
func TestDamageIsOneChangesOutcome(t *testing.T) {
	for _, key := range []string{"t:a", "pending", "unique:k", "active", "lease"} {
		t.Run(key, func(t *testing.T) {
			x := newBench(t)
			e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "held"}, Type: "t"}
			x.apply(broker.Change{Enqueue: []broker.Entry{e}})
			l := x.next("held")
			x.must(x.c.Del(t.Context(), x.queue(key)), x.c.SAdd(t.Context(), x.queue(key), "not this"))
			before := x.stored()

			e.ID, e.Claim = "a", broker.Claim{Key: "k", TTL: time.Minute}
			neighbour := broker.Entry{EntryRef: broker.EntryRef{Queue: "other", ID: "b"}, Type: "t"}
			home := broker.Home{Queue: "other", ID: "run"}
			applied, err := x.b.Apply(t.Context(), x.now, []broker.Change{
				{
					Settle:  []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}},
					Home:    home,
					Put:     []broker.Put{{Key: "d"}},
					Enqueue: []broker.Entry{e},
				},
				{Enqueue: []broker.Entry{neighbour}},
			}, broker.LeaseRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if applied.Outcomes[0] == nil || applied.Outcomes[1] != nil {
				t.Errorf("outcomes = %v, want an error and nil", applied.Outcomes)
			}
			after := x.stored()
			for _, written := range []string{"asynq:{other}:pending", "asynq:{other}:t:b", "asynq:queues"} {
				delete(after, written)
				delete(before, written)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("the refused change left (-before +after):\n%s", diff)
			}
		})
	}
}

func TestADamagedQueueIsAnErrorOnlyIfNothingElseWasAsked(t *testing.T) {
	x := newBench(t)
	x.must(x.c.SAdd(t.Context(), x.queue("pending"), "not this"))
	_, err := x.b.Apply(t.Context(), x.now, nil, broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}}, Max: 1, Until: x.now})
	if err == nil || !strings.Contains(err.Error(), "queue q is damaged") {
		t.Errorf("Apply() = %v, want an error that names the queue", err)
	}
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "other", ID: "b"}, Type: "t"}
	applied, err := x.b.Apply(t.Context(), x.now, []broker.Change{{Enqueue: []broker.Entry{e}}},
		broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}, {Queue: "other"}}, Max: 1, Until: x.now})
	if err != nil || len(applied.Leases) != 1 {
		t.Errorf("Apply() = %+v, %v, want the lease from the other queue", applied, err)
	}
}

func TestADamagedQueueDoesNotKeepOthersFromAdvancing(t *testing.T) {
	for _, key := range []string{"pending", "active", "lease", "scheduled", "retry", "completed", "leat:due", "leat:closing"} {
		x := newBench(t)
		for _, queue := range []string{"q", "other"} {
			e := broker.Entry{EntryRef: broker.EntryRef{Queue: queue, ID: "a"}, Type: "t", DueAt: x.now.Add(time.Second)}
			x.apply(broker.Change{Enqueue: []broker.Entry{e}})
		}
		x.must(x.c.Del(t.Context(), x.queue(key)), x.c.SAdd(t.Context(), x.queue(key), "not this"))
		now := x.now.Add(time.Minute)
		advanced, err := x.b.Advance(t.Context(), now, broker.AdvanceRequest{Queues: []string{"q", "other"}, Limit: 10})
		if err != nil || advanced.Due < 1 {
			t.Errorf("with %s damaged: Advance() = %+v, %v, want the other's entry due", key, advanced, err)
		}
		stored, err := x.b.Entry(t.Context(), broker.EntryRef{Queue: "other", ID: "a"})
		if err != nil || stored.State != task.Pending {
			t.Errorf("with %s damaged: the other's entry is %+v, %v, want it pending", key, stored.State, err)
		}
		_, err = x.b.Advance(t.Context(), now, broker.AdvanceRequest{Queues: []string{"q"}, Limit: 10})
		if err == nil || !strings.Contains(err.Error(), "queue q is damaged") {
			t.Errorf("with %s damaged: Advance(q) = %v, want an error that names it", key, err)
		}
	}
}

func TestAFullServerLetsTasksFinish(t *testing.T) {
	x := newBench(t)
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t", DueAt: x.now.Add(time.Second)}
	x.apply(broker.Change{Enqueue: []broker.Entry{e}})
	x.must(x.c.ConfigSet(t.Context(), "maxmemory", "1"))

	e.ID = "b"
	_, err := x.b.Apply(t.Context(), x.now, []broker.Change{{Enqueue: []broker.Entry{e}}}, broker.LeaseRequest{})
	if !errors.Is(err, broker.ErrRefused) {
		t.Errorf("enqueue = %v, want %v", err, broker.ErrRefused)
	}
	x.now = x.now.Add(time.Minute)
	x.advance()
	l := x.next("a")
	x.settle(l, broker.Done, time.Time{}, false)
	if counts, err := x.b.Counts(t.Context(), x.now, "q"); err != nil || counts[0].Size() != 0 || counts[0].ProcessedTotal != 1 {
		t.Errorf("counts = %+v, %v, want one processed and none left", counts, err)
	}
}

func TestAFullCounterBeginsAnew(t *testing.T) {
	x := newBench(t)
	x.apply(broker.Change{Enqueue: []broker.Entry{{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t"}}})
	x.must(x.c.Set(t.Context(), x.queue("processed"), "9223372036854775807", 0))
	x.settle(x.next("a"), broker.Done, time.Time{}, false)
	if got := x.c.Get(t.Context(), x.queue("processed")).Val(); got != "1" {
		t.Errorf("processed = %s, want 1", got)
	}
}

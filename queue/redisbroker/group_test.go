package redisbroker_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// gather leases all of group g as the batch token for a minute, which must be ids.
func (x *bench) gather(token string, ids ...string) broker.Batch {
	x.Helper()
	batch, err := x.b.Gather(x.Context(), x.now, broker.GatherRequest{
		Queue: "q", Group: "g", Token: token, MaxSize: 100, Until: x.now.Truncate(time.Second).Add(time.Minute),
	})
	if err != nil {
		x.Fatal(err)
	}
	var got []string
	for _, l := range batch.Members {
		got = append(got, l.Entry.ID)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		x.Fatalf("gathered (-want +got):\n%s", diff)
	}
	return batch
}

func (x *bench) sound(step string) {
	x.Helper()
	faults, err := x.b.Verify(x.Context(), x.now)
	if err != nil || len(faults) > 0 {
		x.Errorf("after %s: Verify() says %q, %v, want nothing", step, faults, err)
	}
}

func grouped(id string) broker.Entry {
	return broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t", Group: "g"}
}

// TestStorageIsAsynqsThroughTheLifeOfAGroup walks two entries through a group and a
// batch, and compares all of Redis with what asynq leaves there.
func TestStorageIsAsynqsThroughTheLifeOfAGroup(t *testing.T) {
	x := newBench(t)
	x.apply(broker.Change{Enqueue: []broker.Entry{grouped("a"), grouped("b")}})
	msg := func(id string) string { return "0a0174" + "1a01" + id + "220171" + "720167" } // group_key g
	entry := func(id string, more ...string) map[string]string {
		fields := map[string]string{"msg": msg(id), "state": "aggregating", "group": "g", "leat_joined": "1900000000500"}
		for i := 0; i+1 < len(more); i += 2 {
			fields[more[i]] = more[i+1]
		}
		return fields
	}
	want := map[string]any{
		"asynq:queues":     []string{"q"},
		"asynq:{q}:groups": []string{"g"},
		"asynq:{q}:g:g":    map[string]string{"a": "1900000001", "b": "1900000001"}, // asynq drops the fraction
		"asynq:{q}:t:a":    entry("61"),
		"asynq:{q}:t:b":    entry("62"),
	}
	joins := "asynq:{q}:leat:joined"
	want[joins] = map[string]string{"": "1900000000500001", "g": "1900000000500001"}
	x.holds("enqueue", want)

	batch := x.gather("set", "a", "b")
	want[joins] = map[string]string{"": "1900000000500001"}
	delete(want, "asynq:{q}:groups")
	delete(want, "asynq:{q}:g:g")
	want["asynq:{q}:g:g:set"] = map[string]string{"a": "1900000001", "b": "1900000001"}
	want["asynq:{q}:aggregation_sets"] = map[string]string{"asynq:{q}:g:g:set": "1900000090"}
	want["asynq:{q}:leat:batches"] = map[string]string{"set g": "1900000060"}
	want["asynq:{q}:leat:advanced"] = "1900000000500000000"
	want["asynq:{q}:t:a"] = entry("61", "leat_token", "set", "leat_began", "1900000000500")
	want["asynq:{q}:t:b"] = entry("62", "leat_token", "set", "leat_began", "1900000000500")
	x.holds("gather", want)

	release := broker.Settlement{Token: "set", Entry: batch.Members[0].Entry, To: broker.Released}
	done := broker.Settlement{Token: "set", Entry: batch.Members[1].Entry, To: broker.Done}
	x.apply(broker.Change{Settle: []broker.Settlement{release}})
	want["asynq:{q}:groups"] = []string{"g"}
	want["asynq:{q}:g:g"] = map[string]string{"a": "1900000001"}
	want["asynq:{q}:g:g:set"] = map[string]string{"b": "1900000001"}
	want["asynq:{q}:t:a"] = entry("61")
	want[joins] = map[string]string{"": "1900000000500002", "g": "1900000000500002"}
	x.holds("release of one", want)

	x.apply(broker.Change{Settle: []broker.Settlement{done}})
	for _, gone := range []string{"g:g:set", "aggregation_sets", "leat:batches", "t:b"} {
		delete(want, x.queue(gone))
	}
	want[dayKey], want["asynq:{q}:processed"] = "1", "1"
	x.holds("settlement of the other", want)

	x.apply(broker.Change{Move: []broker.Move{{EntryRef: grouped("a").EntryRef, Do: broker.Run}}})
	delete(want, "asynq:{q}:groups")
	delete(want, "asynq:{q}:g:g")
	want[joins] = map[string]string{"": "1900000000500002"}
	want["asynq:{q}:pending"] = []string{"a"}
	want["asynq:{q}:t:a"] = map[string]string{"msg": msg("61"), "state": "pending", "pending_since": pendSoon}
	x.holds("a run", want)
}

// TestAGroupThatAsynqFillsFromTheScheduleIsNamed has asynq forward an entry that
// is scheduled into a group, which leaves the group without a name.
func TestAGroupThatAsynqFillsFromTheScheduleIsNamed(t *testing.T) {
	x := newBench(t)
	first, later := grouped("first"), grouped("later")
	later.DueAt = x.now.Add(10 * time.Second)
	x.apply(broker.Change{Enqueue: []broker.Entry{first, later}})
	x.gather("one", "first") // drops the name
	x.now = x.now.Add(11 * time.Second)
	x.must(
		x.c.ZRem(t.Context(), x.queue("scheduled"), "later"),
		x.c.ZAdd(t.Context(), x.queue("g:g"), redis.Z{Member: "later", Score: 1900000011}),
		x.c.HSet(t.Context(), x.queue("t:later"), "state", "aggregating"),
	)
	x.advance()
	if got := x.c.SMembers(t.Context(), x.queue("groups")).Val(); !cmp.Equal(got, []string{"g"}) {
		t.Errorf("groups = %v, want g", got)
	}
	if names, _ := x.joined(""); !slices.Equal(names, []string{"g"}) {
		t.Errorf("told to have been joined are %v, want g", names)
	}
	x.sound("it")
	x.gather("two", "later")
}

// TestABatchOfAsynqsGoesBackNamed reclaims a batch that asynq has left, at its own
// time.
func TestABatchOfAsynqsGoesBackNamed(t *testing.T) {
	x := newBench(t)
	x.put("a", "aggregating", "group", "g")
	x.must(
		x.c.ZAdd(t.Context(), x.queue("g:g:asynqs"), redis.Z{Member: "a", Score: 1899999900}),
		x.c.ZAdd(t.Context(), x.queue("aggregation_sets"), redis.Z{Member: x.queue("g:g:asynqs"), Score: 1900000020}),
	)
	if got, want := x.advance(), (broker.Advanced{Next: time.Unix(1900000020, 0)}); !cmp.Equal(got, want) {
		t.Errorf("Advance() = %+v, want %+v", got, want)
	}
	x.now = time.Unix(1900000020, 0)
	if got := x.advance(); got.Returned != 1 {
		t.Errorf("Advance() = %+v, want one returned", got)
	}
	x.sound("it")
	x.gather("ours", "a")
}

// TestABatchThatAsynqHasReclaimedIsLost has asynq take back a batch of ours, as it
// does when its servers alone are left.
func TestABatchThatAsynqHasReclaimedIsLost(t *testing.T) {
	x := newBench(t)
	x.apply(broker.Change{Enqueue: []broker.Entry{grouped("a")}})
	batch := x.gather("set", "a")
	x.must(
		x.c.Del(t.Context(), x.queue("g:g:set"), x.queue("aggregation_sets")),
		x.c.ZAdd(t.Context(), x.queue("g:g"), redis.Z{Member: "a", Score: 1900000001}),
	)
	ref := batch.Members[0].Ref()
	if held, err := x.b.Extend(t.Context(), x.now, x.now.Add(time.Hour), ref); err != nil || held[0] != broker.Lost {
		t.Errorf("Extend() = %v, %v, want it lost", held, err)
	}
	x.now = time.Unix(1900000060, 0)
	x.attended()
	x.advance()
	x.sound("it")
	if state := x.state("a"); state != task.Aggregating {
		t.Errorf("a is %s, want it in its group", state)
	}
	x.gather("again", "a")
}

// TestTheTokenOfABatchMayHoldColons uses one, at which asynq would part the name of
// the group.
func TestTheTokenOfABatchMayHoldColons(t *testing.T) {
	x := newBench(t)
	x.apply(broker.Change{Enqueue: []broker.Entry{grouped("a")}})
	batch := x.gather("srv:1:2", "a")
	if keys := x.c.Exists(t.Context(), x.queue("g:g:srv|1|2")).Val(); keys != 1 {
		t.Errorf("the batch is not where asynq takes it to be of group g")
	}
	groups, err := x.b.Groups(t.Context(), "q")
	if err != nil || len(groups) != 1 || groups[0].Name != "g" || groups[0].Frozen != 1 {
		t.Errorf("Groups() = %+v, %v, want g with one frozen", groups, err)
	}
	x.apply(broker.Change{Settle: []broker.Settlement{{Token: "srv:1:2", Entry: batch.Members[0].Entry, To: broker.Done}}})
	x.sound("it")
}

func TestAMemberThatCannotBeReadIsParked(t *testing.T) {
	x := newBench(t)
	x.apply(broker.Change{Enqueue: []broker.Entry{grouped("a"), grouped("b")}})
	x.must(x.c.HSet(t.Context(), x.queue("t:a"), "msg", "\xff"))
	batch := x.gather("set", "b")
	if len(batch.Parked) != 1 || batch.Parked[0].ID != "a" || x.state("a") != task.Archived {
		t.Errorf("parked %v, and a is %s; want it parked and archived", batch.Parked, x.state("a"))
	}
	x.sound("it")
}

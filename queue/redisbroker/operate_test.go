package redisbroker_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
)

// TestMemoryThatRedisDoesNotTellIsAnError takes MEMORY away from a user.
func TestMemoryThatRedisDoesNotTellIsAnError(t *testing.T) {
	x := newBench(t)
	for _, id := range []string{"a", "b", "c"} {
		x.apply(broker.Change{Enqueue: []broker.Entry{plain(id), grouped("g" + id)}})
	}
	x.next("a")
	n, err := x.b.Memory(t.Context(), "q")
	if err != nil || n < 6*50 || n > 6*500 {
		t.Errorf("Memory() = %d, %v, want some hundred bytes for each of six entries", n, err)
	}
	b := x.openAs("blind", "-memory")
	if n, err := b.Memory(t.Context(), "q"); err == nil || !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Memory() = %d, %v, want %v", n, err, broker.ErrRefused)
	}
	if c, err := b.Counts(t.Context(), x.now, "q"); err != nil || c[0].Size() != 6 {
		t.Errorf("Counts() = %+v, %v, want six", c, err)
	}
}

func TestStorageOfAnotherVersionIsRefused(t *testing.T) {
	x := newBench(t)
	if got := x.c.Get(t.Context(), "asynq:leat:version").Val(); got != "1" {
		t.Errorf("version %q was written, want 1", got)
	}
	x.must(x.c.Set(t.Context(), "asynq:leat:version", "2", 0))
	_, err := redisbroker.Open(x.server.SocketURL(), &redisbroker.Options{Logger: discard})
	fault, ok := errors.AsType[*redisbroker.OpenError](err)
	if !ok || !strings.Contains(fault.Reason, `version "2"`) || !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Open() = %v, want an error that names the version", err)
	}
}

// TestARemovedQueueLeavesNoKey fills a queue with all that lies beside entries, and
// with what asynq leaves behind of those that it has deleted.
func TestARemovedQueueLeavesNoKey(t *testing.T) {
	x := newBench(t)
	home := broker.Home{Queue: "q", ID: "run"}
	elsewhere := ofHome("run~step", home)
	elsewhere.Queue = "q2"
	x.apply(broker.Change{
		Home: home, Put: []broker.Put{{Key: "doc"}}, Enqueue: []broker.Entry{plain("a")},
		Open: []broker.Latch{{ID: "map", Total: 3}},
	})
	if err := x.b.Remove(t.Context(), x.now, "q", true); !errors.Is(err, broker.ErrNotEmpty) {
		t.Errorf("Remove() with an entry = %v, want %v", err, broker.ErrNotEmpty)
	}
	x.settle(x.next("a"), broker.Done, time.Time{}, false)
	if _, err := x.b.Pause(t.Context(), x.now, "q", true); err != nil {
		t.Fatal(err)
	}
	x.apply(broker.Change{
		Home: home, Drain: []broker.Entry{ofHome("drain", home)}, Enqueue: []broker.Entry{elsewhere},
		List: &broker.Listing{At: x.now, Terms: []string{"term of words"}},
	})
	x.must(
		x.c.HSet(t.Context(), x.queue("leat:open:run"), "q leaked", ""),
		x.c.HSet(t.Context(), x.queue("t:leaked"), "msg", "x", "state", "archived"),
		x.c.Set(t.Context(), x.queue("unique:leaked"), "leaked", 0),
		x.c.SAdd(t.Context(), x.queue("groups"), "empty"),
		x.c.Set(t.Context(), "asynq:{q2}:processed", 1, 0), // another queue's
	)
	if err := x.b.Remove(t.Context(), x.now, "q", false); !errors.Is(err, broker.ErrNotEmpty) {
		t.Errorf("Remove() with a run beside it = %v, want %v", err, broker.ErrNotEmpty)
	}
	if err := x.b.Remove(t.Context(), x.now, "q", true); err != nil {
		t.Fatal(err)
	}
	open := map[string]string{"q2|~step": ""} // until that ends
	if diff := cmp.Diff(open, x.stored()["asynq:{q}:leat:open:run"]); diff != "" {
		t.Errorf("there is open of the run (-want +got):\n%s", diff)
	}
	x.apply(broker.Change{Move: []broker.Move{{EntryRef: elsewhere.EntryRef, Do: broker.Delete}}})
	left := map[string]any{"asynq:queues": []string{"q2"}, "asynq:{q2}:processed": "1"}
	if diff := cmp.Diff(left, x.stored()); diff != "" {
		t.Errorf("there is left (-want +got):\n%s", diff)
	}
	if err := x.b.Remove(t.Context(), x.now, "q", true); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("Remove() again = %v, want %v", err, broker.ErrNotFound)
	}
}

// TestASweepLooksPastWhatLeadsNowhere finds one entry behind many ids without any.
func TestASweepLooksPastWhatLeadsNowhere(t *testing.T) {
	x := newBench(t)
	for i := range 1200 {
		x.must(x.c.ZAdd(t.Context(), x.queue("archived"), redis.Z{Member: "gone" + strings.Repeat("x", i), Score: 1}))
	}
	x.put("a", "archived")
	x.must(x.c.ZAdd(t.Context(), x.queue("archived"), redis.Z{Member: "a", Score: 2}))
	r := broker.SweepRequest{Queue: "q", State: task.Archived, Do: broker.Delete, Limit: 500}
	for _, want := range []int{1, 0} {
		if n, err := x.b.Sweep(t.Context(), x.now, r); err != nil || n != want {
			t.Errorf("Sweep() = %d, %v, want %d", n, err, want)
		}
	}
	if n := x.c.ZCard(t.Context(), x.queue("archived")).Val(); n != 0 {
		t.Errorf("%d ids are left, want none", n)
	}
}

// TestAPageBeginsBehindAPlaceThatIsGone deletes what a page ended with, and more.
func TestAPageBeginsBehindAPlaceThatIsGone(t *testing.T) {
	x := newBench(t)
	var ids []string
	for i := range 20 {
		ids = append(ids, string(rune('a'+i)))
		x.apply(broker.Change{Enqueue: []broker.Entry{plain(ids[i])}})
	}
	for _, newest := range []bool{false, true} {
		r := broker.ListRequest{Queue: "q", State: task.Pending, Newest: newest, Limit: 5}
		page, err := x.b.List(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		x.apply(broker.Change{Move: []broker.Move{{EntryRef: page[4].EntryRef, Do: broker.Delete}, {EntryRef: page[3].EntryRef, Do: broker.Delete}}})
		r.After = page[4].Place
		next, err := x.b.List(t.Context(), r)
		if err != nil || len(next) != 5 {
			t.Fatalf("List() = %v, %v, want five", next, err)
		}
		if want := map[bool]string{false: "f", true: "o"}[newest]; next[0].ID != want {
			t.Errorf("newest %v: the page begins with %s, want %s", newest, next[0].ID, want)
		}
	}
}

// TestWaitingEntriesOfACrowdedSecondAreAllToldOnce pages through more entries of
// one second than are told in order of their exact times.
func TestWaitingEntriesOfACrowdedSecondAreAllToldOnce(t *testing.T) {
	x := newBench(t)
	const n = 1100
	for i := range n {
		e := plain(strings.Repeat("x", i%100+1) + strings.Repeat("y", i/100))
		e.DueAt = x.now.Add(time.Hour).Truncate(time.Second).Add(time.Duration(i%1000) * time.Millisecond)
		x.apply(broker.Change{Enqueue: []broker.Entry{e}})
	}
	seen := make(map[string]int)
	r := broker.ListRequest{Queue: "q", State: task.Scheduled, Limit: 300}
	for {
		page, err := x.b.List(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, s := range page {
			seen[s.ID]++
		}
		r.After = page[len(page)-1].Place
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s was told %d times, want once", id, times)
		}
	}
	if len(seen) != n {
		t.Errorf("%d entries were told, want %d", len(seen), n)
	}
}

// TestALargePageTakesSeveralScripts lists more entries than one script does, from an
// offset on.
func TestALargePageTakesSeveralScripts(t *testing.T) {
	x := newBench(t)
	const n = 2300
	var entries []broker.Entry
	for i := range n {
		entries = append(entries, plain(fmt.Sprintf("%04d", i)))
	}
	for some := range slices.Chunk(entries, broker.MaxParts) {
		x.apply(broker.Change{Enqueue: some})
	}
	for _, newest := range []bool{false, true} {
		x.must(x.c.ConfigResetStat(t.Context()))
		page, err := x.b.List(t.Context(), broker.ListRequest{Queue: "q", State: task.Pending, Newest: newest, Offset: 100, Limit: 2100})
		if err != nil || len(page) != 2100 {
			t.Fatalf("List() = %d entries, %v, want 2100", len(page), err)
		}
		for i, s := range page {
			want := entries[100+i].ID
			if newest {
				want = entries[n-101-i].ID
			}
			if s.ID != want {
				t.Fatalf("newest %v: the %d-th is %s, want %s", newest, i, s.ID, want)
			}
		}
		if stats := x.c.Info(t.Context(), "commandstats").Val(); !strings.Contains(stats, "cmdstat_evalsha:calls=3,") {
			t.Errorf("newest %v: commands are %s, want three scripts", newest, stats)
		}
	}
}

// TestAPageMayBeginAnywhereAndBeOfAnySize asks for what no script can count to.
func TestAPageMayBeginAnywhereAndBeOfAnySize(t *testing.T) {
	x := newBench(t)
	late := plain("late")
	late.DueAt = x.now.Add(time.Hour)
	x.apply(broker.Change{Enqueue: []broker.Entry{plain("a"), late}})
	for _, r := range []broker.ListRequest{{State: task.Pending}, {State: task.Pending, Newest: true}, {State: task.Scheduled}, {State: task.Scheduled, Newest: true}} {
		for offset, want := range map[int]int{0: 1, math.MaxInt: 0} {
			r.Queue, r.Offset, r.Limit = "q", offset, math.MaxInt
			if page, err := x.b.List(t.Context(), r); err != nil || len(page) != want {
				t.Errorf("List(%+v) = %d entries, %v, want %d", r, len(page), err, want)
			}
		}
	}
}

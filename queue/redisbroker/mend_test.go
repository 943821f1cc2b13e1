package redisbroker_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// mended returns what Mend says: what it did, in lines, and the faults that it leaves.
func (x *bench) mended(dry bool) (done, left string) {
	x.Helper()
	all, err := x.b.Mend(x.Context(), x.now, dry)
	if err != nil {
		x.Fatal(err)
	}
	for _, m := range all {
		if m.Done == "" {
			left += m.Fault + "\n"
		} else {
			done += m.Fault + ": " + m.Done + "\n"
		}
	}
	return done, left
}

// TestMendPutsRightWhatVerifyFinds mends each damage, after it has only looked.
func TestMendPutsRightWhatVerifyFinds(t *testing.T) {
	damaged(t, func(x *bench, d damage) {
		before := x.verified()
		would, _ := x.mended(true)
		if after := x.verified(); after != before {
			x.Errorf("Verify() said:\n%s\nand after Mend(dry):\n%s", before, after)
		}
		done, left := x.mended(false)
		after := x.verified()
		if d.done == "" {
			if would+done != "" || after != before || !strings.Contains(left, d.says) {
				x.Errorf("Mend() did:\n%s%sand left:\n%swant only left, and after it Verify() says:\n%s\nwant:\n%s", would, done, left, after, before)
			}
			return
		}
		if !strings.Contains(would, d.done) || !strings.Contains(done, d.done) || left != "" || after != "" {
			x.Errorf("Mend() would do:\n%sand did:\n%swant %q; left:\n%safter it Verify() says:\n%s", would, done, d.done, left, after)
		}
	})
}

// TestMendLeavesAloneWhatIsInUse mends again and again while tasks are enqueued, run,
// folded and put off.
func TestMendLeavesAloneWhatIsInUse(t *testing.T) {
	x := newBench(t)
	const hands, rounds, mends = 4, 150, 12
	done := make(chan struct{})
	var all sync.WaitGroup
	for hand := range hands {
		all.Go(func() { x.keepBusy(hand, rounds) })
	}
	go func() { all.Wait(); close(done) }()
	for n, busy := 0, true; busy || n < mends; n++ {
		select {
		case <-done:
			busy = false
		default:
		}
		if did, _ := x.mended(false); did != "" {
			t.Errorf("Mend() did:\n%swant nothing", did)
		}
	}
	x.sound("what was in use")
	if c, err := x.b.Counts(t.Context(), x.now, "q"); err != nil || c[0].ProcessedTotal < rounds {
		t.Errorf("Counts() = %+v, %v, want much that was done", c, err)
	}
}

// TestAnInspectorShowsAQueueInWhichEntriesHaveVanished deletes the keys of tasks, as
// asynq's users have seen happen.
func TestAnInspectorShowsAQueueInWhichEntriesHaveVanished(t *testing.T) {
	x := newBench(t)
	e := func(id string) broker.Entry {
		return broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t"}
	}
	later, laterGone, inGroup, inGroupGone := e("later"), e("later-gone"), e("in-group"), e("in-group-gone")
	later.DueAt, laterGone.DueAt = x.now.Add(time.Hour), x.now.Add(time.Hour)
	inGroup.Group, inGroupGone.Group = "g", "g"
	x.apply(broker.Change{Enqueue: []broker.Entry{e("leased"), e("leased-gone"), e("ready"), e("ready-gone"), later, laterGone, inGroup, inGroupGone}})
	x.lease(2)
	for _, id := range []string{"leased-gone", "ready-gone", "later-gone", "in-group-gone"} {
		x.must(x.c.Del(t.Context(), x.queue("t:"+id)))
	}
	i := queue.NewInspector(x.b)
	if _, err := i.QueueInfo(t.Context(), "q"); err != nil {
		t.Errorf("QueueInfo() = %v, want nil", err)
	}
	if _, err := i.Groups(t.Context(), "q"); err != nil {
		t.Errorf("Groups() = %v, want nil", err)
	}
	for state, want := range map[task.State]string{task.Active: "leased", task.Pending: "ready", task.Scheduled: "later", task.Aggregating: "in-group"} {
		q := queue.ListQuery{Queue: "q", State: state}
		if state == task.Aggregating {
			q.Group = "g"
		}
		page, err := i.List(t.Context(), q)
		if err != nil || len(page.Tasks) != 1 || page.Tasks[0].ID != want {
			t.Errorf("List(%s) = %+v, %v, want %s only", state, page, err, want)
		}
	}
	if _, err := i.Get(t.Context(), "q", "ready-gone"); !errors.Is(err, queue.ErrTaskNotFound) {
		t.Errorf("Get() = %v, want not found", err)
	}
	x.mended(false)
	x.sound("Mend")
}

// keepBusy does a little of everything, so many times. Each hand has groups and homes of
// its own, and they share the queue.
func (x *bench) keepBusy(hand, rounds int) {
	name := fmt.Sprint("h", hand)
	home := broker.Home{Queue: "q", ID: name}
	for n := range rounds {
		now := x.now.Add(time.Duration(n) * 100 * time.Millisecond)
		e := func(kind string) broker.Entry {
			return broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: fmt.Sprint(name, "-", kind, "-", n)}, Type: "t"}
		}
		claims, later, grouped, coming, of := e("claims"), e("later"), e("grouped"), e("coming"), e("of")
		claims.Claim = broker.Claim{Key: name + kindOf(n)}
		later.DueAt = now.Add(150 * time.Millisecond)
		grouped.Group, coming.Group = name, name
		coming.DueAt = now.Add(250 * time.Millisecond)
		of.Home = home
		changes := []broker.Change{
			{Enqueue: []broker.Entry{claims}}, // may be refused
			{Enqueue: []broker.Entry{later, grouped, coming}},
			{Home: home, Enqueue: []broker.Entry{of}, Put: []broker.Put{{Key: "doc", Body: []byte(name)}}},
		}
		want := broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}}, Max: 6, Until: now.Add(time.Minute)}
		applied, err := x.b.Apply(x.Context(), now, changes, want)
		if err != nil {
			x.Error(err)
			return
		}
		outcomes := []broker.Outcome{broker.Done, broker.Completed, broker.Retry, broker.Archived, broker.Released}
		var ends []broker.Change
		for i, l := range applied.Leases {
			s := broker.Settlement{Token: l.Token, Entry: l.Entry, To: outcomes[(n+i)%len(outcomes)], At: now.Add(time.Second)}
			ends = append(ends, broker.Change{Settle: []broker.Settlement{s}})
		}
		batch, err := x.b.Gather(x.Context(), now, broker.GatherRequest{Queue: "q", Group: name, Token: fmt.Sprint(name, n), MaxSize: 3, Until: now.Add(time.Minute)})
		if err != nil {
			x.Error(err)
			return
		}
		var fold broker.Change
		for _, m := range batch.Members {
			fold.Settle = append(fold.Settle, broker.Settlement{Token: batch.Token, Entry: m.Entry, To: broker.Done})
		}
		if _, err := x.b.Apply(x.Context(), now, append(ends, fold), broker.LeaseRequest{}); err != nil {
			x.Error(err)
			return
		}
		if _, err := x.b.Advance(x.Context(), now, broker.AdvanceRequest{Queues: []string{"q"}, Limit: 20}); err != nil {
			x.Error(err)
			return
		}
	}
}

func kindOf(n int) string { return fmt.Sprint("-", n%5) }

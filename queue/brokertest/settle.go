package brokertest

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var settlePromises = []promise{
	{"a done entry is gone and its id is free", settleDone},
	{"a completed entry is kept with its result until its retention ends", settleCompleted},
	{"a retry is due again at its time and keeps what the attempt left", settleRetry},
	{"a retry whose time has passed still waits for Advance", settleRetryPast},
	{"an archived entry is kept with what the attempt left", settleArchived},
	{"a released entry is the next to be leased and as it was", settleReleased},
	{"of several released entries the last is next", settleReleasedOrder},
	{"figures count what each outcome says", settleFigures},
	{"today's figures begin anew at midnight UTC, the totals do not", settleMidnight},
	{"a nil result keeps what was stored, an empty one does not", settleResultKept},
	{"a result may be binary and a mebibyte", settleResultLarge},
	{"a settled lease cannot settle its entry again", settleTwice},
	{"a wrong token settles nothing, in any state", settleWrongToken},
	{"an entry or queue that does not exist is a lost lease", settleUnknown},
	{"a lease that has run out settles until it is recovered", settleExpired},
	{"a recovered lease cannot settle its entry", settleRecovered},
	{"the lease after a recovery settles, the one before does not", settleAfterRecovery},
	{"a token of an entry that came back under its id is lost", settleReborn},
	{"a lost lease settles none of its change", settleAllOrNone},
	{"many entries of several queues are settled in one change", settleMany},
	{"an id is free for the change after the one that settles it, not for that one", settleThenEnqueue},
}

func settleDone(x *trial) {
	x.enqueue(entry("q", "a"))
	s := settled(x.leaseOne("q"), broker.Done)
	s.Result = []byte("ignored")
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	if _, err := x.b.Entry(x.Context(), s.Entry.EntryRef); !errors.Is(err, broker.ErrNotFound) {
		x.Errorf("Entry() = %v, want %v", err, broker.ErrNotFound)
	}
	equal(x, "entries", x.counts("q").Size(), 0)
	x.enqueue(entry("q", "a"))
	equal(x, "the new one", x.get("q", "a"), broker.Stored{Entry: entry("q", "a"), State: task.Pending})
}

// left changes what a settlement may change of its entry.
func left(s broker.Settlement) broker.Settlement {
	now := time.Now().Truncate(time.Second)
	s.Entry.Retried += 3
	s.Entry.LastErr = "schlüg fehl: 😀\x00"
	s.Entry.LastFailedAt = now.Add(-time.Second)
	s.Entry.CompletedAt = now
	s.Result = []byte("result\x00\xff")
	return s
}

func settleCompleted(x *trial) {
	x.enqueue(full("q", "a"))
	s := left(settled(x.leaseOne("q"), broker.Completed))
	s.At = time.Now().Add(time.Hour + time.Millisecond)
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	end := broker.CeilSecond(s.At)
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: s.Entry, State: task.Completed, Result: s.Result, Until: end})
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
	x.pass(time.Hour + 999*time.Millisecond)
	equal(x, "advanced before the end", x.advance("q"), broker.Advanced{Next: end})
	x.pass(time.Millisecond)
	equal(x, "advanced at the end", x.advance("q"), broker.Advanced{Expired: 1})
	if _, err := x.b.Entry(x.Context(), s.Entry.EntryRef); !errors.Is(err, broker.ErrNotFound) {
		x.Errorf("Entry() = %v, want %v", err, broker.ErrNotFound)
	}
	x.enqueue(entry("q", "a"))
	equal(x, "the new one", x.get("q", "a"), broker.Stored{Entry: entry("q", "a"), State: task.Pending})
}

func settleRetry(x *trial) {
	x.enqueue(full("q", "a"))
	s := left(settled(x.leaseOne("q"), broker.Retry))
	s.At, s.Failed = time.Now().Add(1500*time.Millisecond+1), true
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	want := broker.Stored{Entry: s.Entry, State: task.Retry, Result: s.Result}
	want.DueAt = broker.CeilMilli(s.At)
	equal(x, "stored", x.get("q", "a"), want)
	x.pass(1500 * time.Millisecond)
	equal(x, "advanced before its time", x.advance("q"), broker.Advanced{Next: want.DueAt})
	x.pass(time.Millisecond)
	equal(x, "advanced at its time", x.advance("q"), broker.Advanced{Due: 1})
	want.State, want.DueAt = task.Pending, time.Time{}
	equal(x, "stored when due", x.get("q", "a"), want)
	equal(x, "leased", x.leaseOne("q").Entry, want.Entry)
}

func settleRetryPast(x *trial) {
	x.enqueue(entry("q", "a"))
	s := settled(x.leaseOne("q"), broker.Retry)
	s.At = time.Now().Add(-time.Minute)
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	equal(x, "retries", x.list("q", task.Retry), []string{"a"})
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Due: 1})
	x.leaseOne("q")
}

func settleArchived(x *trial) {
	x.enqueue(full("q", "a"))
	s := left(settled(x.leaseOne("q"), broker.Archived))
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: s.Entry, State: task.Archived, Result: s.Result})
	x.pass(10_000 * time.Hour)
	equal(x, "advanced", x.advance("q"), broker.Advanced{})
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
}

func settleReleased(x *trial) {
	x.enqueue(full("q", "a"), entry("q", "b"))
	x.must(broker.Change{Settle: []broker.Settlement{left(settled(x.leaseOne("q"), broker.Released))}})
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: full("q", "a"), State: task.Pending})
	equal(x, "pending", x.list("q", task.Pending), []string{"a", "b"})
	equal(x, "leased", x.leaseOne("q").Entry, full("q", "a"))
}

func settleReleasedOrder(x *trial) {
	x.enqueue(entries("q", "a", "b", "c", "d")...)
	l := x.lease("q", 3)
	x.must(broker.Change{Settle: []broker.Settlement{settled(l[0], broker.Released), settled(l[1], broker.Released)}})
	equal(x, "pending", x.list("q", task.Pending), []string{"b", "a", "d"})
	again := x.applyAnd(wanted("q", 10), settling(l[2], broker.Released))
	equal(x, "leased in the call that releases", leasedIDs(again.Leases), []string{"c", "b", "a", "d"})
}

func settleFigures(x *trial) {
	for _, c := range []struct {
		to                broker.Outcome
		failed            bool
		processed, missed int
	}{
		{broker.Done, false, 1, 0},
		{broker.Completed, false, 1, 0},
		{broker.Retry, true, 1, 1},
		{broker.Retry, false, 0, 0},
		{broker.Archived, false, 1, 1},
		{broker.Released, false, 0, 0},
	} {
		queue := fmt.Sprintf("%s-%v", c.to, c.failed)
		x.enqueue(entry(queue, "id-"+queue))
		s := settled(x.leaseOne(queue), c.to)
		s.Failed = c.failed
		x.must(broker.Change{Settle: []broker.Settlement{s}})
		got := x.counts(queue)
		equal(x, queue+": processed and failed today and ever",
			[]int{got.Processed, got.Failed, got.ProcessedTotal, got.FailedTotal},
			[]int{c.processed, c.missed, c.processed, c.missed})
	}
}

func settleMidnight(x *trial) {
	process := func(id string) {
		x.enqueue(entry("q", id))
		x.must(settling(x.leaseOne("q"), broker.Archived))
	}
	now := time.Now().UTC()
	midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	x.pass(midnight.Sub(now) - time.Millisecond)
	process("late")
	equal(x, "before midnight", x.counts("q"), broker.Counts{Queue: "q", Archived: 1, Processed: 1, Failed: 1, ProcessedTotal: 1, FailedTotal: 1})
	x.pass(time.Millisecond)
	equal(x, "at midnight", x.counts("q"), broker.Counts{Queue: "q", Archived: 1, ProcessedTotal: 1, FailedTotal: 1})
	process("early")
	equal(x, "after midnight", x.counts("q"), broker.Counts{Queue: "q", Archived: 2, Processed: 1, Failed: 1, ProcessedTotal: 2, FailedTotal: 2})
}

func settleResultKept(x *trial) {
	x.enqueue(entry("q", "a"))
	for _, step := range []struct{ result, want []byte }{
		{nil, nil},
		{[]byte("first"), []byte("first")},
		{nil, []byte("first")},
		{[]byte{}, []byte{}},
		{[]byte("second"), []byte("second")},
	} {
		s := settled(x.leaseOne("q"), broker.Retry)
		s.Result = step.result
		x.must(broker.Change{Settle: []broker.Settlement{s}})
		equal(x, fmt.Sprintf("result after %q", step.result), x.get("q", "a").Result, step.want)
		x.pass(time.Minute)
		x.advance("q")
	}
	x.must(settling(x.leaseOne("q"), broker.Completed))
	equal(x, "result when completed", x.get("q", "a").Result, []byte("second"))
}

func settleResultLarge(x *trial) {
	x.enqueue(entry("q", "a"))
	s := settled(x.leaseOne("q"), broker.Completed)
	s.Result = bytes.Repeat([]byte("\x00\xff\r\n"), 1<<18)
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	if got := x.get("q", "a").Result; !bytes.Equal(got, s.Result) {
		x.Errorf("result came back with %d bytes, want the same %d", len(got), len(s.Result))
	}
}

// lost demands that c is refused because a lease is lost.
func (x *trial) lost(what string, c broker.Change) {
	x.Helper()
	if err := x.apply(c)[0]; !errors.Is(err, broker.ErrLeaseLost) {
		x.Errorf("%s: outcome = %v, want %v", what, err, broker.ErrLeaseLost)
	}
}

func settleTwice(x *trial) {
	for _, first := range []broker.Outcome{broker.Done, broker.Completed, broker.Retry, broker.Archived, broker.Released} {
		x.enqueue(entry("q", first.String()))
		l := x.leaseOne("q")
		outcomes := x.apply(settling(l, first), settling(l, broker.Done))
		if outcomes[0] != nil || !errors.Is(outcomes[1], broker.ErrLeaseLost) {
			x.Errorf("%s and again in one call: %v, want nil and %v", first, outcomes, broker.ErrLeaseLost)
		}
		for _, second := range []broker.Outcome{broker.Done, broker.Completed, broker.Retry, broker.Archived, broker.Released} {
			x.lost(fmt.Sprintf("%s after %s", second, first), settling(l, second))
		}
		if first == broker.Released {
			x.must(settling(x.leaseOne("q"), broker.Done))
		}
	}
	c := x.counts("q")
	equal(x, "processed and failed", []int{c.Processed, c.Failed}, []int{4, 1})
}

func settleWrongToken(x *trial) {
	x.enqueue(entries("q", "held", "other", "pending")...)
	leases := x.lease("q", 2)
	wrong := leases[0]
	for _, token := range []string{"", "x", leases[1].Token, leases[0].Token + "0"} {
		wrong.Token = token
		x.lost(fmt.Sprintf("active entry with token %q", token), settling(wrong, broker.Done))
	}
	pending := broker.Lease{Entry: entry("q", "pending")}
	for _, token := range []string{"", leases[0].Token} {
		pending.Token = token
		x.lost(fmt.Sprintf("pending entry with token %q", token), settling(pending, broker.Done))
	}
	equal(x, "active", x.list("q", task.Active), []string{"held", "other"})
	equal(x, "processed", x.counts("q").ProcessedTotal, 0)
	x.must(settling(leases[0], broker.Done))
}

func settleUnknown(x *trial) {
	x.lost("no such queue", settling(broker.Lease{Entry: entry("none", "a"), Token: "x"}, broker.Done))
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	l.Entry.ID = "b"
	x.lost("no such entry", settling(l, broker.Completed))
	l.Entry.ID, l.Entry.Queue = "a", "p"
	x.lost("another queue", settling(l, broker.Retry))
}

func settleExpired(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.pass(time.Hour)
	x.must(settling(l, broker.Done))
	equal(x, "advanced", x.advance("q"), broker.Advanced{})
	equal(x, "processed", x.counts("q").Processed, 1)
}

func settleRecovered(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.awake(10*time.Second, "q")
	equal(x, "advanced", x.advance("q"), broker.Advanced{Recovered: 1})
	for _, to := range []broker.Outcome{broker.Done, broker.Completed, broker.Retry, broker.Archived, broker.Released} {
		x.lost(to.String(), settling(l, to))
	}
	equal(x, "pending", x.list("q", task.Pending), []string{"a"})
	equal(x, "processed", x.counts("q").Processed, 0)
}

func settleAfterRecovery(x *trial) {
	x.enqueue(entry("q", "a"))
	before := x.leaseOne("q")
	x.awake(10*time.Second, "q")
	x.advance("q")
	after := x.leaseOne("q")
	x.lost("the lease before", settling(before, broker.Done))
	equal(x, "state", x.get("q", "a").State, task.Active)
	x.must(settling(after, broker.Done))
	x.lost("the lease after, again", settling(after, broker.Done))
}

func settleReborn(x *trial) {
	x.enqueue(entry("q", "a"))
	before := x.leaseOne("q")
	x.must(settling(before, broker.Done))
	x.enqueue(entry("q", "a"))
	x.lost("while pending", settling(before, broker.Done))
	x.leaseOne("q")
	x.lost("while active", settling(before, broker.Done))
}

func settleAllOrNone(x *trial) {
	x.enqueue(entries("q", "a", "b", "c")...)
	leases := x.lease("q", 3)
	leases[1].Token = "wrong"
	c := broker.Change{
		Home:    broker.Home{Queue: "q", ID: "run"},
		Put:     []broker.Put{{Key: "k", Body: []byte("v")}},
		Enqueue: entries("q", "new"),
	}
	for _, l := range leases {
		c.Settle = append(c.Settle, settled(l, broker.Done))
	}
	x.lost("one of three", c)
	equal(x, "active", x.list("q", task.Active), []string{"a", "b", "c"})
	equal(x, "pending", x.list("q", task.Pending), nil)
	equal(x, "document", x.documents(c.Home, "k")[0].Version, int64(0))
	equal(x, "processed", x.counts("q").ProcessedTotal, 0)
}

func settleMany(x *trial) {
	var c broker.Change
	for i, to := range []broker.Outcome{broker.Done, broker.Completed, broker.Retry, broker.Archived, broker.Released} {
		queue := fmt.Sprint("q", i)
		x.enqueue(entry(queue, "a-"+to.String()))
		c.Settle = append(c.Settle, settled(x.leaseOne(queue), to))
	}
	x.must(c)
	for i, state := range []task.State{0, task.Completed, task.Retry, task.Archived, task.Pending} {
		if queue := fmt.Sprint("q", i); state == 0 {
			equal(x, "size of "+queue, x.counts(queue).Size(), 0)
		} else {
			equal(x, fmt.Sprintf("number of %s in %s", state, queue), len(x.list(queue, state)), 1)
		}
	}
}

func settleThenEnqueue(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	both := settling(l, broker.Done)
	both.Enqueue = entries("q", "a")
	if err := x.refused(both); !errors.Is(err, broker.ErrExists) {
		x.Errorf("settled and enqueued in one change: %v, want %v", err, broker.ErrExists)
	}
	equal(x, "state", x.get("q", "a").State, task.Active)
	x.must(settling(l, broker.Done), broker.Change{Enqueue: entries("q", "a")})
	equal(x, "state", x.get("q", "a").State, task.Pending)
}

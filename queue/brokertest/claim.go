package brokertest

import (
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var claimPromises = []promise{
	{"a claim that is held refuses an entry and names the holder", claimHeld},
	{"a claim is unique within its queue only", claimQueues},
	{"done and completed free a claim", claimFreed},
	{"retry, archive and release keep a claim", claimKept},
	{"a claim is kept while its entry is scheduled, leased and recovered", claimWaits},
	{"a completed entry frees no claim when its retention ends", claimExpiry},
	{"an id that is taken is found before a claim that is held", claimAfterID},
	{"a refused change takes no claim", claimRefused},
	{"a claim is free for the change after the one that settles its holder, not for that one", claimThenEnqueue},
	{"an entry that is read back has the key of its claim and no TTL", claimReadBack},
}

// claiming returns an entry that claims key for the whole case.
func claiming(queue, id, key string) broker.Entry {
	e := entry(queue, id)
	e.Claim = broker.Claim{Key: key, TTL: hours}
	return e
}

// claimed demands that e is refused because holder has its claim.
func (x *trial) claimed(what string, e broker.Entry, holder string) {
	x.Helper()
	err := x.apply(broker.Change{Enqueue: []broker.Entry{e}})[0]
	found, ok := errors.AsType[*broker.ClaimedError](err)
	if !ok || !errors.Is(err, broker.ErrClaimed) {
		x.Fatalf("%s: outcome = %v, want a ClaimedError", what, err)
	}
	equal(x, what, *found, broker.ClaimedError{Entry: e.EntryRef, Key: e.Claim.Key, Holder: holder})
}

func claimHeld(x *trial) {
	x.enqueue(claiming("q", "a", "k"))
	x.claimed("held", claiming("q", "b", "k"), "a")
	x.enqueue(claiming("q", "c", "other"), entry("q", "d"))
	x.claimed("the other", claiming("q", "e", "other"), "c")
	x.pending("", "a", "c", "d")
}

func claimQueues(x *trial) {
	x.enqueue(claiming("q", "a", "k"), claiming("p", "b", "k"))
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.claimed("in p", claiming("p", "c", "k"), "b")
	x.enqueue(claiming("q", "c", "k"))
}

func claimFreed(x *trial) {
	for _, to := range []broker.Outcome{broker.Done, broker.Completed} {
		id := to.String()
		x.enqueue(claiming("q", id, "k"))
		x.must(settling(x.leaseOne("q"), to))
		x.enqueue(claiming("q", "after-"+id, "k"))
		x.must(settling(x.leaseOne("q"), broker.Done))
	}
}

func claimKept(x *trial) {
	for _, to := range []broker.Outcome{broker.Retry, broker.Archived, broker.Released} {
		id := "id-" + to.String()
		x.enqueue(claiming("q", id, "k-"+id))
		x.must(settling(x.leaseOne("q"), to))
		x.claimed(to.String(), claiming("q", "other", "k-"+id), id)
		if to == broker.Released {
			x.must(settling(x.leaseOne("q"), broker.Done))
			x.enqueue(claiming("q", "other", "k-"+id))
		}
	}
}

func claimWaits(x *trial) {
	e := claiming("q", "a", "k")
	e.DueAt = time.Now().Add(time.Minute)
	x.enqueue(e)
	other := claiming("q", "b", "k")
	x.claimed("scheduled", other, "a")
	x.pass(time.Minute)
	x.advance("q")
	x.claimed("due", other, "a")
	x.leaseOne("q")
	x.claimed("leased", other, "a")
	x.awake(10*time.Second, "q")
	x.advance("q")
	x.claimed("recovered", other, "a")
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.enqueue(other)
}

func claimExpiry(x *trial) {
	x.enqueue(claiming("q", "a", "k"))
	x.must(settling(x.leaseOne("q"), broker.Completed))
	x.enqueue(claiming("q", "b", "k"))
	x.pass(time.Hour)
	equal(x, "expired", x.advance("q").Expired, 1)
	x.claimed("after the first has expired", claiming("q", "c", "k"), "b")
}

func claimAfterID(x *trial) {
	x.enqueue(claiming("q", "a", "k"))
	if err := x.refused(broker.Change{Enqueue: []broker.Entry{claiming("q", "a", "k")}}); !errors.Is(err, broker.ErrExists) {
		x.Errorf("outcome = %v, want %v", err, broker.ErrExists)
	}
}

func claimRefused(x *trial) {
	x.enqueue(entry("q", "taken"))
	for i, c := range []broker.Change{
		{Enqueue: []broker.Entry{claiming("q", "a", "k"), entry("q", "taken")}},
		{Enqueue: []broker.Entry{claiming("q", "taken", "k")}},
		{Enqueue: []broker.Entry{claiming("q", "a", "k")}, Home: home, Require: []broker.Condition{{Key: "d", Version: 1}}},
		{Enqueue: []broker.Entry{claiming("q", "a", "k")}, Home: home, Arrive: []broker.Arrival{{Latch: "none"}}},
	} {
		x.refused(c)
		e := claiming("q", fmt.Sprint("free", i), "k")
		x.enqueue(e)
		leases := x.lease("q", 10)
		x.must(settling(leases[len(leases)-1], broker.Done))
		for _, l := range leases[:len(leases)-1] {
			x.must(settling(l, broker.Released))
		}
	}
	equal(x, "archived", x.list("q", task.Archived), nil)
}

func claimThenEnqueue(x *trial) {
	x.enqueue(claiming("q", "a", "k"))
	l := x.leaseOne("q")
	both := settling(l, broker.Done)
	both.Enqueue = []broker.Entry{claiming("q", "b", "k")}
	if err := x.refused(both); !errors.Is(err, broker.ErrClaimed) {
		x.Errorf("settled and claimed in one change: %v, want %v", err, broker.ErrClaimed)
	}
	x.must(settling(l, broker.Done), broker.Change{Enqueue: both.Enqueue})
	x.claimed("then", claiming("q", "c", "k"), "b")
}

func claimReadBack(x *trial) {
	x.enqueue(claiming("q", "a", "k:~/@+-._0"))
	want := claiming("q", "a", "k:~/@+-._0")
	want.Claim.TTL = 0
	equal(x, "stored", x.get("q", "a").Entry, want)
	l := x.leaseOne("q")
	equal(x, "leased", l.Entry, want)
	x.must(settling(l, broker.Completed))
	equal(x, "stored when it is free", x.get("q", "a").Claim, want.Claim)
}

// claimRenewed runs in real time, as claimEnds does.
func claimRenewed(x *trial) {
	e := claiming("q", "a", "k")
	e.Claim.TTL = time.Second
	x.enqueue(e)
	x.must(broker.Change{Replace: []broker.Replacement{{Entry: claiming("q", "a", "k")}}})
	x.pass(1200 * time.Millisecond)
	x.claimed("when its first TTL has passed", claiming("q", "b", "k"), "a")
	x.must(settling(x.leaseOne("q"), broker.Done))
}

// claimEnds runs in real time, because a storage may let claims expire by its
// own clock: a claim is free when its TTL, less a fraction of a second, has
// passed, and is then not freed by the entry that held it before.
func claimEnds(x *trial) {
	short := func(id string) broker.Entry {
		e := claiming("q", id, "k")
		e.Claim.TTL = 1900 * time.Millisecond
		return e
	}
	x.enqueue(short("a"))
	x.claimed("before its TTL has passed", short("b"), "a")
	x.pass(1200 * time.Millisecond)
	x.enqueue(claiming("q", "b", "k"))
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.claimed("when its first holder is done", short("c"), "b")
}

package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var exitPromises = []promise{
	{"an entry comes back with its exit, and is leased without", exitReadBack},
	{"its own settlement enqueues no exit", exitOwn},
	{"a settlement with an end enqueues the exit", exitEnd},
	{"a deletion, an archiving and a cancellation enqueue the exit, once", exitMoved},
	{"an entry that had ended before enqueues no exit", exitEnded},
	{"a cancellation that a settlement or Advance finds enqueues the exit", exitCancelled},
	{"a sweep enqueues the exits", exitSwept},
	{"neither retention nor a full archive enqueues an exit", exitExpired},
	{"an exit whose id is taken is skipped", exitTaken},
	{"an exit may go into another queue, belong to a home, and is ready at once", exitElsewhere},
	{"an entry that is run again and ends again enqueues its exit again", exitAgain},
}

// leaving returns an entry of q whose exit is q/exit-id.
func leaving(id string) broker.Entry {
	e := entry("q", id)
	exit := entry("exits", "exit-"+id)
	e.Exit = &exit
	return e
}

// exits demands that these entries, and no others, have left their exits.
func (x *trial) exits(what string, ids ...string) {
	x.Helper()
	var want []string
	for _, id := range ids {
		want = append(want, "exit-"+id)
	}
	equal(x, "exits "+what, x.list("exits", task.Pending), want)
}

func exitReadBack(x *trial) {
	e := full("q", "a")
	exit := full("exits", "b")
	e.Exit = &exit
	x.enqueue(e)
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Pending})
	leased := e
	leased.Exit = nil
	equal(x, "leased", x.leaseOne("q").Entry, leased)
	x.must(moving(broker.Cancel, "a"))
	x.pass(time.Minute)
	x.must(moving(broker.Delete, "a"))
	equal(x, "its exit", x.get("exits", "b"), broker.Stored{Entry: exit, State: task.Pending})
}

func exitOwn(x *trial) {
	for _, to := range []broker.Outcome{broker.Done, broker.Completed, broker.Retry, broker.Archived, broker.Released} {
		x.enqueue(leaving("id-" + to.String()))
		x.must(settling(x.leaseOne("q"), to))
		x.exits("after " + to.String())
	}
}

func exitEnd(x *trial) {
	var all []string
	for _, end := range []broker.End{broker.Cancelled, broker.Expired, broker.Poison} {
		x.enqueue(leaving(end.String()))
		s := settled(x.leaseOne("q"), broker.Archived)
		s.End = end
		x.must(broker.Change{Settle: []broker.Settlement{s}})
		all = append(all, end.String())
		x.exits("after "+end.String(), all...)
	}
}

func exitMoved(x *trial) {
	var all []string
	for _, do := range []broker.Act{broker.Delete, broker.Archive, broker.Cancel} {
		for _, state := range []task.State{task.Pending, task.Scheduled, task.Retry, task.Aggregating} {
			e := leaving(name(do, state))
			switch state {
			case task.Scheduled:
				e.DueAt = time.Now().Add(2 * time.Hour)
			case task.Aggregating:
				e.Group = "g"
			}
			x.broughtAs(e, state)
			x.must(moving(do, e.ID))
			all = append(all, e.ID)
			x.exits("after "+e.ID, all...)
		}
	}
	x.enqueue(leaving("run"))
	x.leaseFor("q", time.Second)
	x.pass(time.Second)
	x.must(moving(broker.Run, "run"), moving(broker.Reschedule, "run"), moving(broker.Run, "run"))
	x.exits("after all", all...)
	x.leaseFor("q", time.Second)
	x.pass(time.Second)
	x.must(moving(broker.Archive, "run"))
	x.exits("after one whose lease has run out", append(all, "run")...)
}

func exitEnded(x *trial) {
	x.enqueue(leaving("a"), leaving("b"), leaving("c"))
	leases := x.lease("q", 3)
	x.must(settling(leases[0], broker.Completed), settling(leases[1], broker.Archived), settling(leases[2], broker.Completed))
	x.must(moving(broker.Archive, "a"), moving(broker.Delete, "b", "c"), moving(broker.Delete, "a"))
	x.exits("of those that had ended")
	x.enqueue(leaving("d"))
	x.must(moving(broker.Archive, "d"))
	x.must(settling(x.lease("exits", 1)[0], broker.Done))
	x.must(moving(broker.Delete, "d"))
	x.exits("of one that was archived and then deleted")
}

func exitCancelled(x *trial) {
	var all []string
	for _, to := range []broker.Outcome{broker.Retry, broker.Released} {
		id := "id-" + to.String()
		x.enqueue(leaving(id))
		l := x.leaseOne("q")
		x.must(moving(broker.Cancel, id))
		x.exits("when it was asked for", all...)
		x.must(settling(l, to))
		all = append(all, id)
		x.exits("after "+id, all...)
	}
	x.enqueue(leaving("done"), leaving("late"))
	leases := x.lease("q", 2)
	x.must(moving(broker.Cancel, "done", "late"), settling(leases[0], broker.Done))
	x.exits("after done", all...)
	x.awake(10*time.Second, "q")
	equal(x, "cancelled", x.advance("q").Cancelled, 1)
	x.exits("after Advance", append(all, "late")...)
}

func exitSwept(x *trial) {
	x.enqueue(leaving("a"), leaving("b"), leaving("c"))
	x.sweep(task.Pending, broker.Archive, 2)
	x.exits("after two were archived", "a", "b")
	x.sweep(task.Archived, broker.Delete, 2)
	x.exits("after they were deleted", "a", "b")
	x.sweep(task.Pending, broker.Delete, 2)
	x.exits("after all", "a", "b", "c")
}

func exitExpired(x *trial) {
	x.enqueue(leaving("a"), leaving("b"))
	leases := x.lease("q", 2)
	x.must(settling(leases[0], broker.Completed), settling(leases[1], broker.Archived))
	x.pass(time.Hour)
	a := x.advanceAs(broker.AdvanceRequest{Queues: []string{"q"}, Limit: 10, Keep: broker.ArchiveLimits{Age: time.Minute}})
	equal(x, "advanced", a, broker.Advanced{Expired: 1, Trimmed: 1})
	x.exits("after both")
}

func exitTaken(x *trial) {
	x.enqueue(leaving("a"), leaving("b"))
	taken := entry("exits", "exit-a")
	taken.Payload = []byte("taken")
	x.enqueue(taken)
	x.must(moving(broker.Delete, "a", "b"))
	x.exits("", "a", "b")
	equal(x, "the one that was there", x.get("exits", "exit-a").Entry, taken)
}

func exitElsewhere(x *trial) {
	e := entry("q", "a")
	exit := entry("another", "b")
	exit.Home, exit.Reads = home, []string{"k"}
	e.Exit = &exit
	x.enqueue(e)
	x.must(broker.Change{Home: home, Put: []broker.Put{{Key: "k", Body: []byte("v")}}})
	applied := x.applyAnd(wanted("another", 1), moving(broker.Delete, "a"))
	if len(applied.Leases) != 1 {
		x.Fatalf("leased %d entries, want the exit", len(applied.Leases))
	}
	l := applied.Leases[0]
	equal(x, "the exit", l.Entry, exit)
	equal(x, "its documents", l.Documents, []broker.Document{{Key: "k", Version: 1, Body: []byte("v")}})
}

func exitAgain(x *trial) {
	x.enqueue(leaving("a"))
	for range 2 {
		x.must(moving(broker.Archive, "a"))
		x.exits("", "a")
		x.must(settling(x.lease("exits", 1)[0], broker.Done), moving(broker.Run, "a"))
	}
}

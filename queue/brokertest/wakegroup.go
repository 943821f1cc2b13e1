package brokertest

import (
	"github.com/leatwork/leat/queue/broker"
)

var joinedQ = broker.Wake{Queue: broker.GroupsOf("q")}

func wakeGroups(x *trial) {
	x.everyWay(func(what string, do func()) {
		x.Helper()
		x.rousing(what, joinedQ, do)
	})
	g := x.wait(x.open(), joinedQ.Queue)
	x.enqueue(grouped("a", "g"))
	g.gets("who waits on another broker", joinedQ)
}

func wakeGroupsKept(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "h"))
	x.quiet("who waits for what is ready")
	x.wait(x.b, joinedQ.Queue).gets("of two groups", joinedQ)
	x.quietOf(joinedQ.Queue, "when it was given")
	x.enqueue(grouped("c", "g"), entry("q", "alone"))
	g := x.wait(x.b, "q", joinedQ.Queue)
	first, err := g.end("two needs")
	if err != nil {
		x.Fatalf("Wait() = %v, want nil", err)
	}
	rest := map[broker.Wake]broker.Wake{ready: joinedQ, joinedQ: ready}[first]
	x.wait(x.b, "q", joinedQ.Queue).gets("the other of two needs", rest)
	x.enqueue(grouped("d", "g"))
	x.must(moving(broker.Delete, "a", "b", "c", "d", "alone"))
	if err := x.remove("q", false); err != nil {
		x.Fatalf("Remove() = %v, want nil", err)
	}
	x.quietOf(joinedQ.Queue, "when the queue was removed")
}

func wakePassedGroups(x *trial) {
	x.passOn(joinedQ)
	x.quietOf(joinedQ.Queue, "no such queue")
	x.enqueue(grouped("a", "g"))
	x.wait(x.b, joinedQ.Queue).gets("a group", joinedQ)
	x.passOn(joinedQ)
	x.wait(x.b, joinedQ.Queue).gets("a group, passed on", joinedQ)
	x.pause("q", true)
	want := wanted("q", 1)
	want.Pass = []broker.Wake{joinedQ}
	x.applyAnd(want)
	x.wait(x.b, joinedQ.Queue).gets("passed on in a queue that is paused, by who leases", joinedQ)
	x.quietOf(joinedQ.Queue, "when it was given")
}

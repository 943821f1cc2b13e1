package brokertest

import (
	"errors"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var enqueuePromises = []promise{
	{"an entry that is enqueued is pending and comes back as it was", enqueueRoundTrip},
	{"an id that is taken is refused and names the entry", enqueueTakenID},
	{"entries are leased in the order in which they were enqueued", enqueueOrder},
}

func enqueueRoundTrip(x *trial) {
	e := entry("q", "a")
	x.enqueue(e)
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Pending})
	equal(x, "leased", x.leaseOne("q").Entry, e)
}

func enqueueTakenID(x *trial) {
	x.enqueue(entry("q", "a"))
	again := entry("q", "a")
	again.Type = "another"
	err := x.refused(broker.Change{Enqueue: []broker.Entry{again}})
	if !errors.Is(err, broker.ErrExists) {
		x.Fatalf("outcome = %v, want %v", err, broker.ErrExists)
	}
	if exists, ok := errors.AsType[*broker.ExistsError](err); !ok || exists.Entry != again.EntryRef {
		x.Errorf("outcome = %#v, want an ExistsError that names %s", err, again)
	}
	equal(x, "type", x.get("q", "a").Type, entry("q", "a").Type)
}

func enqueueOrder(x *trial) {
	x.enqueue(entries("q", "c", "a", "b")...)
	equal(x, "pending", x.list("q", task.Pending), []string{"c", "a", "b"})
	equal(x, "leased", leasedIDs(x.lease("q", 10)), []string{"c", "a", "b"})
}

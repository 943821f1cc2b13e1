package brokertest

import (
	"errors"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var removePromises = []promise{
	{"a queue that is removed is gone, with its figures and that it was paused", removeGone},
	{"a queue that holds an entry is not removed, forced or not", removeNotEmpty},
	{"a queue that does not exist cannot be removed", removeUnknown},
	{"a queue with a home beside it is removed only by force, and with it", removeHome},
	{"a removed queue has left no claim behind", removeClaims},
	{"other queues stay as they are", removeOthers},
}

func removeGone(x *trial) {
	x.enqueue(entry("q", "a"), grouped("b", "g"))
	x.must(settling(x.leaseOne("q"), broker.Archived), settling(x.gather("g", "t", 1).Members[0], broker.Done))
	x.must(moving(broker.Delete, "a"))
	x.pause("q", true)
	if err := x.remove("q", false); err != nil {
		x.Fatalf("Remove() = %v, want nil", err)
	}
	equal(x, "queues", x.queues(), nil)
	equal(x, "names", x.names(), nil)
	equal(x, "counts", x.counts("q"), broker.Counts{Queue: "q"})
	equal(x, "history", x.history("q", 1)[0].Processed, 0)
	equal(x, "groups", x.groups("q"), nil)
	if err := x.remove("q", false); !errors.Is(err, broker.ErrNotFound) {
		x.Errorf("Remove() again = %v, want %v", err, broker.ErrNotFound)
	}
	x.enqueue(entry("q", "a"))
	equal(x, "leased in the new one", leasedIDs(x.lease("q", 1)), []string{"a"})
}

func removeNotEmpty(x *trial) {
	for _, state := range task.States() {
		x.brought("a", state)
		for _, force := range []bool{false, true} {
			if err := x.remove("q", force); !errors.Is(err, broker.ErrNotEmpty) {
				x.Errorf("Remove() with an entry that is %s = %v, want %v", state, err, broker.ErrNotEmpty)
			}
		}
		x.in("after that", state, "a")
		x.clear()
	}
	x.enqueue(grouped("a", "g"))
	x.gather("g", "t", 1)
	if err := x.remove("q", true); !errors.Is(err, broker.ErrNotEmpty) {
		x.Errorf("Remove() with a batch = %v, want %v", err, broker.ErrNotEmpty)
	}
}

func removeUnknown(x *trial) {
	x.must(broker.Change{Home: broker.Home{Queue: "q", ID: "run"}, Put: []broker.Put{{Key: "k"}}})
	x.pause("q", true)
	for _, force := range []bool{false, true} {
		if err := x.remove("q", force); !errors.Is(err, broker.ErrNotFound) {
			x.Errorf("Remove() = %v, want %v", err, broker.ErrNotFound)
		}
	}
}

func removeHome(x *trial) {
	beside := broker.Home{Queue: "q", ID: "run"}
	x.enqueue(entry("q", "a"))
	x.must(moving(broker.Delete, "a"))
	x.must(broker.Change{
		Home: beside,
		Put:  []broker.Put{{Key: "k", Body: []byte("v")}},
		Open: []broker.Latch{{ID: "l", Total: 1}},
	})
	if err := x.remove("q", false); !errors.Is(err, broker.ErrNotEmpty) {
		x.Errorf("Remove() = %v, want %v", err, broker.ErrNotEmpty)
	}
	equal(x, "document", x.documents(beside, "k")[0].Version, int64(1))
	if err := x.remove("q", true); err != nil {
		x.Fatalf("Remove() by force = %v, want nil", err)
	}
	equal(x, "document", x.documents(beside, "k"), []broker.Document{{Key: "k"}})
	if _, err := x.b.Latches(x.Context(), beside, "l"); !errors.Is(err, broker.ErrNotFound) {
		x.Errorf("Latches() = %v, want %v", err, broker.ErrNotFound)
	}
	equal(x, "names", x.names(), nil)
}

func removeClaims(x *trial) {
	e := lasting("a")
	e.Claim.Hold = time.Now().Add(time.Hour)
	x.enqueue(e, claiming("q", "b", "k2"))
	x.must(moving(broker.Delete, "a", "b"))
	x.claimed("held", lasting("c"), "a")
	if err := x.remove("q", false); err != nil {
		x.Fatalf("Remove() = %v, want nil", err)
	}
	x.freed("removed")
}

func removeOthers(x *trial) {
	x.enqueue(entry("p", "a"), entry("q:p", "a"), entry("q", "a"))
	x.must(settling(x.lease("p", 1)[0], broker.Completed), moving(broker.Delete, "a"))
	x.pause("q:p", true)
	if err := x.remove("q", true); err != nil {
		x.Fatalf("Remove() = %v, want nil", err)
	}
	equal(x, "names", x.names(), []string{"p", "q:p"})
	equal(x, "processed in p", x.counts("p").ProcessedTotal, 1)
	equal(x, "paused", x.counts("q:p").Paused, true)
}

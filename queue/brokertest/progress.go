package brokertest

import (
	"bytes"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var progressPromises = []promise{
	{"progress is stored with its entry, and replaces what was there", progressStored},
	{"progress stays with the entry, whatever becomes of it", progressStays},
	{"who does not hold the lease reports nothing", progressLost},
	{"each lease has its answer, in order, and lasts no longer by that", progressAnswers},
	{"members of batches report, too", progressBatch},
	{"progress may be binary and of four kibibytes", progressLarge},
}

func progressStored(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	equal(x, "progress before", x.get("q", "a").Progress, nil)
	for _, data := range []string{"first", "", "second"} {
		equal(x, "held", x.report(data, l), []broker.Held{broker.Kept})
		equal(x, "progress", string(x.get("q", "a").Progress), data)
		equal(x, "listed", string(x.page(broker.ListRequest{Queue: "q", State: task.Active, Limit: 1})[0].Progress), data)
	}
}

func progressStays(x *trial) {
	x.enqueue(entry("q", "a"))
	x.report("half", x.leaseFor("q", 4*time.Second))
	stays := func(what string) {
		x.Helper()
		equal(x, "progress when "+what, string(x.get("q", "a").Progress), "half")
	}
	x.pass(4 * time.Second)
	x.advance("q")
	stays("recovered")
	x.must(settling(x.leaseOne("q"), broker.Released))
	stays("released")
	x.must(settling(x.leaseOne("q"), broker.Retry))
	stays("to be retried")
	x.must(moving(broker.Run, "a"))
	stays("run")
	x.must(settling(x.leaseOne("q"), broker.Completed))
	stays("completed")
	x.must(moving(broker.Archive, "a"))
	stays("archived")
	x.must(moving(broker.Delete, "a"))
	x.enqueue(entry("q", "a"))
	equal(x, "progress of one that has its id", x.get("q", "a").Progress, nil)
}

func progressLost(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	l := x.leaseOne("q")
	wrong, pending, unknown := l, broker.Lease{Entry: entry("q", "b")}, broker.Lease{Entry: entry("none", "a"), Token: l.Token}
	wrong.Token = "wrong"
	equal(x, "held", x.report("half", wrong, pending, unknown), []broker.Held{broker.Lost, broker.Lost, broker.Lost})
	equal(x, "progress", x.get("q", "a").Progress, nil)
	x.must(settling(l, broker.Retry))
	equal(x, "held when it is settled", x.report("half", l), []broker.Held{broker.Lost})
	equal(x, "progress", x.get("q", "a").Progress, nil)
	equal(x, "queues", x.queues(), []string{"q"})
}

func progressAnswers(x *trial) {
	x.enqueue(entries("q", "a", "b", "c")...)
	l := x.lease("q", 3)
	x.must(settling(l[1], broker.Done), moving(broker.Cancel, "c"))
	x.pass(time.Second)
	equal(x, "held", x.report("half", l...), []broker.Held{broker.Kept, broker.Lost, broker.Asked})
	equal(x, "until", x.get("q", "a").Until, l[0].Until)
	equal(x, "held of none", x.report("half"), nil)
}

func progressBatch(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"))
	l := x.gather("g", "t", 1).Members
	l = append(l, broker.Lease{Entry: grouped("b", "g"), Token: "t"})
	equal(x, "held", x.report("half", l...), []broker.Held{broker.Kept, broker.Lost})
	equal(x, "progress", string(x.get("q", "a").Progress), "half")
}

func progressLarge(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	data := bytes.Repeat([]byte("\x00\xff\r\n"), broker.MaxProgress/4)
	x.report(string(data), l)
	equal(x, "progress", x.get("q", "a").Progress, data)
	_, err := x.b.Report(x.Context(), time.Now(), broker.Progress{LeaseRef: l.Ref(), Data: append(data, 0)})
	x.invalid("one byte more", err)
	x.refusal("one byte more", err)
	equal(x, "progress", len(x.get("q", "a").Progress), broker.MaxProgress)
}

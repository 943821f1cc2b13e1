package brokertest

import (
	"bytes"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var ripePromises = []promise{
	{"a group is ripe when the payloads of its oldest entries have enough bytes", ripeBytes},
	{"a batch has no more bytes than are asked for, but one entry at least", ripeFit},
	{"payloads of all lengths are weighed exactly", ripeLengths},
	{"what is not ripe says when it is", ripeNext},
	{"a batch says when the rest of its group is ripe", ripeRest},
	{"a group in which nothing waits is never ripe", ripeNever},
}

// heavy returns an entry of group g of q with a payload of so many bytes.
func heavy(id string, size int) broker.Entry {
	e := grouped(id, "g")
	e.Payload = bytes.Repeat([]byte{'x'}, size)
	return e
}

// atLeisure asks for a batch of group g of q, which is not ripe by itself for an hour.
func atLeisure(token string, size int, most int64) broker.GatherRequest {
	return broker.GatherRequest{
		Queue: "q", Group: "g", Token: token, Grace: time.Hour, MaxSize: size, MaxBytes: most,
		Until: time.Now().Add(time.Minute),
	}
}

func ripeBytes(x *trial) {
	x.enqueue(heavy("a", 60))
	x.pass(time.Second)
	x.enqueue(heavy("b", 39))
	x.ripe("99 of 100 bytes", atLeisure("t", 10, 100), false)
	x.pass(time.Second)
	x.enqueue(heavy("c", 1), heavy("d", 0))
	x.ripe("without a limit", atLeisure("t", 10, 0), false)
	equal(x, "members", leasedIDs(x.gatherAs(atLeisure("t", 10, 100)).Members), []string{"a", "b", "c", "d"})
}

func ripeFit(x *trial) {
	for i, size := range []int{40, 40, 30, 200, 10, 90} {
		x.enqueue(heavy(string(rune('a'+i)), size))
		x.pass(time.Second)
	}
	for _, want := range [][]string{{"a", "b"}, {"c"}, {"d"}, {"e", "f"}} {
		b := x.gatherAs(atLeisure("t-"+want[0], 10, 100))
		equal(x, "members", leasedIDs(b.Members), want)
	}
}

func ripeLengths(x *trial) {
	for i, size := range []int{0, 1, 127, 128, 16_383, 16_384, 70_000} {
		e := heavy(string(rune('a'+i)), size)
		e.Type = string(bytes.Repeat([]byte{'t'}, 1+size%200))
		x.enqueue(e)
		if size > 0 {
			x.ripe("one byte less than are asked for", atLeisure("t-"+e.ID, 10, int64(size)+1), false)
		}
		b := x.gatherAs(atLeisure("u-"+e.ID, 1, int64(size)))
		equal(x, "members", leasedIDs(b.Members), []string{e.ID})
	}
}

func ripeNext(x *trial) {
	start := time.Now()
	x.enqueue(grouped("a", "g"))
	r := atLeisure("t", 10, 100)
	equal(x, "by its grace", x.gatherAs(r), broker.Batch{Next: start.Add(time.Hour)})
	r.MaxDelay = 90*time.Minute - time.Millisecond
	x.pass(40 * time.Minute)
	x.enqueue(grouped("b", "g"))
	equal(x, "by its longest delay", x.gatherAs(r), broker.Batch{Next: start.Add(90 * time.Minute)})
	r.MaxDelay = 2 * time.Hour
	equal(x, "by its grace anew", x.gatherAs(r), broker.Batch{Next: start.Add(100 * time.Minute)})
	x.pass(time.Hour - time.Millisecond)
	equal(x, "a moment before", x.gatherAs(r).Token, "")
	x.pass(time.Millisecond)
	equal(x, "members then", len(x.gatherAs(r).Members), 2)
}

func ripeRest(x *trial) {
	start := time.Now()
	x.enqueue(heavy("a", 60), heavy("b", 60))
	x.pass(time.Second)
	x.enqueue(heavy("c", 40), heavy("d", 1))
	x.pass(200 * time.Millisecond)
	b := x.gatherAs(atLeisure("t", 4, 100))
	equal(x, "members", leasedIDs(b.Members), []string{"a"})
	equal(x, "next of enough bytes", b.Next, time.Now())
	b = x.gatherAs(atLeisure("u", 2, 0))
	equal(x, "members", leasedIDs(b.Members), []string{"b", "c"})
	equal(x, "next of too few", b.Next, start.Add(time.Second+time.Hour))
	equal(x, "next as it is asked for again", x.gatherAs(atLeisure("u", 2, 0)).Next, b.Next)
	x.pass(2 * time.Hour)
	equal(x, "next long after its time", x.gatherAs(atLeisure("t", 2, 0)).Next, time.Now())
}

func ripeNever(x *trial) {
	equal(x, "of no queue", x.gatherAs(atLeisure("t", 1, 1)), broker.Batch{})
	x.enqueue(grouped("a", "g"))
	b := x.gatherAs(atLeisure("t", 1, 1))
	equal(x, "members", leasedIDs(b.Members), []string{"a"})
	equal(x, "next of the rest", b.Next, time.Time{})
	equal(x, "of one whose entries are frozen", x.gatherAs(atLeisure("u", 1, 1)), broker.Batch{})
	x.must(settling(b.Members[0], broker.Done))
	equal(x, "of one that is empty", x.gatherAs(atLeisure("v", 1, 1)), broker.Batch{})
}

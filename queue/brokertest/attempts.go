package brokertest

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var attemptPromises = []promise{
	{"the attempt of a settlement is kept with its entry, in milliseconds", attemptKept},
	{"the last ten attempts are kept, the last one last", attemptTen},
	{"a released attempt leaves no record", attemptReleased},
	{"a lease that ran out stands among the attempts", attemptRanOut},
	{"a list leaves attempts out", attemptListed},
	{"attempts stay with an entry that is run again, and go with it", attemptStays},
}

// attempted settles l with a record of an attempt.
func (x *trial) attempted(l broker.Lease, to broker.Outcome, err string) broker.Attempt {
	x.Helper()
	s := settled(l, to)
	s.At = time.Now().Add(2 * time.Hour)
	s.Attempt = &broker.Attempt{Started: time.Now().Add(-1500 * time.Microsecond), Ended: time.Now().Add(time.Microsecond), Worker: "host:1 ü", Err: err}
	if to == broker.Archived {
		s.Attempt.Stack = "main.töö()\n    main.go:9"
	}
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	a := *s.Attempt
	a.Started, a.Ended = broker.CeilMilli(a.Started), broker.CeilMilli(a.Ended)
	return a
}

func attemptKept(x *trial) {
	for _, to := range []broker.Outcome{broker.Completed, broker.Retry, broker.Archived} {
		id := to.String()
		x.enqueue(entry("q", id))
		a := x.attempted(x.leaseOne("q"), to, "schlüg fehl 😀 of "+id)
		equal(x, id, x.get("q", id).Attempts, []broker.Attempt{a})
	}
	x.enqueue(entry("q", "none"))
	x.must(settling(x.leaseOne("q"), broker.Retry))
	equal(x, "of a settlement without one", x.get("q", "none").Attempts, nil)
	s := settled(x.broughtNext("bare"), broker.Archived)
	s.Attempt = &broker.Attempt{Ended: time.Now()}
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	equal(x, "a bare one", x.get("q", "bare").Attempts, []broker.Attempt{*s.Attempt})
}

func attemptTen(x *trial) {
	x.enqueue(entry("q", "a"))
	var want []broker.Attempt
	for i := range 13 {
		want = append(want, x.attempted(x.leaseOne("q"), broker.Retry, fmt.Sprint("failure ", i)))
		x.pass(time.Second)
		x.must(moving(broker.Run, "a"))
		equal(x, "attempts", x.get("q", "a").Attempts, want[max(0, len(want)-broker.MaxAttempts):])
	}
}

func attemptReleased(x *trial) {
	x.enqueue(entry("q", "a"))
	x.attempted(x.leaseOne("q"), broker.Released, "stopped")
	equal(x, "attempts", x.get("q", "a").Attempts, nil)
}

func attemptRanOut(x *trial) {
	x.enqueue(entry("q", "a"))
	x.crash("a", 1)
	want := []broker.Attempt{{Ended: time.Now(), Err: broker.LeaseRanOut}}
	x.pass(time.Second)
	want = append(want, x.attempted(x.leaseOne("q"), broker.Retry, "failed"))
	x.must(moving(broker.Run, "a"))
	x.crash("a", 1)
	want = append(want, broker.Attempt{Ended: time.Now(), Err: broker.LeaseRanOut})
	equal(x, "attempts", x.get("q", "a").Attempts, want)
}

func attemptListed(x *trial) {
	x.enqueue(entry("q", "a"))
	x.attempted(x.leaseOne("q"), broker.Archived, "failed")
	equal(x, "listed", x.page(broker.ListRequest{Queue: "q", State: task.Archived, Limit: 1})[0].Attempts, nil)
}

func attemptStays(x *trial) {
	x.enqueue(entry("q", "a"))
	a := x.attempted(x.leaseOne("q"), broker.Archived, "failed")
	x.must(moving(broker.Run, "a"))
	equal(x, "attempts when it is run again", x.get("q", "a").Attempts, []broker.Attempt{a})
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.enqueue(entry("q", "a"))
	equal(x, "attempts of one that has its id", x.get("q", "a").Attempts, nil)
}

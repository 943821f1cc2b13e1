package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var crashPromises = []promise{
	{"a lease that runs out counts as a crash and is recorded", crashCounts},
	{"any outcome but released forgets the crashes", crashOutcomes},
	{"what an enqueue or a settlement says of crashes does not count", crashReadOnly},
	{"the next lease says how many crashes there were", crashLeased},
	{"no lease is taken back for five seconds after nobody advanced for longer than that", crashAway},
	{"five seconds without an advance are not too long", crashNotAway},
	{"five seconds and a part of a millisecond are too long", crashJustAway},
	{"the time before a queue's first lease does not count", crashIdle},
	{"a lease that is taken as the last member of a batch is settled is a first one", crashAfterBatch},
	{"what is due and past is advanced all the same", crashAwayOthers},
	{"leases of other queues are taken back", crashAwayQueues},
	{"no batch is given back, either", crashAwayBatch},
}

func crashCounts(x *trial) {
	x.enqueue(entry("q", "a"))
	for i := range 3 {
		x.crash("a", 1)
		s := x.get("q", "a")
		equal(x, "crashes", s.Crashes, i+1)
		equal(x, "attempts", len(s.Attempts), i+1)
		equal(x, "the last", s.Attempts[i], broker.Attempt{Ended: time.Now(), Err: broker.LeaseRanOut})
		equal(x, "retries", s.Retried, 0)
	}
	x.figures("after", 0, 0)
}

func crashOutcomes(x *trial) {
	for _, to := range []broker.Outcome{broker.Completed, broker.Retry, broker.Archived, broker.Released} {
		id := "id-" + to.String()
		x.enqueue(entry("q", id))
		x.crash(id, 2)
		x.must(settling(x.leaseOne("q"), to))
		want := 0
		if to == broker.Released {
			want = 2
		}
		equal(x, "crashes after "+to.String(), x.get("q", id).Crashes, want)
	}
}

func crashReadOnly(x *trial) {
	e := entry("q", "a")
	e.Crashes = 4
	x.enqueue(e)
	equal(x, "crashes when enqueued", x.get("q", "a").Crashes, 0)
	l := x.leaseOne("q")
	l.Entry.Crashes = 5
	x.must(settling(l, broker.Retry))
	equal(x, "crashes when retried", x.get("q", "a").Crashes, 0)
}

func crashLeased(x *trial) {
	e := entry("q", "a")
	e.MaxCrashes = 2
	x.enqueue(e)
	x.crash("a", 2)
	got := x.leaseOne("q").Entry
	equal(x, "crashes and how many may be", []int{got.Crashes, got.MaxCrashes}, []int{2, 2})
}

func crashAway(x *trial) {
	x.enqueue(entry("q", "a"))
	x.leaseOne("q")
	x.pass(10 * time.Second)
	until := time.Now().Add(5 * time.Second)
	equal(x, "advanced at once", x.advance("q"), broker.Advanced{Next: until})
	x.pass(2500 * time.Millisecond)
	equal(x, "advanced meanwhile", x.advance("q"), broker.Advanced{Next: until})
	x.pass(2499 * time.Millisecond)
	equal(x, "advanced before", x.advance("q"), broker.Advanced{Next: until})
	x.pass(time.Millisecond)
	equal(x, "advanced then", x.advance("q"), broker.Advanced{Recovered: 1})
}

func crashNotAway(x *trial) {
	x.enqueue(entry("q", "a"))
	x.leaseOne("q")
	for range 2 {
		x.pass(5 * time.Second)
		x.advance("q")
	}
	x.pending("", "a")
	x.leaseOne("q")
	x.pass(5*time.Second + time.Millisecond)
	x.advance("q")
	x.pass(5 * time.Second)
	equal(x, "recovered after one was late", x.advance("q").Recovered, 1)
}

func crashJustAway(x *trial) {
	x.enqueue(entry("q", "a"))
	x.pass(200 * time.Microsecond)
	x.leaseFor("q", 5*time.Second)
	x.pass(5*time.Second + 400*time.Microsecond) // as many milliseconds, rounded up, as five seconds
	until := broker.CeilMilli(time.Now().Add(5 * time.Second))
	equal(x, "advanced", x.advance("q"), broker.Advanced{Next: until})
}

func crashAfterBatch(x *trial) {
	x.enqueue(entry("q", "a"))
	x.enqueue(grouped("b", "g"))
	batch := x.gather("g", "t", 1)
	x.enqueue(grouped("waits", "g"))
	x.pass(time.Hour)
	settle := settling(batch.Members[0], broker.Done)
	now := time.Now()
	applied, err := x.b.Apply(x.Context(), now, []broker.Change{settle}, broker.LeaseRequest{
		Queues: []broker.Share{{Queue: "q", First: 1}}, Max: 1, Until: now.Add(4 * time.Second),
	})
	if err != nil || applied.Outcomes[0] != nil || len(applied.Leases) != 1 {
		x.Fatalf("Apply() = %+v, %v, want one lease", applied, err)
	}
	x.pass(4 * time.Second)
	equal(x, "recovered", x.advance("q").Recovered, 1)
}

func crashIdle(x *trial) {
	x.enqueue(entry("q", "a"))
	x.advance("q")
	x.pass(time.Hour)
	x.leaseFor("q", 4*time.Second)
	x.pass(4 * time.Second)
	equal(x, "recovered", x.advance("q").Recovered, 1)
	x.must(settling(x.leaseOne("q"), broker.Released))
	x.pass(time.Hour)
	x.leaseFor("q", 4*time.Second)
	x.pass(5 * time.Second)
	equal(x, "recovered after a pause", x.advance("q").Recovered, 1)
}

func crashAwayOthers(x *trial) {
	x.enqueue(entry("q", "completed"))
	s := settled(x.leaseOne("q"), broker.Completed)
	s.At = time.Now().Add(time.Second)
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	x.enqueue(entry("q", "leased"))
	x.leaseOne("q")
	x.enqueue(scheduled("q", "due", time.Second))
	x.pass(time.Minute)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Due: 1, Expired: 1, Next: time.Now().Add(5 * time.Second)})
	x.in("leased", task.Active, "leased")
}

func crashAwayQueues(x *trial) {
	for _, queue := range []string{"p", "q"} {
		x.enqueue(entry(queue, "a"))
		x.leaseOne(queue)
	}
	x.awake(10*time.Second, "q")
	a := x.advance("p", "q")
	equal(x, "recovered", a.Recovered, 1)
	x.pending("", "a")
	equal(x, "next", a.Next, time.Now().Add(5*time.Second))
}

func crashAwayBatch(x *trial) {
	x.enqueue(grouped("a", "g"))
	x.gather("g", "t", 1)
	x.pass(time.Minute)
	until := time.Now().Add(5 * time.Second)
	equal(x, "advanced at once", x.advance("q"), broker.Advanced{Next: until})
	x.pass(5 * time.Second)
	equal(x, "advanced then", x.advance("q"), broker.Advanced{Returned: 1})
	equal(x, "waiting", x.waiting("g"), []string{"a"})
}

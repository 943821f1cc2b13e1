package brokertest

import (
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var closePromises = []promise{
	{"a closed home is gone at its time, and not before", closeAtTime},
	{"a later close replaces an earlier one, either way", closeReplaced},
	{"a home is written to until it is deleted", closeWritten},
	{"a deleted home begins anew", closeAnew},
	{"entries of a deleted home stay in their queues", closeEntriesStay},
	{"what a latch has not released goes with its home", closeUnreleased},
	{"a home is closed by the change that writes its last", closeWithChange},
	{"homes are closed in order of their time, at most as many as asked for", closeLimit},
	{"a home of many documents and latches is gone when Advance has no more to do", closeLarge},
}

// gone demands that nothing is left of home.
func (x *trial) gone(key, latch string) {
	x.Helper()
	equal(x, "documents", x.documents(home, key), []broker.Document{{Key: key}})
	if got, err := x.b.Latches(x.Context(), home, latch); !errors.Is(err, broker.ErrNotFound) {
		x.Errorf("Latches() = %v, %v, want %v", got, err, broker.ErrNotFound)
	}
}

// filled returns a change that puts document "k" and opens latch "l".
func filled() broker.Change {
	c := withDocuments(home, "k")
	c.Open = []broker.Latch{{ID: "l", Total: 1, Then: then("then")}}
	return c
}

// closing returns a change that closes home d from now.
func closing(d time.Duration) broker.Change {
	return broker.Change{Home: home, Close: time.Now().Add(d)}
}

func closeAtTime(x *trial) {
	x.must(filled(), closing(1500*time.Millisecond))
	end := time.Now().Add(1500 * time.Millisecond)
	x.pass(1499 * time.Millisecond)
	equal(x, "advanced before the end", x.advance(home.Queue), broker.Advanced{Next: end})
	equal(x, "documents", x.documents(home, "k")[0].Version, int64(1))
	x.state("", broker.LatchState{ID: "l", Total: 1})
	x.pass(time.Millisecond)
	equal(x, "advanced at the end", x.advance(home.Queue), broker.Advanced{Closed: 1})
	x.gone("k", "l")
}

func closeReplaced(x *trial) {
	x.must(filled(), closing(time.Minute), closing(time.Hour))
	x.pass(time.Minute)
	equal(x, "closed at the earlier time", x.advance(home.Queue).Closed, 0)
	x.must(closing(time.Second))
	x.pass(time.Second)
	equal(x, "advanced", x.advance(home.Queue), broker.Advanced{Closed: 1})
	x.gone("k", "l")
}

func closeWritten(x *trial) {
	x.must(filled(), closing(0))
	x.pass(time.Hour)
	x.must(broker.Change{Home: home, Put: []broker.Put{{Key: "k", If: 1}}, Arrive: []broker.Arrival{{Latch: "l"}}})
	x.pending("", "then")
	equal(x, "closed", x.advance(home.Queue).Closed, 1)
	x.gone("k", "l")
	x.notFound("arrival at a latch of a deleted home", arrive("l", 0))
}

func closeAnew(x *trial) {
	x.must(filled(), withDocuments(home, "k2"), closing(0))
	x.advance(home.Queue)
	x.must(filled())
	equal(x, "documents", x.documents(home, "k", "k2"), []broker.Document{{Key: "k", Version: 1, Body: []byte("k")}, {Key: "k2"}})
	x.state("", broker.LatchState{ID: "l", Total: 1})
	x.pass(time.Hour)
	equal(x, "advanced", x.advance(home.Queue), broker.Advanced{})
}

func closeEntriesStay(x *trial) {
	e := entry(home.Queue, "a")
	e.Home, e.Reads = home, []string{"k"}
	c := filled()
	c.Enqueue = []broker.Entry{e}
	x.must(c, closing(0))
	equal(x, "advanced", x.advance(home.Queue), broker.Advanced{Closed: 1})
	l := x.leaseOne(home.Queue)
	equal(x, "leased", l.Entry, e)
	equal(x, "documents", l.Documents, []broker.Document{{Key: "k"}})
}

func closeUnreleased(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 3, Window: 1}), feed("l", "a", "b", "c"), closing(0))
	x.advance(home.Queue)
	x.pending("", "a")
	x.must(open(broker.Latch{ID: "l", Total: 3, Window: 1}), arrive("l", 0))
	x.pending("", "a")
	x.state("", broker.LatchState{ID: "l", Total: 3, Arrived: 1})
}

func closeWithChange(x *trial) {
	x.enqueue(entry("q", "a"))
	c := settling(x.leaseOne("q"), broker.Done)
	c.Home, c.Put, c.Close = home, []broker.Put{{Key: "result"}}, time.Now().Add(time.Hour)
	x.must(c)
	equal(x, "next", x.advance(home.Queue).Next, c.Close)
	x.pass(time.Hour)
	equal(x, "closed", x.advance(home.Queue, "q").Closed, 1)
	x.gone("result", "l")
}

func closeLimit(x *trial) {
	var homes []broker.Home
	for i := range 5 {
		h := broker.Home{Queue: "runs", ID: fmt.Sprint(i)}
		homes = append(homes, h)
		c := withDocuments(h, "k")
		c.Close = time.Now().Add(time.Duration(5-i) * time.Millisecond)
		x.must(c)
	}
	x.pass(time.Second)
	left := func() (ids []string) {
		for _, h := range homes {
			if x.documents(h, "k")[0].Version > 0 {
				ids = append(ids, h.ID)
			}
		}
		return ids
	}
	equal(x, "closed", x.advanceAtMost(2, "runs").Closed, 2)
	equal(x, "left", left(), []string{"0", "1", "2"})
	equal(x, "closed beside another queue", x.advanceAtMost(2, "other").Closed, 0)
	equal(x, "closed", x.advanceAtMost(10, "other", "runs").Closed, 3)
	equal(x, "left", left(), nil)
}

func closeLarge(x *trial) {
	for page := range 3 {
		c := broker.Change{Home: home}
		for i := range 500 {
			id := fmt.Sprintf("%d-%d", page, i)
			c.Put = append(c.Put, broker.Put{Key: id, Body: []byte(id)})
			c.Open = append(c.Open, broker.Latch{ID: id, Total: 2})
		}
		x.must(c)
	}
	x.must(closing(0))
	for range 100 {
		if next := x.advance(home.Queue).Next; next.IsZero() {
			break
		}
	}
	x.gone("0-0", "0-0")
	x.gone("2-499", "2-499")
	equal(x, "pending", x.list("q", task.Pending), nil)
	x.must(withDocuments(home, "k"))
	equal(x, "version", x.documents(home, "k")[0].Version, int64(1))
}

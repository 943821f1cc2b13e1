package brokertest

import (
	"errors"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var quotaPromises = []promise{
	{"documents up to the quota are written, and a byte more is refused", quotaEdge},
	{"a quota counts all documents of its home, and of no other", quotaAll},
	{"of a document that is replaced the quota counts the new body", quotaReplaced},
	{"a change that is over its quota leaves nothing", quotaNothing},
	{"a quota holds for its change only, and only for one that puts", quotaOnce},
	{"a home that is too large stays so until it is within the quota", quotaShrinks},
	{"conflicts are found before the quota, and what else is wrong after it", quotaOrder},
	{"changes of one call count what those before them wrote", quotaCall},
	{"a home that begins anew has all of its quota", quotaAnew},
}

// putting returns a change that puts bodies of sizes, by key, whatever is there.
func putting(quota int64, sizes map[string]int) broker.Change {
	c := broker.Change{Home: home, Quota: quota}
	for key, size := range sizes {
		c.Put = append(c.Put, broker.Put{Key: key, Body: make([]byte, size), If: broker.AnyVersion})
	}
	return c
}

// over demands that c is refused because its home would have so many bytes.
func (x *trial) over(what string, c broker.Change, bytes int64) {
	x.Helper()
	x.overAs(what, x.refused(c), broker.QuotaError{Home: c.Home, Bytes: bytes, Quota: c.Quota})
}

// overAs demands that err is as told.
func (x *trial) overAs(what string, err error, want broker.QuotaError) {
	x.Helper()
	found, ok := errors.AsType[*broker.QuotaError](err)
	if !ok || !errors.Is(err, broker.ErrQuota) {
		x.Errorf("%s: outcome = %v, want a QuotaError", what, err)
		return
	}
	equal(x, what, *found, want)
}

func quotaEdge(x *trial) {
	x.over("a byte too many", putting(9, map[string]int{"a": 7, "b": 3}), 10)
	x.must(putting(10, map[string]int{"a": 7, "b": 3}))
	x.over("one byte more", putting(10, map[string]int{"c": 1}), 11)
	x.must(putting(10, map[string]int{"c": 0}), putting(11, map[string]int{"c": 1}))
}

func quotaAll(x *trial) {
	x.must(putting(0, map[string]int{"a": 1000, "b": 500}), putting(0, map[string]int{"c": 20}))
	other := putting(0, map[string]int{"a": 5000})
	other.Home.ID = "run~3"
	x.must(other)
	x.over("with what was written without a quota", putting(1520, map[string]int{"d": 1}), 1521)
	x.must(putting(1521, map[string]int{"d": 1}))
}

func quotaReplaced(x *trial) {
	x.must(putting(100, map[string]int{"a": 60, "b": 40}))
	x.over("a larger one", putting(100, map[string]int{"a": 61}), 101)
	x.must(putting(100, map[string]int{"a": 30}), putting(100, map[string]int{"a": 60}))
	x.must(putting(100, map[string]int{"a": 40, "b": 60}))
	x.over("two", putting(100, map[string]int{"a": 41, "b": 60}), 101)
	at := broker.Change{Home: home, Quota: 100, Put: []broker.Put{{Key: "a", Body: make([]byte, 41), If: x.documents(home, "a")[0].Version}}}
	x.over("one at its version", at, 101)
	at.Put[0].Body = nil
	x.must(at)
	x.over("beside none", putting(100, map[string]int{"c": 41}), 101)
	x.must(putting(100, map[string]int{"c": 40}))
}

func quotaNothing(x *trial) {
	x.must(withDocuments(home, "a"))
	x.enqueue(entry("q", "leased"))
	l := x.leaseOne("q")
	c := putting(10, map[string]int{"a": 5, "b": 6})
	c.Settle = []broker.Settlement{settled(l, broker.Done)}
	c.Enqueue, c.Drain = entries("q", "new"), of(home, "last")
	c.Open = []broker.Latch{{ID: "l", Total: 1}}
	c.List, c.Close = &broker.Listing{At: time.Now()}, time.Now()
	x.over("all of it", c, 11)
	equal(x, "documents", x.documents(home, "a", "b"), []broker.Document{{Key: "a", Version: 1, Body: []byte("a")}, {Key: "b"}})
	equal(x, "counts", x.counts("q"), broker.Counts{Queue: "q", Active: 1})
	x.homesAre("", broker.HomesRequest{Queue: home.Queue})
	equal(x, "advanced", x.advance(home.Queue), broker.Advanced{})
	c.Quota = 11
	x.must(c)
	equal(x, "documents", x.documents(home, "a", "b")[0].Version+x.documents(home, "b")[0].Version, int64(2+3))
}

func quotaOnce(x *trial) {
	x.must(putting(10, map[string]int{"a": 10}), putting(0, map[string]int{"b": 100}))
	without := broker.Change{Home: home, Quota: 10, Require: []broker.Condition{{Key: "c"}}, Enqueue: entries("q", "a"), Open: []broker.Latch{{ID: "l", Total: 1}}}
	x.must(without, broker.Change{Quota: 1, Enqueue: entries("q", "b")})
	x.pending("", "a", "b")
	x.over("a put of nothing", putting(10, map[string]int{"c": 0}), 110)
}

func quotaShrinks(x *trial) {
	x.must(putting(0, map[string]int{"a": 100, "b": 100}))
	x.over("smaller, not small enough", putting(100, map[string]int{"a": 50}), 150)
	x.must(putting(100, map[string]int{"a": 50, "b": 50}), putting(0, map[string]int{"b": 60}), putting(100, map[string]int{"a": 40}))
}

func quotaOrder(x *trial) {
	x.enqueue(entry("q", "taken"))
	c := broker.Change{Home: home, Quota: 5, Enqueue: entries("q", "taken"), Require: []broker.Condition{{Key: "r", Version: 1}}}
	c.Put = []broker.Put{{Key: "a", Body: make([]byte, 6), If: 1}}
	x.conflict(c, broker.Document{Key: "r"})
	c.Require = nil
	x.conflict(c, broker.Document{Key: "a"})
	c.Put[0].If = 0
	x.over("when there is no conflict", c, 6)
	c.Quota = 6
	if err := x.refused(c); !errors.Is(err, broker.ErrExists) {
		x.Errorf("outcome = %v, want %v", err, broker.ErrExists)
	}
}

func quotaCall(x *trial) {
	outcomes := x.apply(
		putting(10, map[string]int{"a": 6}),
		putting(10, map[string]int{"b": 5}),
		putting(10, map[string]int{"a": 5}),
		putting(10, map[string]int{"b": 5}),
		putting(10, map[string]int{"c": 1}),
	)
	for i, bytes := range []int64{0, 11, 0, 0, 11} {
		if bytes > 0 {
			x.overAs("a later change", outcomes[i], broker.QuotaError{Home: home, Bytes: bytes, Quota: 10})
		} else if outcomes[i] != nil {
			x.Errorf("outcome %d = %v, want nil", i, outcomes[i])
		}
	}
}

func quotaAnew(x *trial) {
	x.must(putting(10, map[string]int{"a": 10}), closing(0))
	equal(x, "closed", x.advance(home.Queue).Closed, 1)
	x.must(putting(10, map[string]int{"b": 10}))
	x.over("when it is full again", putting(10, map[string]int{"a": 1}), 11)
}

package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var markPromises = []promise{
	{"headers of a settlement take the place of the entry's where that is kept", markKept},
	{"without headers it leaves those that are there, and with empty ones none", markNone},
	{"a released entry has them, and is otherwise as it was", markReleased},
	{"a released member of a batch has them, where it was in its group", markMember},
	{"a done entry that somebody waits for has them", markWatched},
	{"an entry that ends as cancelled has them", markCancelled},
	{"a refused settlement leaves the headers alone", markRefused},
	{"a settlement's headers are copied", markCopied},
}

var marks = map[string]string{"mark": "1", "trace": "00-cd", "Grüße": "日本\n\x00", "long": string(make([]byte, 300))}

// marking returns a change that settles l and leaves other headers.
func marking(l broker.Lease, to broker.Outcome, headers map[string]string) broker.Change {
	c := settling(l, to)
	c.Settle[0].Headers = headers
	return c
}

// malformedMarks lists settlements of l whose headers no broker accepts.
func malformedMarks(l broker.Lease) map[string]broker.Change {
	bad := func(to broker.Outcome) broker.Change { return marking(l, to, map[string]string{"\xff": "v"}) }
	return map[string]broker.Change{
		"a bad mark":                bad(broker.Retry),
		"a bad mark when released":  bad(broker.Released),
		"a bad mark when done":      bad(broker.Done),
		"too many marks":            marking(l, broker.Archived, headers(broker.MaxHeaders+1, 1)),
		"too large marks":           marking(l, broker.Completed, headers(2, broker.MaxHeaderBytes/2+1)),
		"too many marks to release": marking(l, broker.Released, headers(broker.MaxHeaders+1, 1)),
	}
}

func markKept(x *trial) {
	for _, to := range []broker.Outcome{broker.Completed, broker.Retry, broker.Archived} {
		id := "id-" + to.String()
		x.enqueue(full("q", id))
		x.must(marking(x.leaseOne("q"), to, marks))
		want := full("q", id)
		want.Headers = marks
		got := x.get("q", id).Entry
		got.DueAt = time.Time{}
		equal(x, to.String(), got, want)
	}
	x.must(moving(broker.Run, "id-retry"))
	equal(x, "leased", x.leaseOne("q").Entry.Headers, marks)
}

func markNone(x *trial) {
	for _, to := range []broker.Outcome{broker.Retry, broker.Released} {
		id := "id-" + to.String()
		x.enqueue(full("q", id))
		before := full("q", id).Headers
		for _, c := range []struct{ headers, want map[string]string }{{nil, before}, {marks, marks}, {nil, marks}, {map[string]string{}, nil}} {
			x.must(marking(x.leaseOne("q"), to, c.headers))
			equal(x, to.String(), x.get("q", id).Headers, c.want)
			if to == broker.Retry {
				x.must(moving(broker.Run, id))
			}
		}
		x.must(settling(x.leaseOne("q"), broker.Done))
	}
}

func markReleased(x *trial) {
	x.enqueue(full("q", "a"), entry("q", "b"))
	version := x.get("q", "a").Version
	x.must(broker.Change{Settle: []broker.Settlement{left(marking(x.leaseOne("q"), broker.Released, marks).Settle[0])}})
	want := broker.Stored{Entry: full("q", "a"), State: task.Pending}
	want.Headers = marks
	got := x.get("q", "a")
	equal(x, "stored", got, want)
	if got.Version == version {
		x.Errorf("its version is %q, as before", version)
	}
	equal(x, "pending", x.list("q", task.Pending), []string{"a", "b"})
	equal(x, "leased", x.leaseOne("q").Entry, want.Entry)
}

func markMember(x *trial) {
	e := full("q", "a")
	e.Group = "g"
	x.enqueue(e)
	x.pass(time.Second)
	x.enqueue(grouped("b", "g"))
	l := x.gather("g", "t", 1).Members[0]
	x.must(broker.Change{Settle: []broker.Settlement{left(marking(l, broker.Released, marks).Settle[0])}})
	e.Headers = marks
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Aggregating})
	equal(x, "waiting", x.waiting("g"), []string{"a", "b"})
	l = x.gather("g", "u", 1).Members[0]
	equal(x, "gathered", l.Entry, e)
	x.must(marking(l, broker.Retry, nil))
	equal(x, "retried", x.get("q", "a").Headers, marks)
}

func markWatched(x *trial) {
	x.enqueue(full("q", "a"))
	l := x.leaseOne("q")
	x.must(watching("a"))
	x.must(marking(l, broker.Done, marks))
	got := x.get("q", "a")
	equal(x, "state", got.State, task.Completed)
	equal(x, "headers", got.Headers, marks)
}

func markCancelled(x *trial) {
	for _, to := range []broker.Outcome{broker.Retry, broker.Released} {
		id := "id-" + to.String()
		x.enqueue(full("q", id))
		l := x.leaseOne("q")
		x.must(moving(broker.Cancel, id))
		x.must(marking(l, to, marks))
		got := x.get("q", id)
		equal(x, to.String(), got.End, broker.Cancelled)
		equal(x, to.String(), got.Headers, marks)
	}
}

func markRefused(x *trial) {
	x.enqueue(full("q", "a"))
	l := x.leaseOne("q")
	c := marking(l, broker.Released, marks)
	c.Home, c.Require = home, []broker.Condition{{Key: "k", Version: 1}}
	x.refused(c)
	equal(x, "after a refusal", x.get("q", "a").Headers, full("q", "a").Headers)
	l.Token += "x"
	x.lost("with another token", marking(l, broker.Archived, marks))
	equal(x, "with another token", x.get("q", "a").Headers, full("q", "a").Headers)
}

func markCopied(x *trial) {
	x.enqueue(entry("q", "a"))
	given := map[string]string{"mark": "1"}
	x.must(marking(x.leaseOne("q"), broker.Retry, given))
	given["mark"] = "2"
	equal(x, "headers", x.get("q", "a").Headers, map[string]string{"mark": "1"})
}

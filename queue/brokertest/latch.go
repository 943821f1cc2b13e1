package brokertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var latchPromises = []promise{
	{"a latch completes with the last arrival and does Then in that commit", latchCompletes},
	{"a second arrival of a member changes nothing", latchDuplicate},
	{"arrivals at a latch that has completed change nothing", latchAfterwards},
	{"a latch of no members completes as it is opened", latchEmpty},
	{"a latch does Else if more members were marked than it tolerates", latchTolerate},
	{"the first arrival of a member decides whether it is marked", latchFirstMark},
	{"entries of Then that exist are skipped", latchSkipsExisting},
	{"entries of Then are scheduled, belong to homes and read like any others", latchEntries},
	{"arrivals of Then and Else go on to other latches in the same commit", latchCascade},
	{"arrivals are taken one after another, those that latches make last", latchArrivalOrder},
	{"a latch that is opened is fed and reached by the same change", latchSameChange},
	{"a latch id that is taken is refused, complete or not", latchTaken},
	{"an arrival or a feed needs its latch and its member", latchNotFound},
	{"arrivals of Then and Else need their latch and member when it is opened", latchPartsNotFound},
	{"a refused change leaves latches as they were", latchRefused},
	{"a latch without a window releases what it is fed at once", latchFeed},
	{"a window holds back what is fed until others have arrived", latchWindow},
	{"entries that exist when they are released are skipped and count as released", latchReleaseSkips},
	{"at StopAt marks a latch forgets what it has not released", latchStops},
	{"a stopped latch completes when all that were released have arrived", latchStopsEarly},
	{"a latch that has completed releases nothing more", latchReleasesNoMore},
	{"a latch that has stopped or completed ignores what it is fed", latchFeedIgnored},
	{"latches of another home are other latches", latchHomes},
	{"a wide latch counts each of its members once", latchWide},
	{"a chain of a hundred latches completes in one commit", latchChain},
}

// arrive returns a change by which unmarked members of a latch arrive.
func arrive(latch string, members ...int) broker.Change {
	c := broker.Change{Home: home}
	for _, m := range members {
		c.Arrive = append(c.Arrive, broker.Arrival{Latch: latch, Member: m})
	}
	return c
}

// marked returns a change by which marked members of a latch arrive.
func marked(latch string, members ...int) broker.Change {
	c := arrive(latch, members...)
	for i := range c.Arrive {
		c.Arrive[i].Mark = true
	}
	return c
}

// open returns a change that opens latches of home.
func open(latches ...broker.Latch) broker.Change { return broker.Change{Home: home, Open: latches} }

// feed returns a change that feeds a latch entries of home.
func feed(latch string, ids ...string) broker.Change {
	f := broker.Feed{Latch: latch, Entries: entries("q", ids...)}
	for i := range f.Entries {
		f.Entries[i].Home = home
	}
	return broker.Change{Home: home, Feed: []broker.Feed{f}}
}

// then returns the part that enqueues entries into q.
func then(ids ...string) broker.Part { return broker.Part{Enqueue: entries("q", ids...)} }

// pending demands that q holds these entries, ready in this order.
func (x *trial) pending(what string, ids ...string) {
	x.Helper()
	equal(x, "pending "+what, x.list("q", task.Pending), ids)
}

// state demands that a latch of home is as told.
func (x *trial) state(what string, want broker.LatchState) {
	x.Helper()
	equal(x, "latch "+what, x.latches(home, want.ID)[0], want)
}

func latchCompletes(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 3, Then: then("then", "then2"), Else: then("else")}))
	x.state("at first", broker.LatchState{ID: "l", Total: 3})
	x.must(arrive("l", 2), arrive("l", 0))
	x.state("then", broker.LatchState{ID: "l", Total: 3, Arrived: 2})
	x.pending("before the last arrival")
	applied := x.applyAnd(wanted("q", 5), arrive("l", 1))
	equal(x, "leased by the last arrival", leasedIDs(applied.Leases), []string{"then", "then2"})
	x.state("at last", broker.LatchState{ID: "l", Total: 3, Arrived: 3, Complete: true})
}

func latchDuplicate(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 2, Then: then("then")}))
	x.must(arrive("l", 1, 1), arrive("l", 1), marked("l", 1))
	x.state("after one member came four times", broker.LatchState{ID: "l", Total: 2, Arrived: 1})
	x.pending("before the other member")
	x.must(arrive("l", 0))
	x.pending("after the other member", "then")
}

func latchAfterwards(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 2, StopAt: 1, Then: then("then"), Else: then("else")}))
	x.must(marked("l", 0))
	x.pending("when it has stopped", "else")
	done := broker.LatchState{ID: "l", Total: 2, Arrived: 1, Marked: 1, Stopped: true, Complete: true}
	x.state("when it has stopped", done)
	x.must(arrive("l", 1), marked("l", 1), arrive("l", 0))
	x.state("afterwards", done)
	x.pending("afterwards", "else")
}

func latchEmpty(x *trial) {
	x.must(open(
		broker.Latch{ID: "a", Then: broker.Part{Enqueue: entries("q", "a"), Arrive: []broker.Arrival{{Latch: "b", Member: 0}}}, Else: then("else")},
		broker.Latch{ID: "b", Total: 1, Then: then("b")},
	))
	x.pending("when opened", "a", "b")
	x.state("", broker.LatchState{ID: "a", Complete: true})
	x.state("", broker.LatchState{ID: "b", Total: 1, Arrived: 1, Complete: true})
}

func latchTolerate(x *trial) {
	for tolerate := range 4 {
		for marks := range 4 {
			id := fmt.Sprintf("%d-of-%d", marks, tolerate)
			x.must(open(broker.Latch{ID: id, Total: 3, Tolerate: tolerate, Then: then("then"), Else: then("else")}))
			x.must(marked(id, []int{0, 1, 2}[:marks]...), arrive(id, []int{0, 1, 2}[marks:]...))
			x.state("", broker.LatchState{ID: id, Total: 3, Arrived: 3, Marked: marks, Complete: true})
			want := "then"
			if marks > tolerate {
				want = "else"
			}
			l := x.leaseOne("q")
			equal(x, fmt.Sprintf("entry when %d of 3 are marked and %d tolerated", marks, tolerate), l.Entry.ID, want)
			x.must(settling(l, broker.Done))
		}
	}
}

func latchFirstMark(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 2}))
	x.must(marked("l", 0), arrive("l", 0), arrive("l", 1), marked("l", 1))
	x.state("", broker.LatchState{ID: "l", Total: 2, Arrived: 2, Marked: 1, Complete: true})
}

func latchSkipsExisting(x *trial) {
	archived := entry("q", "archived")
	x.enqueue(archived)
	x.must(settling(x.leaseOne("q"), broker.Archived))
	waiting := entry("q", "waiting")
	waiting.Payload = []byte("as it was")
	x.enqueue(waiting)
	x.must(open(broker.Latch{ID: "l", Total: 1, Then: then("waiting", "new", "same", "archived")}))
	c := arrive("l", 0)
	c.Enqueue = entries("q", "same")
	x.must(c)
	x.pending("", "waiting", "same", "new")
	equal(x, "payload", string(x.get("q", "waiting").Payload), "as it was")
	equal(x, "archived", x.list("q", task.Archived), []string{"archived"})
}

func latchEntries(x *trial) {
	e := full("q", "full")
	e.Home = home
	later := scheduled("q", "later", time.Hour)
	past := scheduled("q", "past", time.Second)
	x.must(withDocuments(home, "z"))
	x.must(open(broker.Latch{ID: "l", Total: 1, Then: broker.Part{Enqueue: []broker.Entry{later, e, past}}}))
	x.pass(time.Minute)
	x.must(arrive("l", 0))
	x.pending("", "full", "past")
	equal(x, "scheduled", x.get("q", "later"), broker.Stored{Entry: later, State: task.Scheduled})
	l := x.leaseOne("q")
	equal(x, "leased", l.Entry, e)
	equal(x, "documents", l.Documents, []broker.Document{{Key: "z", Version: 1, Body: []byte("z")}, {Key: "a"}, {Key: "m"}})
}

func latchCascade(x *trial) {
	to := func(latch string, member int, mark bool) []broker.Arrival {
		return []broker.Arrival{{Latch: latch, Member: member, Mark: mark}}
	}
	x.must(open(
		broker.Latch{ID: "a", Total: 1, Then: broker.Part{Arrive: to("c", 0, false)}},
		broker.Latch{ID: "b", Total: 1, Then: then("not"), Else: broker.Part{Enqueue: entries("q", "b"), Arrive: to("c", 1, true)}},
		broker.Latch{ID: "c", Total: 2, Then: then("not"), Else: broker.Part{Enqueue: entries("q", "c"), Arrive: to("d", 0, true)}},
		broker.Latch{ID: "d", Total: 1, Tolerate: 1, Then: then("d")},
	))
	x.must(arrive("a", 0))
	x.state("", broker.LatchState{ID: "c", Total: 2, Arrived: 1})
	x.must(marked("b", 0))
	x.pending("", "b", "c", "d")
	x.state("", broker.LatchState{ID: "c", Total: 2, Arrived: 2, Marked: 1, Complete: true})
	x.state("", broker.LatchState{ID: "d", Total: 1, Arrived: 1, Marked: 1, Complete: true})
}

func latchArrivalOrder(x *trial) {
	chain := func(id, next string) broker.Latch {
		return broker.Latch{ID: id, Total: 1, Then: broker.Part{Enqueue: entries("q", id), Arrive: []broker.Arrival{{Latch: next, Member: 0}}}}
	}
	end := func(id string) broker.Latch { return broker.Latch{ID: id, Total: 1, Then: then(id)} }
	c := open(
		chain("a", "a2"), chain("a2", "a3"), end("a3"), chain("b", "b2"), end("b2"), chain("z", "z2"), end("z2"),
		broker.Latch{ID: "none", Then: broker.Part{Enqueue: entries("q", "none"), Arrive: []broker.Arrival{{Latch: "z", Member: 0}}}},
	)
	c.Enqueue = entries("q", "enqueued")
	c.Arrive = slices.Concat(arrive("a", 0).Arrive, arrive("b", 0).Arrive)
	x.must(c)
	x.pending("", "enqueued", "none", "z", "a", "b", "z2", "a2", "b2", "a3")
}

func latchSameChange(x *trial) {
	c := feed("l", "fed", "fed2", "fed3")
	c.Open = []broker.Latch{{ID: "l", Total: 3, Window: 2, Then: then("then")}}
	c.Arrive = arrive("l", 0).Arrive
	x.must(c)
	x.pending("", "fed", "fed2", "fed3")
	x.state("", broker.LatchState{ID: "l", Total: 3, Fed: 3, Released: 3, Arrived: 1})
}

func latchTaken(x *trial) {
	x.must(open(broker.Latch{ID: "open", Total: 2}, broker.Latch{ID: "complete"}))
	x.must(arrive("open", 0))
	for _, id := range []string{"open", "complete"} {
		err := x.refused(open(broker.Latch{ID: "new", Total: 1}, broker.Latch{ID: id, Total: 5}))
		found, ok := errors.AsType[*broker.ExistsError](err)
		if !ok || !errors.Is(err, broker.ErrExists) {
			x.Fatalf("outcome = %v, want an ExistsError", err)
		}
		equal(x, "refused", *found, broker.ExistsError{Latch: id})
	}
	x.state("", broker.LatchState{ID: "open", Total: 2, Arrived: 1})
	x.must(open(broker.Latch{ID: "new", Total: 1}))
}

// notFound demands that c is refused because something is not there.
func (x *trial) notFound(what string, c broker.Change) {
	x.Helper()
	if err := x.apply(c)[0]; !errors.Is(err, broker.ErrNotFound) {
		x.Errorf("%s: outcome = %v, want %v", what, err, broker.ErrNotFound)
	}
}

func latchNotFound(x *trial) {
	x.notFound("arrival at no home", arrive("l", 0))
	x.notFound("feed at no home", feed("l", "a"))
	x.notFound("feed of nothing at no home", feed("l"))
	x.must(open(broker.Latch{ID: "l", Total: 2}, broker.Latch{ID: "complete"}))
	x.notFound("arrival at no latch", arrive("none", 0))
	x.notFound("arrival of no member", arrive("l", 2))
	x.notFound("arrival of no member of a complete latch", arrive("complete", 0))
	x.notFound("feed of no latch", feed("none", "a"))
	x.notFound("feed of nothing to no latch", feed("none"))
	if got, err := x.b.Latches(x.Context(), home, "l", "none"); !errors.Is(err, broker.ErrNotFound) {
		x.Errorf("Latches() = %v, %v, want %v", got, err, broker.ErrNotFound)
	}
	equal(x, "no latches", x.latches(home), nil)
	x.state("", broker.LatchState{ID: "l", Total: 2})
}

func latchPartsNotFound(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 2}))
	opening := func(latch string, member int) (asThen, asElse broker.Change) {
		part := broker.Part{Arrive: []broker.Arrival{{Latch: latch, Member: member}}}
		other := broker.Latch{ID: "other", Total: 3}
		return open(broker.Latch{ID: "new", Total: 1, Then: part}, other), open(broker.Latch{ID: "new", Total: 1, Else: part}, other)
	}
	for what, to := range map[string]struct {
		latch  string
		member int
	}{"no latch": {"none", 0}, "no member": {"l", 2}, "no member of one opened with it": {"other", 3}} {
		asThen, asElse := opening(to.latch, to.member)
		x.notFound("Then goes to "+what, asThen)
		x.notFound("Else goes to "+what, asElse)
	}
	asThen, _ := opening("other", 2)
	x.must(asThen)
	x.must(open(broker.Latch{ID: "new2", Total: 1, Then: broker.Part{Arrive: []broker.Arrival{{Latch: "l", Member: 1}}}}))
}

func latchRefused(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 2, Window: 1, Then: then("then")}), feed("l", "a", "b"))
	before := broker.LatchState{ID: "l", Total: 2, Fed: 2, Released: 1}
	c := feed("l", "c")
	c.Open = []broker.Latch{{ID: "new", Then: then("new")}}
	c.Arrive = slices.Concat(arrive("l", 0, 1).Arrive, arrive("none", 0).Arrive)
	x.notFound("last arrival", c)
	x.state("", before)
	x.pending("", "a")
	x.notFound("latch of the refused change", arrive("new", 0))
	x.must(arrive("l", 0))
	x.pending("", "a", "b")
}

func latchFeed(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 4, Then: then("then")}))
	x.must(feed("l", "a", "b"))
	x.pending("", "a", "b")
	x.must(feed("l", "c"), feed("l"), feed("l", "d"))
	x.pending("", "a", "b", "c", "d")
	x.state("", broker.LatchState{ID: "l", Total: 4, Fed: 4, Released: 4})
	x.must(arrive("l", 0, 1, 2, 3))
	x.pending("", "a", "b", "c", "d", "then")
}

func latchWindow(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 6, Window: 2, Then: then("then")}))
	x.must(feed("l", "a", "b", "c"))
	x.pending("of the first feed", "a", "b")
	x.must(feed("l", "d", "e"))
	x.pending("of the second feed", "a", "b")
	x.state("", broker.LatchState{ID: "l", Total: 6, Fed: 5, Released: 2})
	x.must(arrive("l", 1, 1))
	x.pending("when one has arrived", "a", "b", "c")
	x.must(arrive("l", 0), arrive("l", 2))
	x.pending("when three have arrived", "a", "b", "c", "d", "e")
	x.must(marked("l", 3, 4))
	x.must(feed("l", "f"))
	x.pending("when the window has room", "a", "b", "c", "d", "e", "f")
	x.state("", broker.LatchState{ID: "l", Total: 6, Fed: 6, Released: 6, Arrived: 5, Marked: 2})
	x.must(arrive("l", 5))
	x.state("", broker.LatchState{ID: "l", Total: 6, Fed: 6, Released: 6, Arrived: 6, Marked: 2, Complete: true})
}

func latchReleaseSkips(x *trial) {
	x.enqueue(entries("q", "a", "c")...)
	x.must(open(broker.Latch{ID: "l", Total: 4, Window: 2}))
	x.must(feed("l", "a", "b", "c", "d"))
	x.pending("", "a", "c", "b")
	x.state("", broker.LatchState{ID: "l", Total: 4, Fed: 4, Released: 2})
	x.must(arrive("l", 0))
	x.state("", broker.LatchState{ID: "l", Total: 4, Fed: 4, Released: 3, Arrived: 1})
	x.must(arrive("l", 2))
	x.pending("", "a", "c", "b", "d")
}

func latchStops(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 9, Window: 3, StopAt: 2, Tolerate: 1, Then: then("then"), Else: then("else")}))
	x.must(feed("l", "a", "b", "c", "d", "e", "f"))
	x.must(marked("l", 0))
	x.pending("after one mark", "a", "b", "c", "d")
	x.must(arrive("l", 1))
	x.must(marked("l", 2))
	x.state("after two marks", broker.LatchState{ID: "l", Total: 9, Fed: 6, Released: 5, Arrived: 3, Marked: 2, Stopped: true})
	x.must(arrive("l", 3))
	x.pending("before the last that was released", "a", "b", "c", "d", "e")
	x.must(marked("l", 4))
	x.pending("at last", "a", "b", "c", "d", "e", "else")
	x.state("at last", broker.LatchState{ID: "l", Total: 9, Fed: 6, Released: 5, Arrived: 5, Marked: 3, Stopped: true, Complete: true})
}

func latchStopsEarly(x *trial) {
	x.must(open(
		broker.Latch{ID: "fed", Total: 5, Window: 1, StopAt: 1, Tolerate: 1, Then: then("fed-then")},
		broker.Latch{ID: "unfed", Total: 5, StopAt: 2, Else: then("unfed-else")},
		broker.Latch{ID: "last", Total: 2, StopAt: 2, Else: then("last-else")},
	))
	x.must(feed("fed", "a", "b"))
	x.must(marked("fed", 0))
	x.pending("when nothing is released any more", "a", "fed-then")
	x.must(marked("unfed", 4), marked("unfed", 1))
	x.pending("when nothing was released", "a", "fed-then", "unfed-else")
	x.must(marked("last", 0, 1))
	x.state("", broker.LatchState{ID: "last", Total: 2, Arrived: 2, Marked: 2, Stopped: true, Complete: true})
	x.pending("when the last mark is the last arrival", "a", "fed-then", "unfed-else", "last-else")
}

func latchReleasesNoMore(x *trial) {
	x.must(open(broker.Latch{ID: "l", Total: 2, Window: 1, Then: then("then")}))
	x.must(feed("l", "a", "b", "c", "d"))
	x.must(arrive("l", 0))
	x.pending("before the last arrival", "a", "b")
	x.must(arrive("l", 1))
	x.pending("", "a", "b", "then")
	x.state("", broker.LatchState{ID: "l", Total: 2, Fed: 4, Released: 2, Arrived: 2, Complete: true})
}

func latchFeedIgnored(x *trial) {
	x.must(open(
		broker.Latch{ID: "stopped", Total: 5, StopAt: 1},
		broker.Latch{ID: "complete", Total: 1},
		broker.Latch{ID: "empty"},
	))
	x.must(feed("stopped", "a", "b"), marked("stopped", 0), arrive("complete", 0))
	x.must(feed("stopped", "c"), feed("complete", "d"), feed("empty", "e"))
	x.pending("", "a", "b")
	x.state("", broker.LatchState{ID: "stopped", Total: 5, Fed: 2, Released: 2, Arrived: 1, Marked: 1, Stopped: true})
	x.state("", broker.LatchState{ID: "complete", Total: 1, Arrived: 1, Complete: true})
	x.state("", broker.LatchState{ID: "empty", Complete: true})
}

func latchHomes(x *trial) {
	other := broker.Change{Home: broker.Home{Queue: home.Queue, ID: "other"}, Open: []broker.Latch{{ID: "l", Total: 2, Then: then("other")}}}
	x.must(other, open(broker.Latch{ID: "l", Total: 1, Then: then("this")}))
	x.must(arrive("l", 0))
	x.pending("", "this")
	equal(x, "the other", x.latches(other.Home, "l"), []broker.LatchState{{ID: "l", Total: 2}})
}

func latchWide(x *trial) {
	const total = 2500
	x.must(open(broker.Latch{ID: "l", Total: total, StopAt: total, Then: then("then")}))
	for start := 0; start < total; start += 500 {
		var members []int
		for m := start; m < start+500; m++ {
			members = append(members, (m*7)%total)
		}
		x.must(arrive("l", members...), arrive("l", members[:5]...))
	}
	x.state("", broker.LatchState{ID: "l", Total: total, Arrived: total, Complete: true})
	x.pending("", "then")
}

func latchChain(x *trial) {
	var c broker.Change
	const length = 100
	c.Home = home
	for i := range length {
		l := broker.Latch{ID: fmt.Sprint(i), Total: 1}
		if i+1 < length {
			l.Then.Arrive = []broker.Arrival{{Latch: fmt.Sprint(i + 1)}}
		} else {
			l.Then = then("end")
		}
		c.Open = append(c.Open, l)
	}
	x.must(c)
	x.must(arrive("0", 0))
	x.pending("", "end")
}

package brokertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var openPromises = []promise{
	{"an entry of a home is open until it ends, however it ends", openEnds},
	{"an entry is open in every state in which it waits or runs", openStates},
	{"an entry that has ended is open again when it is made to run", openAgain},
	{"an entry that has ended does not open by what is done to what is kept of it", openKept},
	{"an entry whose lease runs out, or that is released or retried, stays open", openBack},
	{"a replacement leaves an entry open, and of its home", openReplaced},
	{"exits are open when they are enqueued", openExits},
	{"what a latch enqueues and releases is open, and what it holds back is not", openLatches},
	{"entries without a home, and of another, are not open of it", openHomes},
	{"entries of a home are open in any queue", openQueues},
	{"entries stay open when their home is deleted", openClosed},
	{"a refused change opens and ends nothing", openRefused},
	{"pages of any size tell everything that is open", openPages},
	{"what is open all the while is told, whatever comes and goes between pages", openPagesChange},
	{"a thousand entries of one change are open", openThousand},
	{"a page after what ended no page is invalid and refused", openAfter},
}

// beside is a home beside queue q.
var beside = broker.Home{Queue: "q", ID: "run~2"}

// of returns entries of q that belong to home.
func of(home broker.Home, ids ...string) []broker.Entry {
	all := entries("q", ids...)
	for i := range all {
		all[i].Home = home
	}
	return all
}

// mostPages bounds how many pages there may be of anything.
const mostPages = 10_000

// openOf returns all that is open of home, in order, read in pages.
func openOf(ctx context.Context, b broker.Broker, home broker.Home, limit int) ([]broker.EntryRef, error) {
	var all []broker.EntryRef
	r := broker.OpenRequest{Home: home, Limit: limit}
	for range mostPages {
		page, err := b.OpenEntries(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Entries...)
		if r.After = page.Next; r.After == "" {
			slices.SortFunc(all, func(a, b broker.EntryRef) int { return strings.Compare(a.String(), b.String()) })
			return slices.Compact(all), nil
		}
	}
	return nil, errors.New("the pages have no end")
}

// openAre demands that these entries of q are all that is open of beside.
func (x *trial) openAre(what string, ids ...string) {
	x.Helper()
	x.openOf(what, beside, ids...)
}

// openOf demands that these entries of q are all that is open of home.
func (x *trial) openOf(what string, home broker.Home, ids ...string) {
	x.Helper()
	all, err := openOf(x.Context(), x.b, home, broker.MaxParts)
	if err != nil {
		x.Fatalf("OpenEntries(%s) = %v, want nil", home, err)
	}
	var got, want []string
	for _, ref := range all {
		got = append(got, ref.String())
	}
	for _, id := range ids {
		want = append(want, "q/"+id)
	}
	slices.Sort(want)
	equal(x, "open "+what, got, want)
}

func openEnds(x *trial) {
	for _, way := range endings() {
		end := way.reach(x, of(beside, "e")[0])
		x.openAre("before it was "+way.how, "e")
		end()
		x.openAre("after it was " + way.how)
		x.clear()
	}
}

func openStates(x *trial) {
	var all []string
	for _, state := range []task.State{task.Pending, task.Scheduled, task.Retry, task.Aggregating, task.Active} {
		id := state.String()
		x.broughtAs(inState(of(beside, id)[0], state), state)
		all = append(all, id)
		x.openAre("with one that is "+id, all...)
	}
	if b := x.gather("g", "t", 1); len(b.Members) != 1 {
		x.Fatalf("gathered %+v, want one", b)
	}
	x.openAre("with one that is frozen", all...)
	behind := of(beside, "holder", "behind")
	for i := range behind {
		behind[i].Claim = broker.Claim{Key: "k", Behind: i == 1}
	}
	x.enqueue(behind[0])
	x.lease("q", broker.MaxParts)
	x.enqueue(behind[1])
	x.openAre("with one that waits behind a claim", append(all, "holder", "behind")...)
}

func openAgain(x *trial) {
	for _, do := range []broker.Act{broker.Run, broker.Reschedule} {
		for _, state := range []task.State{task.Archived, task.Completed} {
			x.broughtAs(of(beside, "e")[0], state)
			x.openAre("of what is " + state.String())
			x.must(moving(do, "e"))
			x.openAre("after "+do.String(), "e")
			x.clear()
		}
	}
	for _, state := range []task.State{task.Archived, task.Completed} {
		x.broughtAs(of(beside, "e")[0], state)
		x.sweep(state, broker.Run, 10)
		x.openAre("after a sweep", "e")
		x.must(settling(x.leaseOne("q"), broker.Done))
		x.openAre("at the end")
	}
}

func openKept(x *trial) {
	for _, id := range []string{"archived", "expires", "deleted"} {
		x.broughtAs(of(beside, id)[0], task.Completed)
	}
	x.must(moving(broker.Archive, "archived"), moving(broker.Delete, "deleted"))
	x.openAre("after some were archived and deleted")
	x.pass(3 * time.Hour)
	a := x.advanceAs(broker.AdvanceRequest{Queues: []string{"q"}, Limit: 10, Keep: broker.ArchiveLimits{Age: time.Hour}})
	equal(x, "advanced", a, broker.Advanced{Expired: 1, Trimmed: 1})
	x.openAre("after all")
}

func openBack(x *trial) {
	x.must(broker.Change{Enqueue: of(beside, "late", "released", "retried")})
	leases := x.lease("q", 3)
	x.must(settling(leases[1], broker.Released), settling(leases[2], broker.Retry))
	x.openAre("at first", "late", "released", "retried")
	x.awake(time.Minute, "q")
	x.advance("q")
	x.pending("at last", "late", "released", "retried")
	x.openAre("at last", "late", "released", "retried")
	x.enqueue(inState(of(beside, "member")[0], task.Aggregating))
	for _, l := range x.gather("g", "t", 1).Members {
		x.must(settling(l, broker.Released))
	}
	x.gather("g", "t2", 1)
	x.awake(time.Minute, "q")
	equal(x, "returned", x.advance("q").Returned+len(x.waiting("g")), 1)
	x.openAre("after two batches", "late", "released", "retried", "member")
}

func openReplaced(x *trial) {
	x.enqueue(of(beside, "e")...)
	x.must(broker.Change{Replace: []broker.Replacement{{Entry: entry("q", "e"), If: x.get("q", "e").Version}}})
	x.openAre("after it was replaced", "e")
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.openAre("at the end")
}

func openExits(x *trial) {
	e := entry("q", "e")
	e.Exit = &of(beside, "exit")[0]
	x.enqueue(e)
	x.openAre("before")
	x.must(moving(broker.Archive, "e"))
	x.openAre("after an end that is not its own", "exit")
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.openAre("when the exit has ended")
}

func openLatches(x *trial) {
	x.must(broker.Change{
		Home: beside,
		Open: []broker.Latch{{ID: "l", Total: 3, Window: 1, Then: broker.Part{Enqueue: of(beside, "then")}}},
		Feed: []broker.Feed{{Latch: "l", Entries: of(beside, "a", "b", "c")}},
	})
	released := []string{"a", "b", "c"}
	for i := range released {
		x.openAre(fmt.Sprint("when so many have arrived: ", i), released[:i+1]...)
		x.must(broker.Change{Home: beside, Arrive: []broker.Arrival{{Latch: "l", Member: i}}})
	}
	x.openAre("when it is complete", "a", "b", "c", "then")
}

func openHomes(x *trial) {
	others := []broker.Home{
		{Queue: "q", ID: "run~"}, {Queue: "q", ID: "run~22"}, {Queue: "q", ID: "RUN~2"}, {Queue: "q", ID: "run~2:q"},
	}
	x.enqueue(entry("q", "none"))
	for i, h := range others {
		x.enqueue(of(h, fmt.Sprint(i))...)
	}
	x.openAre("of a home that there is not")
	x.enqueue(of(beside, "e")...)
	x.openAre("of one", "e")
	for i, h := range others {
		x.openOf("of another", h, fmt.Sprint(i))
	}
	x.openOf("of no home beside that queue", broker.Home{Queue: "none", ID: beside.ID})
}

func openQueues(x *trial) {
	e := entry("other", "e")
	e.Home = beside
	x.must(broker.Change{Enqueue: append(of(beside, "e"), e)})
	all, err := openOf(x.Context(), x.b, beside, 1)
	if err != nil {
		x.Fatalf("OpenEntries() = %v, want nil", err)
	}
	equal(x, "open", all, []broker.EntryRef{{Queue: "other", ID: "e"}, {Queue: "q", ID: "e"}})
	x.must(settling(x.leaseOne("other"), broker.Done))
	x.openAre("at last", "e")
}

func openClosed(x *trial) {
	x.must(broker.Change{Home: beside, Enqueue: of(beside, "a", "b"), Put: []broker.Put{{Key: "k"}}, Close: time.Now()})
	equal(x, "closed", x.advance("q").Closed, 1)
	x.openAre("when the home is deleted", "a", "b")
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.openAre("when one has ended", "b")
	x.must(broker.Change{Home: beside, Put: []broker.Put{{Key: "k"}}, Enqueue: of(beside, "c")})
	x.openAre("when it has begun anew", "b", "c")
}

func openRefused(x *trial) {
	x.enqueue(of(beside, "a", "b")...)
	c := settling(x.leaseOne("q"), broker.Done)
	c.Move, c.Enqueue = moving(broker.Delete, "b").Move, of(beside, "c")
	c.Home, c.Require = beside, []broker.Condition{{Key: "k", Version: 1}}
	x.refused(c)
	x.openAre("", "a", "b")
	c.Require = nil
	x.must(c)
	x.openAre("when it was not refused", "c")
}

func openPages(x *trial) {
	var ids []string
	for i := range 25 {
		ids = append(ids, fmt.Sprintf("e-%02d", i))
	}
	x.must(broker.Change{Enqueue: of(beside, ids...)})
	x.must(moving(broker.Delete, ids[:5]...))
	x.lease("q", 3)
	var want []broker.EntryRef
	for _, id := range ids[5:] {
		want = append(want, broker.EntryRef{Queue: "q", ID: id})
	}
	for _, limit := range []int{1, 2, 7, 19, 20, 21, broker.MaxParts} {
		got, err := openOf(x.Context(), x.b, beside, limit)
		if err != nil {
			x.Fatalf("OpenEntries() = %v, want nil", err)
		}
		equal(x, fmt.Sprint("open, read in pages of ", limit), got, want)
	}
}

func openPagesChange(x *trial) {
	told := make(map[string]bool)
	lasting := func(i int) string { return fmt.Sprintf("lasting-%02d", i) }
	for i := range 20 {
		x.enqueue(of(beside, fmt.Sprintf("passing-%02d", i), lasting(i))...)
	}
	r := broker.OpenRequest{Home: beside, Limit: 3}
	for i := range mostPages {
		page, err := x.b.OpenEntries(x.Context(), r)
		if err != nil {
			x.Fatalf("OpenEntries() = %v, want nil", err)
		}
		for _, ref := range page.Entries {
			told[ref.ID] = true
		}
		if r.After = page.Next; r.After == "" {
			break
		}
		if i < 20 {
			x.must(moving(broker.Delete, fmt.Sprintf("passing-%02d", i)), broker.Change{Enqueue: of(beside, fmt.Sprintf("new-%02d", i))})
			x.must(moving(broker.Reschedule, lasting(19-i)))
		}
	}
	for i := range 20 {
		if !told[lasting(i)] {
			x.Errorf("no page told %s", lasting(i))
		}
	}
}

func openThousand(x *trial) {
	e := of(beside, "e")[0]
	var all []broker.Entry
	for i := range broker.MaxParts {
		e.ID = fmt.Sprint("e-", i)
		all = append(all, e)
	}
	x.must(broker.Change{Enqueue: all})
	got, err := openOf(x.Context(), x.b, beside, 300)
	if err != nil || len(got) != len(all) {
		x.Errorf("%d entries are open (%v), want %d", len(got), err, len(all))
	}
	equal(x, "swept", x.sweep(task.Pending, broker.Delete, broker.MaxSweep), broker.MaxSweep)
	got, err = openOf(x.Context(), x.b, beside, 300)
	if err != nil || len(got) != len(all)-broker.MaxSweep {
		x.Errorf("%d entries are open (%v), want %d", len(got), err, len(all)-broker.MaxSweep)
	}
}

func openAfter(x *trial) {
	x.enqueue(of(beside, "a", "b")...)
	_, err := x.b.OpenEntries(x.Context(), broker.OpenRequest{Home: beside, After: "nonsense", Limit: 1})
	x.invalid("a page after nonsense", err)
	x.refusal("a page after nonsense", err)
}

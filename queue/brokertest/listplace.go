package brokertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var listPlacePromises = []promise{
	{"with Newest a list is in the reverse order", listNewest},
	{"a page after a place begins behind it", listAfter},
	{"pages after places tell every entry once, however many come and go", listAfterChanges},
	{"a place is good when its entry is gone", listAfterGone},
	{"an offset counts from the place", listAfterOffset},
	{"entries of a group have places, too", listAfterGroup},
}

// spread brings n entries of q into a state, two for each time of its order, and
// returns their ids as they are listed.
func (x *trial) spread(state task.State, n int) []string {
	x.Helper()
	for i := range n {
		e := entry("q", fmt.Sprintf("%s-%02d", state, i))
		switch state {
		case task.Scheduled:
			e.DueAt = time.Now().Add(time.Hour + time.Duration(i/2)*time.Millisecond)
		case task.Aggregating:
			e.Group = "g"
		}
		x.enqueue(e)
		if state == task.Archived {
			x.must(moving(broker.Archive, e.ID))
		}
		if i%2 == 1 && state != task.Scheduled {
			x.pass(time.Second)
		}
	}
	switch state {
	case task.Active, task.Retry, task.Completed:
		for i, l := range x.applyAnd(wantedFor("q", n, 2*time.Hour)).Leases {
			s := settled(l, map[task.State]broker.Outcome{task.Retry: broker.Retry, task.Completed: broker.Completed}[state])
			s.At = time.Now().Add(time.Hour + time.Duration(i/2)*time.Second)
			if state == task.Active {
				x.extend(time.Hour+time.Duration(i/2)*time.Second, l.Ref())
				continue
			}
			x.must(broker.Change{Settle: []broker.Settlement{s}})
		}
	}
	return storedIDs(x.page(listing(state)))
}

// listing asks for all entries of q that are in a state.
func listing(state task.State) broker.ListRequest {
	r := broker.ListRequest{Queue: "q", State: state, Limit: broker.MaxParts}
	if state == task.Aggregating {
		r.Group = "g"
	}
	return r
}

func listNewest(x *trial) {
	for _, state := range task.States() {
		want := x.spread(state, 7)
		equal(x, fmt.Sprint("number of ", state), len(want), 7)
		slices.Reverse(want)
		r := listing(state)
		r.Newest = true
		equal(x, state.String(), storedIDs(x.page(r)), want)
		r.Offset, r.Limit = 2, 3
		equal(x, state.String()+": a page", storedIDs(x.page(r)), want[2:5])
		if state == task.Pending {
			x.sweep(task.Pending, broker.Delete, 10)
		}
	}
}

func listAfter(x *trial) {
	for _, state := range task.States() {
		want := x.spread(state, 7)
		for _, newest := range []bool{false, true} {
			r := listing(state)
			r.Newest, r.Limit = newest, 2
			var got []string
			for range 5 {
				page := x.page(r)
				got = append(got, storedIDs(page)...)
				if len(page) > 0 {
					if r.After = page[len(page)-1].Place; r.After == "" {
						x.Fatalf("%s: an entry of a list has no place", state)
					}
				}
			}
			equal(x, fmt.Sprintf("%s, newest %t", state, newest), got, want)
			slices.Reverse(want)
		}
		if state == task.Pending {
			x.sweep(task.Pending, broker.Delete, 10)
		}
	}
}

// listAfterChanges says nothing of pending entries: where those are kept in a
// list, they may be told again.
func listAfterChanges(x *trial) {
	for _, state := range []task.State{task.Scheduled, task.Archived} {
		all := x.spread(state, 12)
		r := listing(state)
		r.Limit = 3
		page := x.page(r)
		got := storedIDs(page)
		x.must(moving(broker.Delete, all[0], all[2], all[6])) // one told, the last one told, one not told
		r.After = page[2].Place
		for range 4 {
			page = x.page(r)
			got = append(got, storedIDs(page)...)
			if len(page) > 0 {
				r.After = page[len(page)-1].Place
			}
		}
		equal(x, state.String(), got, slices.Delete(slices.Clone(all), 6, 7))
	}
	all := x.spread(task.Pending, 6)
	r := listing(task.Pending)
	r.Limit = 2
	page := x.page(r)
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.enqueue(entry("q", "new"))
	told := storedIDs(page)
	for range 6 {
		r.After = page[len(page)-1].Place
		if page = x.page(r); len(page) == 0 {
			break
		}
		told = append(told, storedIDs(page)...)
	}
	for _, id := range all[1:] {
		if !slices.Contains(told, id) {
			x.Errorf("pending %s was there all the time and was not told: %v", id, told)
		}
	}
}

func listAfterGone(x *trial) {
	for _, state := range []task.State{task.Scheduled, task.Retry, task.Completed, task.Archived} {
		all := x.spread(state, 4)
		r := listing(state)
		place := x.page(r)[1].Place
		x.must(moving(broker.Delete, all...))
		r.After = place
		equal(x, "after all are gone", storedIDs(x.page(r)), nil)
		r.After, r.Newest = "", true
		equal(x, "without a place", storedIDs(x.page(r)), nil)
	}
}

func listAfterOffset(x *trial) {
	all := x.spread(task.Scheduled, 8)
	r := listing(task.Scheduled)
	r.After, r.Offset, r.Limit = x.page(r)[1].Place, 2, 3
	equal(x, "page", storedIDs(x.page(r)), all[4:7])
	r.Offset = 100
	equal(x, "page beyond the end", storedIDs(x.page(r)), nil)
}

func listAfterGroup(x *trial) {
	all := x.spread(task.Aggregating, 6)
	x.enqueue(grouped("other", "h"))
	x.gather("g", "t", 1)
	r := listing(task.Aggregating)
	equal(x, "without what is frozen", storedIDs(x.page(r)), all[1:])
	r.After = x.page(r)[1].Place
	equal(x, "after a place", storedIDs(x.page(r)), all[3:])
	r.Newest = true
	equal(x, "before it", storedIDs(x.page(r)), []string{all[1]})
}

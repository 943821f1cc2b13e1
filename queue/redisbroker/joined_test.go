package redisbroker_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

func (x *bench) joined(after string) (names []string, next string) {
	x.Helper()
	page, err := x.b.Joined(x.Context(), broker.JoinedRequest{Queue: "q", After: after, Limit: broker.MaxParts})
	if err != nil || page.More {
		x.Fatalf("Joined() = %+v, %v, want all", page, err)
	}
	for _, g := range page.Groups {
		names = append(names, g.Name)
	}
	return names, page.Next
}

func joining(id, group string) broker.Change {
	e := grouped(id)
	e.Group = group
	return broker.Change{Enqueue: []broker.Entry{e}}
}

// TestAGroupThatAsynqHasEmptiedIsForgottenAsJoinsAreRead takes the entries out as
// asynq does.
func TestAGroupThatAsynqHasEmptiedIsForgottenAsJoinsAreRead(t *testing.T) {
	x := newBench(t)
	x.apply(joining("a", "g"), joining("b", "h"))
	x.must(x.c.Rename(t.Context(), x.queue("g:g"), x.queue("g:g:asynqs")))
	names, next := x.joined("")
	if !slices.Equal(names, []string{"h"}) {
		t.Errorf("told are %v, want h", names)
	}
	if left := x.c.ZRange(t.Context(), x.queue("leat:joined"), 0, -1).Val(); !slices.Equal(left, []string{"", "h"}) {
		t.Errorf("known are %q, want the last number and h", left)
	}
	x.must(x.c.Rename(t.Context(), x.queue("g:g:asynqs"), x.queue("g:g")))
	x.apply(joining("c", "g"))
	if names, _ = x.joined(next); !slices.Equal(names, []string{"g"}) {
		t.Errorf("told after a join are %v, want g", names)
	}
}

// TestNothingFailsBecauseOfDamagedJoins has their key be of another type.
func TestNothingFailsBecauseOfDamagedJoins(t *testing.T) {
	x := newBench(t)
	x.must(x.c.Set(t.Context(), x.queue("leat:joined"), "damaged", 0))
	x.apply(joining("a", "g"))
	x.gather("token", "a")
	x.apply(joining("b", "g"), broker.Change{Move: []broker.Move{{EntryRef: grouped("b").EntryRef, Do: broker.Delete}}})
	if _, err := x.b.Joined(t.Context(), broker.JoinedRequest{Queue: "q", Limit: 1}); err == nil {
		t.Error("Joined() = nil, want an error")
	}
}

// TestAJoinTakesAtMostThreeCommandsMore compares enqueues into groups, in one call and
// in many, with those of entries that are scheduled.
func TestAJoinTakesAtMostThreeCommandsMore(t *testing.T) {
	x := newBench(t)
	const calls, each = 20, 50
	measure := func(name string, entry func(id string) broker.Entry) (single, together float64) {
		enqueue := func(calls, each int) float64 {
			before := x.commands()
			for c := range calls {
				var changes []broker.Change
				for i := range each {
					changes = append(changes, broker.Change{Enqueue: []broker.Entry{entry(fmt.Sprint(name, "-", each, "-", c, "-", i))}})
				}
				x.apply(changes...)
			}
			return float64(x.commands()-before) / float64(calls*each)
		}
		enqueue(1, 2) // loads the scripts
		single, together = enqueue(calls, 1), enqueue(calls, each)
		t.Logf("%s: %.2f commands each alone, %.2f together", name, single, together)
		return single, together
	}
	aloneLater, togetherLater := measure("scheduled", func(id string) broker.Entry {
		e := plain(id)
		e.DueAt = x.now.Add(time.Hour)
		return e
	})
	alone, together := measure("grouped", grouped)
	if alone > aloneLater+3 || together > togetherLater+1 {
		t.Errorf("a join takes %.2f commands alone and %.2f together; to be scheduled takes %.2f and %.2f", alone, together, aloneLater, togetherLater)
	}
}

// TestIdleGroupsCostNothingAsJoinsAreRead has ten of ten thousand groups be joined
// again.
func TestIdleGroupsCostNothingAsJoinsAreRead(t *testing.T) {
	x := newBench(t)
	const groups, again, calls = 10_000, 10, 100
	for i := range groups / 100 {
		var changes []broker.Change
		for j := range 100 {
			changes = append(changes, joining(fmt.Sprint(i, "-", j), fmt.Sprint("g", i, "-", j)))
		}
		x.apply(changes...)
	}
	page := broker.JoinedPage{More: true}
	for read := 0; page.More; read += len(page.Groups) {
		var err error
		page, err = x.b.Joined(t.Context(), broker.JoinedRequest{Queue: "q", After: page.Next, Limit: broker.MaxParts})
		if err != nil || read > groups {
			t.Fatalf("Joined() = %v after %d groups", err, read)
		}
	}
	for i := range again {
		x.apply(joining(fmt.Sprint("again", i), fmt.Sprint("g", 7*i, "-", i)))
	}
	before, began := x.commands(), time.Now()
	for range calls {
		if names, _ := x.joined(page.Next); len(names) != again {
			t.Fatalf("%d groups are told, want %d", len(names), again)
		}
	}
	t.Logf("%v for each of %d calls", time.Since(began)/calls, calls)
	if n := x.commands() - before; n > calls*(2+3*again) {
		t.Errorf("%d calls took %d commands", calls, n)
	}
}

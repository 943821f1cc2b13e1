package brokertest

import (
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var streamPromises = []promise{
	{"events tell each state that an entry comes into, in order", streamStates},
	{"a reader goes on after the last event that it has seen", streamCursor},
	{"the oldest events are forgotten, and a reader that they have left behind goes on with the oldest", streamBounded},
	{"a storage that was not told to keep events refuses to tell any", streamOff},
	{"a refused change leaves no event", streamRefused},
}

// streaming has the trial go on with a broker that keeps about so many events,
// and returns that.
func (x *trial) streaming(events int) broker.Streamer {
	x.Helper()
	if x.storage.OpenStreaming == nil && x.storage.OneQueue {
		panic(keptApart{errors.New("events of queues that lie apart have no order")})
	}
	if x.storage.OpenStreaming == nil {
		x.Fatal("the storage has no OpenStreaming")
	}
	b := x.storage.OpenStreaming(x.T, events)
	s, ok := b.(broker.Streamer)
	if !ok {
		x.Fatalf("%T is no broker.Streamer", b)
	}
	x.Cleanup(func() {
		if err := b.Close(); err != nil {
			x.Errorf("Close() = %v, want nil", err)
		}
	})
	x.b = x.seen.watch(b)
	return s
}

// events returns at most limit events after a cursor.
func (x *trial) events(s broker.Streamer, after string, limit int) []broker.Event {
	x.Helper()
	found, err := s.Events(x.Context(), after, limit)
	if err != nil {
		x.Fatalf("Events(%q) = %v, want nil", after, err)
	}
	if len(found) > limit {
		x.Fatalf("Events() returned %d events, want at most %d", len(found), limit)
	}
	return found
}

// statesOf returns the states that events tell of entries of q, by id.
func statesOf(events []broker.Event) map[string][]task.State {
	states := make(map[string][]task.State)
	for _, e := range events {
		if e.Entry.Queue == "q" {
			states[e.Entry.ID] = append(states[e.Entry.ID], e.State)
		}
	}
	return states
}

func streamStates(x *trial) {
	s := x.streaming(1000)
	x.pass(1500 * time.Microsecond)
	x.enqueue(entry("q", "done"), entry("q", "kept"), grouped("grouped", "g"), scheduled("q", "later", time.Second))
	first := x.events(s, "", 1)[0]
	equal(x, "the first", []any{first.At, first.Entry, first.State}, []any{broker.CeilMilli(time.Now()), broker.EntryRef{Queue: "q", ID: "done"}, task.Pending})
	l := x.applyAnd(wantedFor("q", 2, 4*time.Second)).Leases
	x.must(settling(l[0], broker.Done), settling(l[1], broker.Released))
	x.leaseFor("q", 4*time.Second)
	x.pass(5 * time.Second)
	x.advance("q")
	x.must(settling(x.leaseOne("q"), broker.Retry))
	x.must(moving(broker.Run, "kept"))
	x.must(moving(broker.Archive, "kept"), moving(broker.Delete, "kept"))
	x.must(settling(x.gather("g", "t", 1).Members[0], broker.Completed))
	x.must(moving(broker.Cancel, "later"))
	equal(x, "states", statesOf(x.events(s, "", 100)), map[string][]task.State{
		"done":    {task.Pending, task.Active, 0},
		"kept":    {task.Pending, task.Active, task.Pending, task.Active, task.Pending, task.Active, task.Retry, task.Pending, task.Archived, 0},
		"grouped": {task.Aggregating, task.Completed},
		"later":   {task.Scheduled, task.Pending, task.Archived},
	})
}

func streamCursor(x *trial) {
	s := x.streaming(1000)
	equal(x, "at first", x.events(s, "", 10), nil)
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprint(i))
		x.enqueue(entry("q", want[i]))
	}
	var got []string
	after := ""
	for range 4 {
		for _, e := range x.events(s, after, 3) {
			got = append(got, e.Entry.ID)
			after = e.Cursor
		}
	}
	equal(x, "entries", got, want)
	x.enqueue(entry("q", "new"))
	if more := x.events(s, after, 3); len(more) != 1 || more[0].Entry.ID != "new" {
		x.Errorf("later events = %+v, want that of q/new", more)
	}
}

func streamBounded(x *trial) {
	s := x.streaming(10)
	x.enqueue(entry("q", "first"))
	first := x.events(s, "", 1)[0].Cursor
	for range 4 {
		x.must(broker.Change{Enqueue: numbered("e", 500)})
		x.sweep(task.Pending, broker.Delete, broker.MaxSweep)
		x.sweep(task.Pending, broker.Delete, broker.MaxSweep)
	}
	kept := x.events(s, "", 10_000)
	if len(kept) < 10 || len(kept) > 1000 {
		x.Errorf("%d events are kept, want about 10", len(kept))
	}
	equal(x, "after one that is kept no more", x.events(s, first, 10_000), kept)
}

func streamOff(x *trial) {
	b := x.storage.Open(x.T)
	x.Cleanup(func() { b.Close() })
	s, ok := b.(broker.Streamer)
	if !ok {
		return // it keeps none
	}
	if _, err := s.Events(x.Context(), "", 10); !errors.Is(err, broker.ErrRefused) {
		x.Errorf("Events() = %v, want an error that matches %v", err, broker.ErrRefused)
	}
}

func streamRefused(x *trial) {
	s := x.streaming(1000)
	x.enqueue(entry("q", "a"))
	x.refused(broker.Change{Enqueue: entries("q", "b", "a")})
	equal(x, "states", statesOf(x.events(s, "", 10)), map[string][]task.State{"a": {task.Pending}})
}

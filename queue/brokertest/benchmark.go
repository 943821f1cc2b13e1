package brokertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// RunBenchmarks measures a broker in real time, each benchmark on a storage of
// its own. Beside the time of a call they report that of an entry (or of an
// arrival), and how many there are in a second.
func RunBenchmarks(b *testing.B, open func(testing.TB) Storage) {
	for _, bench := range []struct {
		name string
		run  func(*workbench)
	}{
		{"enqueue 1", func(w *workbench) { w.enqueue(1, 1) }},
		{"enqueue 100x1", func(w *workbench) { w.enqueue(100, 1) }},
		{"enqueue 1x500", func(w *workbench) { w.enqueue(1, 500) }},
		{"lease 50", func(w *workbench) { w.lease(50) }},
		{"settle 50", func(w *workbench) { w.settle(50) }},
		{"lease+settle 1", func(w *workbench) { w.leaseAndSettle(1) }},
		{"lease+settle 50", func(w *workbench) { w.leaseAndSettle(50) }},
		{"extend 100", func(w *workbench) { w.extend(100) }},
		{"advance 500", func(w *workbench) { w.advance(500) }},
		{"hand off 1", func(w *workbench) { w.handOff(1) }},
		{"hand off 50", func(w *workbench) { w.handOff(50) }},
		{"arrive 1", func(w *workbench) { w.arrive(1) }},
		{"arrive 50", func(w *workbench) { w.arrive(50) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			w := &workbench{B: b, broker: open(b).Open(b)}
			bench.run(w)
			perEntry := float64(b.Elapsed().Nanoseconds()) / float64(w.entries)
			b.ReportMetric(perEntry, "ns/entry")
			b.ReportMetric(float64(time.Second)/perEntry, "entries/s")
			if err := w.broker.Close(); err != nil {
				b.Errorf("Close() = %v, want nil", err)
			}
		})
	}
}

// A workbench is one benchmark while it runs.
type workbench struct {
	*testing.B
	broker  broker.Broker
	made    int // entries that were given an id
	entries int // that were worked on while the time ran
}

// apply applies changes, all of which must take effect, and returns the leases.
func (w *workbench) apply(changes []broker.Change, most int) []broker.Lease {
	applied, err := w.broker.Apply(w.Context(), time.Now(), changes, wanted("q", most))
	if err != nil {
		w.Fatalf("Apply() = %v, want nil", err)
	}
	for _, outcome := range applied.Outcomes {
		if outcome != nil {
			w.Fatalf("a change was refused: %v", outcome)
		}
	}
	return applied.Leases
}

// next returns n entries that were not there before.
func (w *workbench) next(n int) []broker.Entry {
	all := make([]broker.Entry, n)
	for i := range all {
		w.made++
		all[i] = entry("q", fmt.Sprintf("entry-%09d", w.made))
	}
	return all
}

// enqueue enqueues changes of each entries.
func (w *workbench) enqueue(changes, each int) {
	for w.Loop() {
		all := make([]broker.Change, changes)
		for i := range all {
			all[i].Enqueue = w.next(each)
		}
		w.apply(all, 0)
		w.entries += changes * each
	}
}

// resting does work while the time stands still.
func (w *workbench) resting(work func()) {
	w.StopTimer()
	work()
	w.StartTimer()
}

func settlingAll(leases []broker.Lease) []broker.Change {
	var settle []broker.Change
	for _, l := range leases {
		settle = append(settle, settling(l, broker.Done))
	}
	return settle
}

// lease leases n entries, which are enqueued before and settled after that.
func (w *workbench) lease(n int) {
	for w.Loop() {
		w.resting(func() { w.apply([]broker.Change{{Enqueue: w.next(n)}}, 0) })
		leases := w.apply(nil, n)
		w.resting(func() { w.apply(settlingAll(leases), 0) })
		w.entries += len(leases)
	}
}

// settle settles n entries, which are enqueued and leased before.
func (w *workbench) settle(n int) {
	for w.Loop() {
		var settle []broker.Change
		w.resting(func() { settle = settlingAll(w.apply([]broker.Change{{Enqueue: w.next(n)}}, n)) })
		w.apply(settle, 0)
		w.entries += len(settle)
	}
}

// extend extends n leases again and again.
func (w *workbench) extend(n int) {
	var refs []broker.LeaseRef
	for _, l := range w.apply([]broker.Change{{Enqueue: w.next(n)}}, n) {
		refs = append(refs, l.Ref())
	}
	for w.Loop() {
		held, err := w.broker.Extend(w.Context(), time.Now(), time.Now().Add(10*time.Second), refs...)
		if err != nil || held[n-1] != broker.Kept {
			w.Fatalf("Extend() = %v, %v, want all kept", held, err)
		}
		w.entries += n
	}
}

// advance makes n entries ready that are due at an exact time.
func (w *workbench) advance(n int) {
	for w.Loop() {
		due := time.Now().Add(time.Hour).Truncate(time.Second).Add(time.Millisecond)
		w.resting(func() {
			waiting := w.next(n)
			for i := range waiting {
				waiting[i].DueAt = due
			}
			w.apply([]broker.Change{{Enqueue: waiting}}, 0)
		})
		done, err := w.broker.Advance(w.Context(), due, broker.AdvanceRequest{Queues: []string{"q"}, Limit: n})
		if err != nil || done.Due != n {
			w.Fatalf("Advance() = %+v, %v, want %d due", done, err, n)
		}
		w.entries += n
	}
}

// leaseAndSettle settles the n entries of the last call, each in a change of
// its own, and leases the next n, as a busy worker does. What is leased was
// enqueued while the time stood still.
func (w *workbench) leaseAndSettle(n int) {
	const stock = 500
	var settle []broker.Change
	left := 0
	for w.Loop() {
		if left < n {
			w.resting(func() { w.apply([]broker.Change{{Enqueue: w.next(stock)}}, 0) })
			left += stock
		}
		leases := w.apply(settle, n)
		settle = settlingAll(leases)
		left -= len(leases)
		w.entries += len(leases)
	}
}

// handOff runs n chains side by side: a step is settled, what it returned is
// put, and the next step is enqueued, in one change; all n and their next
// leases in one call.
func (w *workbench) handOff(n int) {
	var first []broker.Change
	for i := range n {
		e := w.next(1)[0]
		e.Home = broker.Home{Queue: "runs", ID: fmt.Sprint("run-", i)}
		first = append(first, broker.Change{Enqueue: []broker.Entry{e}})
	}
	leases := w.apply(first, n)
	for w.Loop() {
		var changes []broker.Change
		for _, l := range leases {
			following := w.next(1)[0]
			following.Home = l.Entry.Home
			changes = append(changes, broker.Change{
				Settle:  []broker.Settlement{settled(l, broker.Done)},
				Home:    l.Entry.Home,
				Put:     []broker.Put{{Key: "result", Body: l.Entry.Payload, If: broker.AnyVersion}},
				Enqueue: []broker.Entry{following},
			})
		}
		leases = w.apply(changes, n)
		w.entries += n
	}
}

// arrive reports n members in one change to a latch that is never complete.
func (w *workbench) arrive(n int) {
	const total = 1 << 20
	w.apply([]broker.Change{open(broker.Latch{ID: "l", Total: total})}, 0)
	for w.Loop() {
		members := make([]int, n)
		for i := range members {
			members[i] = w.made % (total - 1)
			w.made++
		}
		w.apply([]broker.Change{arrive("l", members...)}, 0)
		w.entries += n
	}
}

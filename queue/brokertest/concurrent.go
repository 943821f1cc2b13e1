package brokertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var concurrentPromises = []promise{
	{"several brokers on one storage see one state", concurrentOneState},
	{"what a closed broker wrote is there for the others, its leases included", concurrentClosed},
	{"no entry is leased twice at a time, and none is lost", concurrentWorkers},
	{"what is due becomes ready once, however many advance", concurrentAdvance},
	{"of many who settle or recover one lease, one succeeds", concurrentSettle},
	{"of many who enqueue one id or one claim, one succeeds", concurrentEnqueue},
	{"a document that many count up loses no count", concurrentDocument},
	{"a latch that many reach completes once", concurrentLatch},
	{"no entry of a group is in two batches, and none is lost", concurrentGather},
	{"of many who would wait behind one claim, one does", concurrentBehind},
	{"of many who replace one version, one succeeds", concurrentReplace},
	{"an entry that is moved and leased at a time is one or the other", concurrentMove},
}

// together runs f in n goroutines, each with one of three brokers on the
// storage, and waits for them.
func (x *trial) together(n int, f func(worker int, b broker.Broker)) {
	brokers := []broker.Broker{x.b, x.open(), x.open()}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i, brokers[i%len(brokers)]) })
	}
	wg.Wait()
}

// applyOne applies c through b. Unlike the calls of a trial it may be made in
// any goroutine: a call that fails is an error of the case, and its outcome.
func (x *trial) applyOne(b broker.Broker, c broker.Change) error {
	applied, err := b.Apply(x.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{})
	if err != nil {
		x.Errorf("Apply() = %v, want nil", err)
		return err
	}
	return applied.Outcomes[0]
}

func concurrentOneState(x *trial) {
	other := x.open()
	x.enqueue(entry("q", "a"))
	stored, err := other.Entry(x.Context(), broker.EntryRef{Queue: "q", ID: "a"})
	if err != nil {
		x.Fatalf("Entry() = %v, want nil", err)
	}
	equal(x, "stored", stored, broker.Stored{Entry: entry("q", "a"), State: task.Pending})
	applied, err := other.Apply(x.Context(), time.Now(), nil, wanted("q", 1))
	if err != nil || len(applied.Leases) != 1 {
		x.Fatalf("Apply() = %+v, %v, want one lease and nil", applied, err)
	}
	equal(x, "held", x.extend(time.Minute, applied.Leases[0].Ref()), []broker.Held{broker.Kept})
	x.must(settling(applied.Leases[0], broker.Done))
	x.pass(time.Minute)
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
}

func concurrentClosed(x *trial) {
	other := x.seen.watch(x.storage.Open(x.T))
	c := withDocuments(home, "k")
	c.Enqueue = entries("q", "a", "b")
	applied, err := other.Apply(x.Context(), time.Now(), []broker.Change{c}, wanted("q", 1))
	if err != nil || applied.Outcomes[0] != nil || len(applied.Leases) != 1 {
		x.Fatalf("Apply() = %+v, %v, want one lease and nil", applied, err)
	}
	if err := other.Close(); err != nil {
		x.Fatalf("Close() = %v, want nil", err)
	}
	x.seen.homes[home] = true
	x.pending("", "b")
	equal(x, "documents", x.documents(home, "k"), []broker.Document{{Key: "k", Version: 1, Body: []byte("k")}})
	x.must(settling(applied.Leases[0], broker.Done))
}

// A tally notes who runs what, so that two at a time are seen.
type tally struct {
	mu      sync.Mutex
	running map[string]bool
	done    map[string]int
}

// start reports whether nobody else runs id.
func (t *tally) start(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.running[id]
	t.running[id] = true
	return !was
}

func (t *tally) stop(id string, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, id)
	if done {
		t.done[id]++
	}
}

func concurrentWorkers(x *trial) {
	const producers, each = 4, 50
	seen := &tally{running: make(map[string]bool), done: make(map[string]int)}
	ctx, stop := context.WithTimeout(x.Context(), 5*time.Second) // at a round per millisecond it takes a tenth of one
	defer stop()
	x.together(producers+8, func(worker int, b broker.Broker) {
		if worker < producers {
			for i := range each {
				queue := fmt.Sprint("q", i%2)
				if err := x.applyOne(b, broker.Change{Enqueue: entries(queue, fmt.Sprintf("%d-%d", worker, i))}); err != nil {
					x.Errorf("enqueue: %v", err)
				}
			}
			return
		}
		random := rand.New(rand.NewPCG(uint64(worker), 0))
		for ctx.Err() == nil && !x.Failed() {
			x.workOnce(b, seen, random)
			seen.mu.Lock()
			if len(seen.done) == producers*each {
				stop()
			}
			seen.mu.Unlock()
		}
	})
	equal(x, "number of entries that were done", len(seen.done), producers*each)
	for id, n := range seen.done {
		if n != 1 {
			x.Errorf("entry %s was done %d times", id, n)
		}
	}
	for _, queue := range []string{"q0", "q1"} {
		c := x.counts(queue)
		equal(x, "counts", c, broker.Counts{Queue: queue, Processed: producers * each / 2, ProcessedTotal: producers * each / 2})
	}
}

// workOnce leases a few entries and settles each in one way or another.
func (x *trial) workOnce(b broker.Broker, seen *tally, random *rand.Rand) {
	want := broker.LeaseRequest{Queues: []broker.Share{{Queue: "q0", First: 2}, {Queue: "q1", First: 2}}, Max: 5, Until: time.Now().Add(time.Minute)}
	applied, err := b.Apply(x.Context(), time.Now(), nil, want)
	if err != nil {
		x.Errorf("Apply() = %v, want nil", err)
		return
	}
	for _, l := range applied.Leases {
		if !seen.start(l.Entry.ID) {
			x.Errorf("entry %s is leased twice at a time", l.Entry)
		}
		s := settled(l, broker.Done)
		switch random.IntN(4) {
		case 0:
			s.To = broker.Released
		case 1:
			s.To, s.At = broker.Retry, time.Now()
		}
		seen.stop(l.Entry.ID, s.To == broker.Done)
		if err := x.applyOne(b, broker.Change{Settle: []broker.Settlement{s}}); err != nil {
			x.Errorf("settle %s: %v", l.Entry, err)
		}
	}
	if _, err := b.Advance(x.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{"q0", "q1"}, Limit: 10}); err != nil {
		x.Errorf("Advance() = %v, want nil", err)
	}
	time.Sleep(time.Millisecond)
}

func concurrentAdvance(x *trial) {
	for i := range 40 {
		x.enqueue(scheduled("q", fmt.Sprint("due", i), time.Second), entry("q", fmt.Sprint("leased", i)))
		x.leaseFor("q", 3*time.Second)
	}
	x.pass(5 * time.Second)
	var due, recovered atomic.Int64
	x.together(9, func(_ int, b broker.Broker) {
		for range 10 {
			a, err := b.Advance(x.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 7})
			if err != nil {
				x.Errorf("Advance() = %v, want nil", err)
			}
			due.Add(int64(a.Due))
			recovered.Add(int64(a.Recovered))
		}
	})
	equal(x, "due and recovered", []int64{due.Load(), recovered.Load()}, []int64{40, 40})
	equal(x, "pending", x.counts("q").Pending, 80)
}

func concurrentSettle(x *trial) {
	for i := range 10 {
		id := fmt.Sprint(i)
		x.enqueue(entry("q", id))
		l := x.leaseOne("q")
		x.awake(10*time.Second, "q")
		var settledBy, recovered atomic.Int64
		x.together(6, func(worker int, b broker.Broker) {
			if worker%3 == 2 {
				a, err := b.Advance(x.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 7})
				if err != nil {
					x.Errorf("Advance() = %v, want nil", err)
				}
				recovered.Add(int64(a.Recovered))
				return
			}
			switch err := x.applyOne(b, settling(l, broker.Done)); {
			case err == nil:
				settledBy.Add(1)
			case !errors.Is(err, broker.ErrLeaseLost):
				x.Errorf("settle: %v, want nil or %v", err, broker.ErrLeaseLost)
			}
		})
		equal(x, "settled or recovered", settledBy.Load()+recovered.Load(), 1)
		equal(x, "entries that are left", int64(x.counts("q").Size()), recovered.Load())
		for _, l := range x.lease("q", 1) {
			x.must(settling(l, broker.Done))
		}
	}
}

func concurrentEnqueue(x *trial) {
	for round := range 10 {
		id, key := fmt.Sprint("id", round), fmt.Sprint("key", round)
		var ids, claims atomic.Int64
		x.together(8, func(worker int, b broker.Broker) {
			switch err := x.applyOne(b, broker.Change{Enqueue: entries("q", id)}); {
			case err == nil:
				ids.Add(1)
			case !errors.Is(err, broker.ErrExists):
				x.Errorf("enqueue: %v, want nil or %v", err, broker.ErrExists)
			}
			own := claiming("q", fmt.Sprintf("%s-%d", key, worker), key)
			switch err := x.applyOne(b, broker.Change{Enqueue: []broker.Entry{own}}); {
			case err == nil:
				claims.Add(1)
			case !errors.Is(err, broker.ErrClaimed):
				x.Errorf("enqueue: %v, want nil or %v", err, broker.ErrClaimed)
			}
		})
		equal(x, "entries with the id and with the claim", []int64{ids.Load(), claims.Load()}, []int64{1, 1})
	}
	equal(x, "pending", x.counts("q").Pending, 20)
}

func concurrentDocument(x *trial) {
	const counters, each = 6, 10
	x.together(counters, func(_ int, b broker.Broker) {
		for range each {
			for counted := false; !counted; {
				found, err := b.Documents(x.Context(), home, "n")
				if err != nil {
					x.Errorf("Documents() = %v, want nil", err)
					return
				}
				was := found[0]
				put := broker.Put{Key: "n", Body: append(was.Body, 'x'), If: was.Version}
				err = x.applyOne(b, broker.Change{Home: home, Put: []broker.Put{put}})
				if err != nil && !errors.Is(err, broker.ErrConflict) {
					x.Errorf("put: %v, want nil or %v", err, broker.ErrConflict)
					return
				}
				counted = err == nil
			}
		}
	})
	n := x.documents(home, "n")[0]
	equal(x, "version and length", []int64{n.Version, int64(len(n.Body))}, []int64{counters * each, counters * each})
}

func concurrentLatch(x *trial) {
	const total = 60
	x.must(open(broker.Latch{ID: "l", Total: total, Window: 7, Then: then("then")}))
	var ids []string
	for i := range total {
		ids = append(ids, fmt.Sprintf("%02d", i))
	}
	x.must(feed("l", ids...))
	x.together(6, func(worker int, b broker.Broker) {
		for i := range total {
			if err := x.applyOne(b, arrive("l", (i*7+worker*10)%total)); err != nil {
				x.Errorf("arrive: %v", err)
			}
		}
	})
	x.state("", broker.LatchState{ID: "l", Total: total, Fed: total, Released: total, Arrived: total, Complete: true})
	x.pending("", append(ids, "then")...)
}

func concurrentGather(x *trial) {
	const n = 60
	for i := range n {
		x.enqueue(grouped(fmt.Sprintf("%02d", i), "g"))
	}
	var mu sync.Mutex
	got := make(map[string]int)
	x.together(6, func(worker int, b broker.Broker) {
		for round := 0; ; round++ {
			r := broker.GatherRequest{Queue: "q", Group: "g", Token: fmt.Sprintf("t-%d-%d", worker, round), MaxSize: 4, Until: time.Now().Add(time.Minute)}
			batch, err := b.Gather(x.Context(), time.Now(), r)
			if err != nil {
				x.Errorf("Gather() = %v, want nil", err)
			}
			if batch.Token == "" {
				return
			}
			var c broker.Change
			for _, l := range batch.Members {
				c.Settle = append(c.Settle, settled(l, broker.Done))
			}
			if err := x.applyOne(b, c); err != nil {
				x.Errorf("settle a batch: %v, want nil", err)
			}
			mu.Lock()
			for _, l := range batch.Members {
				got[l.Entry.ID]++
			}
			mu.Unlock()
		}
	})
	equal(x, "entries", len(got), n)
	for id, times := range got {
		if times != 1 {
			x.Errorf("%s was in %d batches, want one", id, times)
		}
	}
	equal(x, "size", x.counts("q").Size(), 0)
}

func concurrentBehind(x *trial) {
	for round := range 5 {
		l := x.heldBy(fmt.Sprint("held", round))
		var waits atomic.Int64
		x.together(6, func(worker int, b broker.Broker) {
			e := behind(fmt.Sprintf("behind-%d-%d", round, worker))
			switch err := x.applyOne(b, broker.Change{Enqueue: []broker.Entry{e}}); {
			case err == nil:
				waits.Add(1)
			case !errors.Is(err, broker.ErrClaimed):
				x.Errorf("enqueue: %v, want nil or %v", err, broker.ErrClaimed)
			}
		})
		equal(x, "those that wait", waits.Load(), int64(1))
		x.must(settling(l, broker.Done))
		x.must(settling(x.leaseOne("q"), broker.Done))
	}
}

func concurrentReplace(x *trial) {
	for round := range 5 {
		id := fmt.Sprint(round)
		x.enqueue(entry("q", id))
		before := x.get("q", id)
		var replaced atomic.Int64
		x.together(6, func(worker int, b broker.Broker) {
			e := entry("q", id)
			e.Payload = fmt.Appendf(nil, "by %d", worker)
			switch err := x.applyOne(b, replacing(before, e)); {
			case err == nil:
				replaced.Add(1)
			case !errors.Is(err, broker.ErrChanged):
				x.Errorf("replace: %v, want nil or %v", err, broker.ErrChanged)
			}
		})
		equal(x, "replaced", replaced.Load(), int64(1))
	}
}

func concurrentMove(x *trial) {
	for round := range 10 {
		id := fmt.Sprint(round)
		x.enqueue(entry("q", id))
		var archived, leased atomic.Int64
		x.together(6, func(worker int, b broker.Broker) {
			if worker%2 == 0 {
				applied, err := b.Apply(x.Context(), time.Now(), nil, wanted("q", 1))
				if err != nil {
					x.Errorf("Apply() = %v, want nil", err)
				}
				leased.Add(int64(len(applied.Leases)))
				return
			}
			switch err := x.applyOne(b, moving(broker.Archive, id)); {
			case err == nil:
				archived.Add(1)
			case !errors.Is(err, broker.ErrState):
				x.Errorf("archive: %v, want nil or %v", err, broker.ErrState)
			}
		})
		equal(x, "archived or leased", archived.Load()+leased.Load(), 1)
		x.pass(time.Minute)
		x.must(moving(broker.Delete, id))
	}
}

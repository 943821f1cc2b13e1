package redisbroker_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
)

// A load enqueues entries and works them off, in real time, and keeps what
// became of each.
type load struct {
	b *redisbroker.Broker

	mu       sync.Mutex
	accepted map[string]time.Time // when
	refused  map[string]bool
	unknown  map[string]bool
	done     map[string]int
	lost     int // leases that were lost although they had not run out
}

const loadQueue = "work"

func newLoad(t *testing.T, url string, o redisbroker.Options) *load {
	t.Helper()
	o.Logger = discard
	b, err := redisbroker.Open(url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return &load{
		b: b, accepted: make(map[string]time.Time), refused: make(map[string]bool),
		unknown: make(map[string]bool), done: make(map[string]int),
	}
}

// produce enqueues one entry after another until ctx ends.
func (l *load) produce(ctx context.Context, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		id := fmt.Sprintf("%s-%d", name, i)
		e := broker.Entry{EntryRef: broker.EntryRef{Queue: loadQueue, ID: id}, Type: "t"}
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		applied, err := l.b.Apply(call, time.Now(), []broker.Change{{Enqueue: []broker.Entry{e}}}, broker.LeaseRequest{})
		cancel()
		if err == nil {
			err = applied.Outcomes[0]
		}
		l.mu.Lock()
		switch {
		case err == nil:
			l.accepted[id] = time.Now()
		case errors.Is(err, broker.ErrRefused):
			l.refused[id] = true
		default:
			l.unknown[id] = true
		}
		l.mu.Unlock()
		pause := time.Millisecond
		if err != nil {
			pause = 50 * time.Millisecond
		}
		time.Sleep(pause)
	}
}

// consume leases and settles until ctx ends.
func (l *load) consume(ctx context.Context) {
	var changes []broker.Change
	for ctx.Err() == nil || len(changes) > 0 {
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		want := broker.LeaseRequest{Queues: []broker.Share{{Queue: loadQueue, First: 10}}, Max: 10, Until: time.Now().Add(5 * time.Second)}
		if ctx.Err() != nil {
			want = broker.LeaseRequest{}
		}
		applied, err := l.b.Apply(call, time.Now(), changes, want)
		cancel()
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			continue // with the same changes: what took effect is a lost lease then
		}
		changes = nil
		l.mu.Lock()
		for _, lease := range applied.Leases {
			l.done[lease.Entry.ID]++
			changes = append(changes, broker.Change{Settle: []broker.Settlement{{Token: lease.Token, Entry: lease.Entry, To: broker.Done}}})
		}
		l.mu.Unlock()
		l.extend(ctx, applied.Leases)
		if len(changes) == 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// extend extends leases one by one, and counts those that are lost.
func (l *load) extend(ctx context.Context, leases []broker.Lease) {
	for _, lease := range leases {
		held, err := l.b.Extend(ctx, time.Now(), time.Now().Add(5*time.Second), lease.Ref())
		if err == nil && held[0] != broker.Kept {
			l.mu.Lock()
			l.lost++
			l.mu.Unlock()
		}
	}
}

// advance takes back what was leased and lost.
func (l *load) advance(ctx context.Context) {
	for ctx.Err() == nil {
		call, cancel := context.WithTimeout(ctx, 3*time.Second)
		_, err := l.b.Advance(call, time.Now(), broker.AdvanceRequest{Queues: []string{loadQueue}, Limit: 1000})
		cancel()
		if err != nil || ctx.Err() == nil {
			time.Sleep(200 * time.Millisecond)
		}
	}
}

// start runs the load. What it returns stops the producers, waits until nothing
// is left, and stops the rest.
func (l *load) start(t *testing.T) (drain func()) {
	ctx, stop := context.WithCancel(t.Context())
	producing, stopProducing := context.WithCancel(ctx)
	var producers, others sync.WaitGroup
	for i := range 3 {
		producers.Go(func() { l.produce(producing, fmt.Sprintf("p%d", i)) })
		others.Go(func() { l.consume(ctx) })
	}
	others.Go(func() { l.advance(ctx) })
	return func() {
		stopProducing()
		producers.Wait()
		redistest.Await(t, "the load to be worked off", func() bool {
			counts, err := l.b.Counts(t.Context(), time.Now(), loadQueue)
			return err == nil && counts[0].Size() == 0
		})
		stop()
		others.Wait()
	}
}

// count returns how many entries were accepted.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.accepted)
}

func (l *load) acceptedNow() map[string]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.accepted)
}

// goesOn waits until the load has n more entries accepted, and returns how long
// that took.
func (l *load) goesOn(t *testing.T, n int) time.Duration {
	t.Helper()
	began, before := time.Now(), l.count()
	redistest.Await(t, "the load to go on", func() bool { return l.count() >= before+n })
	return time.Since(began)
}

// judge demands that whatever was accepted before safe was taken, or after again,
// has been done, that nothing has that was refused, and that the storage is
// sound. What was accepted in between may be lost: it says how much was.
func (l *load) judge(t *testing.T, safe map[string]time.Time, again time.Time) {
	t.Helper()
	lost, twice := 0, 0
	for id, at := range l.accepted {
		if l.done[id] > 0 {
			continue
		}
		if _, kept := safe[id]; kept || at.After(again) {
			t.Errorf("entry %s was accepted at %v and never done", id, at)
		}
		lost++
	}
	for id, n := range l.done {
		if l.refused[id] {
			t.Errorf("entry %s was refused and done", id)
		}
		if n > 1 {
			twice++
		}
	}
	faults, err := l.b.Verify(t.Context(), time.Now())
	if err != nil || len(faults) > 0 {
		t.Errorf("Verify() = %q, %v, want nothing", faults, err)
	}
	t.Logf("%d accepted, %d refused, %d unknown, %d lost with what was not replicated, %d begun twice",
		len(l.accepted), len(l.refused), len(l.unknown), lost, twice)
}

func TestSentinelsFailOverUnderLoad(t *testing.T) {
	x := redistest.StartTrio(t, redistest.Options{})
	l := newLoad(t, x.URL(), redisbroker.Options{})
	drain := l.start(t)
	l.goesOn(t, 200)
	safe, old := l.acceptedNow(), x.Primary(t)
	old.InStep(t)
	old.Kill()
	redistest.Await(t, "another primary", func() bool { return x.Primary(t) != old })
	again := time.Now()
	t.Logf("the load went on after %v", l.goesOn(t, 200))
	drain()
	l.judge(t, safe, again.Add(time.Second)) // until all have heard of it
}

func TestAClusterMovesSlotsUnderLoad(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{})
	layouts(t, x, func(t *testing.T, l *load, keys []string) {
		drain := l.start(t)
		for _, key := range keys {
			slot := x.Slot(t, key)
			for range 4 { // there and back, twice
				from := x.Owner(t, slot)
				to := x.Nodes[(slices.Index(x.Nodes, from)+1)%3]
				x.Move(t, slot, from, to)
				l.goesOn(t, 50)
			}
		}
		drain()
		if len(l.refused)+len(l.unknown)+l.lost > 0 {
			t.Errorf("%d were refused, %d unknown and %d lost, want none", len(l.refused), len(l.unknown), l.lost)
		}
		l.judge(t, l.accepted, time.Time{})
	})
}

func TestAClusterFailsOverUnderLoad(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{})
	layouts(t, x, func(t *testing.T, l *load, keys []string) {
		drain := l.start(t)
		l.goesOn(t, 200)
		slot := x.Slot(t, keys[0])
		safe, old := l.acceptedNow(), x.Owner(t, slot)
		for _, n := range x.Nodes {
			if n.IsPrimary(t) {
				n.InStep(t)
			}
		}
		old.Kill()
		redistest.Await(t, "another primary", func() bool { now := x.Owner(t, slot); return now != nil && now != old })
		again := time.Now()
		t.Logf("the load went on after %v", l.goesOn(t, 200))
		drain()
		l.judge(t, safe, again.Add(3*time.Second)) // until all have heard of it
		old.Restart(t)
		x.Sound(t)
	})
}

// layouts runs do on both layouts of a cluster, each with names of keys that lie
// in slots which it uses.
func layouts(t *testing.T, x *redistest.Cluster, do func(t *testing.T, l *load, keys []string)) {
	t.Run("asynq's layout", func(t *testing.T) {
		do(t, newLoad(t, x.URL(), redisbroker.Options{}), []string{"asynq:{" + loadQueue + "}:pending"})
	})
	t.Run("shards", func(t *testing.T) {
		do(t, newLoad(t, x.URL(), redisbroker.Options{Prefix: "shop", Shards: 4}), redisbroker.ShardKeys("shop", 4))
	})
}

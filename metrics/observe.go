package metrics

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// Observe is a [queue.Observer]: it counts what happens. It waits for nobody, and once it
// has seen a queue and a type it allocates nothing.
func (m *Metrics) Observe(_ context.Context, e queue.Event) {
	p, k := m.process, key{e.Entry.Queue, e.Entry.Type}
	switch e.Kind {
	case queue.EventEnqueued:
		p.clients.of(k).Inc()
	case queue.EventStarted:
		p.tasks.of(k).start(e.Waited)
	case queue.EventSettled:
		p.tasks.of(k).settle(e.Outcome, e.Took)
	case queue.EventLeaseLost:
		p.tasks.of(k).leaseLost.Inc()
	case queue.EventStuck:
		if p.stuck.isNew(e.Entry.EntryRef, time.Now()) {
			p.tasks.of(k).stuck.Inc()
		}
	case queue.EventRecovered:
		p.recovered.Add(float64(e.Count))
	case queue.EventParked:
		p.parked.of(key{name: e.Entry.Queue}).Inc()
	case queue.EventTrimmed:
		p.trimmed.Add(float64(e.Count))
	case queue.EventBatched:
		p.batches.of(key{name: e.Entry.Queue}).run(e.Count, e.Took, e.Err)
	case queue.EventTicked:
		p.ticks.of(key{name: e.Name}).Inc()
		p.tickLateness.Observe(e.Took.Seconds())
	case queue.EventRunStarted:
		p.workflows.of(key{name: e.Name}).started.Inc()
	case queue.EventRunEnded:
		p.workflows.of(key{name: e.Name}).end(e.State, e.Took)
	}
}

func (f *taskFigures) start(waited time.Duration) {
	f.started.Inc()
	if waited > 0 {
		f.waited.Observe(waited.Seconds())
	}
}

func (f *taskFigures) settle(to broker.Outcome, took time.Duration) {
	if to >= broker.Done && to <= broker.Released {
		f.settled[to].Inc()
	}
	if took > 0 {
		f.ran.Observe(took.Seconds())
	}
}

func (f *batchFigures) run(count int, took time.Duration, err error) {
	if err == nil {
		f.done.Inc()
	} else {
		f.failed.Inc()
	}
	f.tasks.Observe(float64(count))
	f.ran.Observe(took.Seconds())
}

func (f *runFigures) end(state string, took time.Duration) {
	if c := f.ended[state]; c != nil {
		c.Inc()
	}
	f.took.Observe(took.Seconds())
}

// stuckFor is for how long a handler is taken to be stuck after it was said to be, which
// it is every minute.
const stuckFor = 90 * time.Second

// stuckHandlers are those that go on after their context ended. There are no more of them
// than servers have slots.
type stuckHandlers struct {
	mu   sync.Mutex
	told map[broker.EntryRef]time.Time // when last
}

// isNew notes that the handler of a task is stuck, and reports whether it was not before.
func (s *stuckHandlers) isNew(ref broker.EntryRef, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	ref = broker.EntryRef{Queue: strings.Clone(ref.Queue), ID: strings.Clone(ref.ID)}
	_, known := s.told[ref]
	if s.told == nil {
		s.told = make(map[broker.EntryRef]time.Time)
	}
	s.told[ref] = now
	return !known
}

func (s *stuckHandlers) count(now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	return len(s.told)
}

func (s *stuckHandlers) forget(now time.Time) {
	for ref, told := range s.told {
		if now.Sub(told) > stuckFor {
			delete(s.told, ref)
		}
	}
}

func newStuckGauge(s *stuckHandlers) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "leat_stuck_handlers", Help: "Handlers that go on although their context has ended, and keep their slot.",
	}, func() float64 { return float64(s.count(time.Now())) })
}

package storage

import (
	"sync"
	"time"

	"github.com/leatwork/leat/queue"
)

// A Sample is how fast everything went, from one look at the queues to the next.
type Sample struct {
	At        time.Time
	Processed float64 // tasks a second: all outcomes
	Failed    float64 // of them
}

// mostSamples is how many are kept.
const mostSamples = 150

// paced is what was seen while somebody looked.
type paced struct {
	mu                sync.Mutex
	samples           []Sample
	at                time.Time
	processed, failed int
}

// see takes figures that were read at a time.
func (p *paced) see(at time.Time, infos []queue.QueueInfo) {
	processed, failed := 0, 0
	for _, i := range infos {
		processed += i.ProcessedTotal
		failed += i.FailedTotal
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	took := at.Sub(p.at).Seconds()
	if !p.at.IsZero() && took > 0 && processed >= p.processed { // less: a queue was removed
		s := Sample{At: at, Processed: float64(processed-p.processed) / took, Failed: float64(max(failed-p.failed, 0)) / took}
		p.samples = append(p.samples[max(len(p.samples)-mostSamples+1, 0):], s)
	}
	p.at, p.processed, p.failed = at, processed, failed
}

// Pace returns how fast everything went while somebody looked, the latest last.
func (s *Storage) Pace() []Sample {
	s.pace.mu.Lock()
	defer s.pace.mu.Unlock()
	return append([]Sample(nil), s.pace.samples...)
}

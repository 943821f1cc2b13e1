package storage

import (
	"sync"
	"time"

	"github.com/leatwork/leat/internal/pace"
	"github.com/leatwork/leat/queue"
)

// A QueuePace is how fast things went in a queue between the last two times at which somebody
// looked, and how many were processed a second before that, the latest last.
type QueuePace struct {
	pace.Rate
	Known bool // two have looked, not long after one another
	Past  []float64
}

// paces are those of all queues.
type paces struct {
	mu     sync.Mutex
	at     time.Time // of the figures below
	before map[string]queue.QueueInfo
	all    map[string]QueuePace
}

const (
	paceLeast = time.Second     // between two looks
	paceMost  = 5 * time.Minute // after which nothing is known
	pastMost  = 60
)

// Paces returns how fast things go in each queue, of which q are the last figures. What it
// returns is shared and must not be changed.
func (s *Storage) Paces(q Queues) map[string]QueuePace {
	p := &s.paces
	p.mu.Lock()
	defer p.mu.Unlock()
	took := q.At.Sub(p.at)
	if took < paceLeast {
		return p.all
	}
	before, old := p.before, p.all
	p.at, p.before, p.all = q.At, map[string]queue.QueueInfo{}, map[string]QueuePace{}
	for _, i := range q.Infos {
		p.before[i.Queue] = i
		if last, ok := before[i.Queue]; ok && took <= paceMost {
			r := pace.Of(last, i, took)
			past := old[i.Queue].Past
			past = past[max(len(past)-pastMost+1, 0):]
			p.all[i.Queue] = QueuePace{Rate: r, Known: true, Past: append(past[:len(past):len(past)], r.Processed)}
		}
	}
	return p.all
}

package queue

import (
	"sync"
	"time"
)

// A Pulse is how work goes that a server does again and again.
type Pulse struct {
	Last   time.Time     // when it last succeeded; zero: it never has
	Lag    time.Duration // for how long it should have succeeded again; 0: it is not due
	Silent time.Duration // for how long it should have ended or begun, be it in vain; 0: it is in time
	Failed int           // how often in a row it did not succeed
	Err    error         // why not, the last time; nil if Failed is 0
}

// A pulse keeps the figures of a [Pulse].
type pulse struct {
	mu     sync.Mutex
	known  Pulse     // without Lag and Silent
	due    time.Time // when it is to succeed next
	expect time.Time // when something is to be heard of it next
}

// begins notes that it is at work from now on, for patience at most.
func (p *pulse) begins(now time.Time, patience time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due.IsZero() {
		p.due = now
	}
	p.expect = now.Add(patience)
}

// ends notes how it went, and that it is to be done again after wait.
func (p *pulse) ends(now time.Time, wait time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expect = now.Add(wait)
	if p.known.Err = err; err != nil {
		p.known.Failed++
		return
	}
	p.known.Last, p.known.Failed, p.due = now, 0, p.expect
}

// at returns how it goes at now.
func (p *pulse) at(now time.Time) Pulse {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.known
	if !p.due.IsZero() {
		known.Lag, known.Silent = max(now.Sub(p.due), 0), max(now.Sub(p.expect), 0)
	}
	return known
}

package queue

import "sync"

// Hands are the goroutines of a pool that run handlers. They are made as they are
// needed and stay for the tasks to come: what a goroutine costs is its stack, until
// that has grown to what a handler takes.
type hands struct {
	attempts chan *attempt // has room for one for each slot
	n        int           // goroutines there are, of which the dispatcher alone knows
	workers  *sync.WaitGroup
	run      func(*attempt)
}

func newHands(slots int, workers *sync.WaitGroup, run func(*attempt)) *hands {
	return &hands{attempts: make(chan *attempt, slots), workers: workers, run: run}
}

// take runs a, which is one of as many as busy says at once.
func (h *hands) take(a *attempt, busy int) {
	if h.n < busy {
		h.n++
		h.workers.Go(h.work)
	}
	h.attempts <- a
}

// work runs attempts until there will be no more. A handler may end the goroutine,
// and then another one takes over.
func (h *hands) work() {
	done := false
	defer func() {
		if !done {
			h.workers.Go(h.work)
		}
	}()
	for a := range h.attempts {
		h.run(a)
	}
	done = true
}

// rest has the goroutines end once they have run what was taken.
func (h *hands) rest() { close(h.attempts) }

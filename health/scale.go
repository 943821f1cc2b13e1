package health

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/leatwork/leat/queue"
)

const (
	// scaleWithin is how long it may take to learn what there is to do.
	scaleWithin = 5 * time.Second

	// scaleKept is for how long an answer is good enough for the next who asks.
	scaleKept = time.Second
)

// Scale answers how much there is to do in the named queues, or in all if none is named:
//
//	{"all": {"ready": 12, "active": 4, "oldest_ready_seconds": 1.5, "slots": 8, "work_per_slot": 2},
//	 "queues": {"default": {…}}}
//
// as [queue.Load] has it. A queue that cannot be read is left out of queues, and told by
// errors; then all is left out, too, since it would be too little. If the storage cannot be
// asked the answer is 503.
func Scale(i *queue.Inspector, queues ...string) http.Handler {
	s := &scaler{inspector: i, queues: slices.Clone(queues), turn: make(chan struct{}, 1)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := s.loads(r.Context())
		if err != nil {
			body = scaleReport{Errors: map[string]string{"": err.Error()}}
		}
		answer(w, err == nil, body)
	})
}

// A scaler asks once for all who want to know.
type scaler struct {
	inspector *queue.Inspector
	queues    []string

	turn  chan struct{} // held by who asks
	asked time.Time
	known scaleAnswer
}

type scaleAnswer struct {
	report scaleReport
	err    error
}

// loads returns what there is to do, or that nobody says so within scaleWithin, whatever
// the storage does.
func (s *scaler) loads(ctx context.Context) (scaleReport, error) {
	ctx, cancel := context.WithTimeout(ctx, scaleWithin)
	defer cancel()
	found := make(chan scaleAnswer, 1)
	go func() {
		select {
		case s.turn <- struct{}{}:
			found <- s.ask(context.WithoutCancel(ctx))
			<-s.turn
		case <-ctx.Done():
		}
	}()
	select {
	case a := <-found:
		return a.report, a.err
	case <-ctx.Done():
		return scaleReport{}, fmt.Errorf("the storage does not answer: %w", ctx.Err())
	}
}

// ask asks, if that was not done a moment ago. Its caller holds the turn.
func (s *scaler) ask(ctx context.Context) scaleAnswer {
	if time.Since(s.asked) < scaleKept {
		return s.known
	}
	ctx, cancel := context.WithTimeout(ctx, scaleWithin)
	defer cancel()
	loads, err := s.inspector.Loads(ctx, s.queues...)
	s.asked, s.known = time.Now(), scaleAnswer{reportOf(loads), err}
	return s.known
}

type scaleReport struct {
	All    *load             `json:"all,omitempty"`
	Queues map[string]load   `json:"queues,omitempty"`
	Errors map[string]string `json:"errors,omitempty"`
}

type load struct {
	Ready   int     `json:"ready"`
	Active  int     `json:"active"`
	Oldest  float64 `json:"oldest_ready_seconds"`
	Slots   int     `json:"slots"`
	PerSlot float64 `json:"work_per_slot"`
}

func loadOf(l queue.Load) load {
	return load{l.Ready, l.Active, l.Oldest.Seconds(), l.Slots, l.PerSlot()}
}

func reportOf(l queue.Loads) scaleReport {
	r := scaleReport{Queues: make(map[string]load), Errors: make(map[string]string)}
	for name, of := range l.Queues {
		r.Queues[name] = loadOf(of)
	}
	for name, err := range l.Broken {
		r.Errors[name] = err.Error()
	}
	if len(r.Errors) == 0 {
		all := loadOf(l.All)
		r.All = &all
	}
	return r
}

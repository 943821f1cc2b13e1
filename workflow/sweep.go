package workflow

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// How a sweeper goes about it: how often, how many runs it lists at a time, about how
// many entries it looks at each time, of one run at most so many, and for how long an
// entry must have been missing.
const (
	sweepEvery   = 15 * time.Second
	sweepRuns    = 20
	sweepEntries = 500
	sweepGrace   = 20 * time.Second
	maxPlaces    = 10_000 // that are kept from round to round
)

// A sweeper looks after the runs of one workflow for what nobody tells of: an entry
// that was deleted or archived by a program that knows nothing of runs, as the tools of
// asynq are. It goes through all open entries of all runs, some at a time, and has no
// state that matters: each server has one, and what two of them do is done once.
type sweeper struct {
	engine   *engine
	broker   broker.Broker
	plan     *plan.Plan
	audience audience

	state    int                           // index in sweptStates
	runs     string                        // place in the list of the runs
	suspects map[broker.EntryRef]time.Time // entries that were missing, since when
	still    map[broker.Home]time.Time     // runs of which nothing was open
	places   map[broker.Home]string        // how far wide runs were looked at
	round    Sweep                         // the one under way
}

// sweptStates are the states in which runs have open entries.
var sweptStates = []State{Running, Closing, Undoing, Paused}

// sweep returns what a server does beside the tasks of a workflow.
func (e *engine) sweep(p *plan.Plan) func(context.Context) error {
	return func(ctx context.Context) error {
		background, ok := queue.BackgroundFromContext(ctx)
		if !ok {
			return errors.New("sweep: not in the background of a server")
		}
		s := newSweeper(e, background.Broker(), p)
		s.audience = background
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(sweepEvery + rand.N(sweepEvery/5)):
			}
			if err := s.look(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("sweep runs of %s: %w", p.Name, err)
			}
		}
	}
}

func newSweeper(e *engine, b broker.Broker, p *plan.Plan) *sweeper {
	return &sweeper{
		engine: e, broker: b, plan: p, round: Sweep{Workflow: p.Name, Began: time.Now()},
		suspects: make(map[broker.EntryRef]time.Time), still: make(map[broker.Home]time.Time), places: make(map[broker.Home]string),
	}
}

// look looks at some runs: as many as their entries allow, and no more than there are.
func (s *sweeper) look(ctx context.Context) error {
	for budget := sweepEntries; budget > 0; {
		page, err := s.broker.Homes(ctx, broker.HomesRequest{
			Queue: s.plan.Queue, Terms: []string{stateTerm(sweptStates[s.state]), workflowTerm(s.plan.Name)}, After: s.runs, Limit: sweepRuns,
		})
		if err != nil {
			return err
		}
		for _, found := range page.Homes {
			n, err := s.lookAt(ctx, found.Home)
			if err != nil {
				return err
			}
			s.round.Runs++
			s.round.Entries += n
			budget -= max(n, 1)
		}
		if s.runs = page.Next; s.runs != "" {
			continue
		}
		if s.state = (s.state + 1) % len(sweptStates); s.state == 0 {
			s.finish()
			break
		}
	}
	forget(s.suspects)
	forget(s.still)
	return nil
}

// finish ends a round.
func (s *sweeper) finish() {
	s.round.Ended = time.Now()
	s.engine.mu.Lock()
	s.engine.sweeps[s.plan.Name] = s.round
	s.engine.mu.Unlock()
	if len(s.places) > maxPlaces {
		clear(s.places)
	}
	s.round = Sweep{Workflow: s.plan.Name, Began: time.Now()}
}

// forget forgets what was seen long ago, and has gone on by itself since.
func forget[K comparable](seen map[K]time.Time) {
	for k, since := range seen {
		if time.Since(since) > time.Hour {
			delete(seen, k)
		}
	}
}

// confirmed reports whether what was seen now has been seen a while ago.
func confirmed[K comparable](seen map[K]time.Time, k K) bool {
	since, known := seen[k]
	if !known {
		seen[k] = time.Now()
		return false
	}
	if time.Since(since) < sweepGrace {
		return false
	}
	delete(seen, k)
	return true
}

// lookAt looks at open entries of a run, of a wide one at those behind the ones of the
// last time, and returns how many.
func (s *sweeper) lookAt(ctx context.Context, home broker.Home) (int, error) {
	page, err := s.broker.OpenEntries(ctx, broker.OpenRequest{Home: home, After: s.places[home], Limit: pageSize})
	if _, wide := s.places[home]; wide && errors.Is(err, broker.ErrRefused) {
		delete(s.places, home) // the place is one no more: from the beginning, next time
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, ref := range page.Entries {
		if err := s.suspect(ctx, home, ref); err != nil {
			return 0, err
		}
	}
	if len(page.Entries) == 0 && page.Next == "" && s.places[home] == "" {
		return 0, s.start(ctx, home)
	}
	if delete(s.places, home); page.Next != "" {
		s.places[home] = page.Next
	}
	return len(page.Entries), nil
}

// suspect looks at an entry that is open, and acts if it has been missing for a while.
func (s *sweeper) suspect(ctx context.Context, home broker.Home, ref broker.EntryRef) error {
	e, err := s.broker.Entry(ctx, ref)
	gone := errors.Is(err, broker.ErrNotFound)
	if err != nil && !gone {
		return err
	}
	if !gone && (!e.State.Ended() || e.End == broker.Undecodable) {
		delete(s.suspects, ref)
		return nil
	}
	if !confirmed(s.suspects, ref) {
		return nil
	}
	s.round.Mended++
	return s.tell(ctx, home, ref, gone)
}

// start has a run go on, or end, of which nothing is open, although it waits for no
// signal. No run should come to that: so it is an error, for people to look at.
func (s *sweeper) start(ctx context.Context, home broker.Home) error {
	h := Handle{ID: home.ID, home: home, broker: s.broker, audience: s.audience}
	v, err := h.values(ctx)
	if errors.Is(err, ErrRunNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	cause := causeRebuild
	switch v.control.State {
	case Running:
	case Closing:
		cause = causeStop
	case Undoing:
		return s.strand(ctx, h)
	default: // paused, and nothing has begun; or it has ended meanwhile
		return nil
	}
	for _, n := range v.Nodes {
		if n.Kind != plan.Await || n.Wait.For > 0 {
			continue
		}
		if step, err := newSurvey(v).step(ctx, n); err != nil || step.State == StepRunning {
			return err
		}
	}
	if !confirmed(s.still, home) {
		return nil
	}
	s.round.Mended++
	outcome, err := apply(ctx, s.broker, broker.Change{Enqueue: []broker.Entry{v.anew(cause)}})
	if err := errors.Join(err, outcome); err != nil {
		return err
	}
	return fmt.Errorf("run %s had nothing open, and was put on again", home.ID)
}

// strand leaves a run stuck that is being undone and of which nothing is open.
func (s *sweeper) strand(ctx context.Context, h Handle) error {
	if !confirmed(s.still, h.home) {
		return nil
	}
	const nothing = "nothing of it was open"
	var last control
	err := h.operate(ctx, "strand", func(c control) (control, broker.Change, error) {
		if c.State != Undoing {
			return c, broker.Change{}, h.refuse("strand", c)
		}
		last = c.with(Stuck, nothing)
		return last, broker.Change{}, nil
	})
	if err == nil {
		h.graphOf(last).ended(ctx, h.audience)
		err = fmt.Errorf("run %s is stuck: %s", h.ID, nothing)
	}
	return err
}

// tell has the run told of an entry that has ended without a word: the entry is put
// back, never to run, and ended again as whoever knows of runs does it.
func (s *sweeper) tell(ctx context.Context, home broker.Home, ref broker.EntryRef, gone bool) error {
	h := Handle{ID: home.ID, home: home, broker: s.broker}
	c, _, err := h.control(ctx)
	if err != nil {
		return err
	}
	back := broker.Change{Move: []broker.Move{{EntryRef: ref, Do: broker.Reschedule, At: never()}}}
	again := broker.Archive
	if gone {
		g := graph{s.plan, home, c}
		e := broker.Entry{EntryRef: ref, Type: decideName(c.Workflow), DueAt: never(), Home: home, Reads: onlyControl}
		if p := s.engine.plans[c.Plan]; p != nil {
			g.Plan = p
			e.Exit = g.toldBy(g.place(ref.ID))
		} else {
			rebuild := g.anew(causeRebuild)
			e.Exit = &rebuild
		}
		back, again = broker.Change{Enqueue: []broker.Entry{e}}, broker.Delete
	}
	_, err = s.broker.Apply(ctx, time.Now(), []broker.Change{back, {Move: []broker.Move{{EntryRef: ref, Do: again}}}}, broker.LeaseRequest{})
	return err
}

// toldBy returns the decide about an entry that is gone, and that nobody has told of:
// what it was for is lost, or goes on anew if it was the engine's own.
func (g graph) toldBy(p part) *broker.Entry {
	switch {
	case p.node == nil, p.node == g.End() && p.cause != causeEnd:
		e := g.anew(causeRebuild)
		return &e
	case p.cause == causeUndo:
		e := g.decision(causeUndoLost, p.name)
		return &e
	case p.added:
		e := g.lost(p.name)
		e.Headers = map[string]string{addedQueue: task.DefaultQueue}
		return e
	}
	return g.lost(p.name)
}

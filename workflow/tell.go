package workflow

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// This file tells a tracer and an observer what has become of runs. What they are told is
// gathered while a change is made up, and told once that is committed.

// An audience is who is told: a server's, or a client's.
type audience interface {
	Tracer() queue.Tracer
	Tell(context.Context, queue.Event)
}

// callers are the audience of a client.
type callers struct{ client *queue.Client }

// Tracer returns the client's tracer.
func (c callers) Tracer() queue.Tracer { return c.client.Tracer }

// Tell tells the client's observer.
func (c callers) Tell(ctx context.Context, e queue.Event) { c.client.Tell(ctx, e) }

// tracerOf returns the tracer of an audience if it knows of runs, or nil.
func tracerOf(a audience) Tracer {
	if a == nil {
		return nil
	}
	t, _ := a.Tracer().(Tracer)
	return t
}

// traced returns the run for a tracer.
func (g graph) traced() TracedRun {
	c := g.control
	r := TracedRun{
		Workflow: c.Workflow, Queue: g.home.Queue, ID: g.home.ID, Root: g.root(), Epoch: c.Epoch, Headers: c.Trace,
		Started: later(c.Started, c.Again), Begins: c.Begins, Ended: c.Ended, State: c.State,
		Entry: c.Attributes["entry"], Tick: c.Attributes["tick"],
	}
	if c.Failure != nil {
		r.Failed = c.Failure.Step
	}
	if p := c.Parent; p != nil {
		above := p.graph()
		r.Parent = &TracedRun{Workflow: p.Workflow, Queue: p.Queue, ID: p.ID, Root: above.root()}
		place, _ := PlaceOf(broker.Entry{EntryRef: broker.EntryRef{ID: above.root() + p.Part}, Home: above.home})
		r.ParentStep = TracedStep{ID: above.root() + p.Part, Name: place.Step, Item: place.Item, Kind: KindRun}
	}
	return r
}

// tracedStep returns a part of the run for a tracer: n, or an item of it, under the name
// that entries have for it.
func (g graph) tracedStep(n *plan.Node, name string, item int) TracedStep {
	s := TracedStep{ID: g.root() + name, Name: n.Name, Item: item, Kind: KindStep}
	switch {
	case n.Kind == plan.Await:
		s.Kind, s.Signal = KindWait, n.Wait.Signal
	case n.Kind == plan.Sleep:
		s.Kind = KindSleep
	case n.Unit != nil && n.Unit.Workflow:
		s.Kind = KindRun
	case n.Unit != nil:
		s.Queue = n.Unit.Queue
	}
	return s
}

// tracedPart returns what the visit is about for a tracer.
func (v *visit) tracedPart() TracedStep {
	if v.node == v.End() {
		return TracedStep{Item: -1}
	}
	s := v.tracedStep(v.node, v.name, v.item)
	s.Added = v.added
	if v.cause == causeUndo || v.cause == causeUndoLost {
		s.ID, s.Kind, s.Queue = v.undoID(v.name), KindUndo, ""
	}
	if v.cause == "" || v.cause == causeUndo {
		s.Queue = v.lease.Entry.Queue
	}
	return s
}

// headers returns those of a task that has some of its own.
func (g graph) headers(own map[string]string) map[string]string {
	trace := g.control.Trace
	switch {
	case len(trace) == 0:
		return own
	case len(own) == 0:
		return trace
	}
	all := maps.Clone(own)
	maps.Copy(all, trace)
	if !fit(all) {
		return own
	}
	return all
}

// fit reports whether an entry may have the headers.
func fit(headers map[string]string) bool {
	size := 0
	for k, v := range headers {
		size += len(k) + len(v)
	}
	return len(headers) <= broker.MaxHeaders && size <= broker.MaxHeaderBytes
}

// begins tells a tracer that the run is about to begin, and notes what it wants to have
// kept. It returns what is to be called with what became of that.
func (g *graph) begins(ctx context.Context, to audience, also func(*TracedRun)) (started func(error)) {
	started = func(error) {}
	t := tracerOf(to)
	if t == nil {
		g.control.Trace = nil
		return started
	}
	r := g.traced()
	if also != nil {
		also(&r)
	}
	headers, told := t.StartRun(ctx, r)
	if g.control.Trace = headers; !fit(headers) {
		g.control.Trace = nil
	}
	if told != nil {
		started = told
	}
	return started
}

// begun tells an observer that the run has begun.
func (g graph) begun(ctx context.Context, to audience) {
	if to != nil {
		to.Tell(ctx, queue.Event{Kind: queue.EventRunStarted, Entry: broker.Entry{Home: g.home}, Name: g.Name})
	}
}

// ended tells that the run has ended, or is stuck.
func (g graph) ended(ctx context.Context, to audience) {
	if t := tracerOf(to); t != nil {
		t.EndRun(ctx, g.traced())
	}
	if c := g.control; to != nil && c.State.Ended() {
		took := c.Ended.Sub(later(later(c.Started, c.Begins), c.Again))
		to.Tell(ctx, queue.Event{Kind: queue.EventRunEnded, Entry: broker.Entry{Home: g.home}, Name: g.Name, State: string(c.State), Took: max(took, 0)})
	}
}

// news is what there is to tell once a change is committed.
type news struct {
	steps []TracedStep  // that have ended
	taken *TracedSignal // by the last of them
	to    []HandOff
	last  *control // of a run that has ended

	decided time.Time // when it was begun to decide; zero: it is no decide's
}

func (n news) none() bool {
	return len(n.steps) == 0 && len(n.to) == 0 && n.last == nil && n.decided.IsZero()
}

// told has the news told if the change that is about to be returned is committed.
func (v *visit) told() {
	if v.news.none() {
		v.running.OnSettled(nil)
	} else {
		v.running.OnSettled(v.tell)
	}
}

// untold has nothing told of the change that is about to be returned.
func (v *visit) untold() {
	v.news = news{}
	v.running.OnSettled(nil)
}

// tell tells the news.
func (v *visit) tell() {
	n := v.news
	if t := v.tracer; t != nil {
		r := v.traced()
		for i, s := range n.steps {
			if n.taken != nil && i == len(n.steps)-1 {
				t.TakeSignal(v.ctx, r, s, *n.taken)
			} else {
				t.EndStep(v.ctx, r, s)
			}
		}
		if len(n.to) > 0 {
			t.HandOff(v.ctx, r, v.tracedPart(), n.to)
		}
		if !n.decided.IsZero() {
			t.Decided(v.ctx, r, v.tracedPart(), v.cause, n.decided)
		}
	}
	if n.last != nil {
		graph{v.Plan, v.home, *n.last}.ended(v.ctx, v.running)
	}
}

// endWait notes that n, which has waited, has ended.
func (v *visit) endWait(n *plan.Node, state StepState, since time.Time) {
	if v.tracer == nil {
		return
	}
	s := v.tracedStep(n, n.Name, -1)
	s.State, s.Began, s.Ended = state, since, time.Now()
	v.news.steps = append(v.news.steps, s)
}

// handsOff notes which tasks c makes ready.
func (v *visit) handsOff(c broker.Change) {
	if v.tracer == nil {
		return
	}
	for _, e := range c.Enqueue {
		if e.Home != v.home {
			continue
		}
		switch p := v.place(e.ID); {
		case p.cause == "":
			v.handOff(e.Queue, 1)
		case p.node == nil || p.node.Unit == nil || p.node.Unit.Workflow:
		case p.cause == causeLoop:
			v.handOff(p.node.Unit.Queue, 1)
		case p.cause == causeExpand:
			v.handOff(p.node.Unit.Queue, 0)
		}
	}
	for _, f := range c.Feed {
		for _, e := range f.Entries {
			v.handOff(e.Queue, 1)
		}
	}
}

func (v *visit) handOff(queue string, count int) {
	i := slices.IndexFunc(v.news.to, func(h HandOff) bool { return h.Queue == queue })
	switch {
	case i < 0:
		v.news.to = append(v.news.to, HandOff{queue, count})
	case count == 0 || v.news.to[i].Count == 0:
		v.news.to[i].Count = 0
	default:
		v.news.to[i].Count += count
	}
}

// tellInputs tells a tracer from where the visit's input comes.
func (v *visit) tellInputs(ctx context.Context) {
	if v.tracer != nil {
		v.tracer.Inputs(ctx, v.traced(), v.tracedPart(), func() ([]TracedStep, int) { return v.origins(ctx) })
	}
}

// putOff tells a tracer that the visit's step was not reached, if it was put off.
func putOff(a queue.TracedAttempt, v *visit, err error) {
	switch {
	case !isPutOff(err):
	case v != nil && v.control.State == Paused:
		a.PutOff("paused")
	default:
		a.PutOff("elsewhere")
	}
}

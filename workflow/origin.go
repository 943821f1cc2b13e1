package workflow

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/leatwork/leat/workflow/internal/plan"
)

// maxOrigins is how many steps are told of from which an input comes.
const maxOrigins = 100

// origins returns from which steps the visit's input comes, and how many they are. It
// looks through what leaves no trace of its own, and leaves out what was done before the
// run began again. It is as good as can be found out: nothing depends on it.
func (v *visit) origins(ctx context.Context) ([]TracedStep, int) {
	n := v.node
	o := &origin{visit: v, seen: make(map[int]bool)}
	switch {
	case v.cause == causeUndo:
		if o.counts(ctx, n) {
			o.put(v.tracedStep(n, itemPart(n, v.item), v.item))
		}
	case v.added:
		o.put(v.tracedStep(n, n.Name, -1))
		o.from[0].HandedOff = true
	case n.Kind == plan.Loop && v.item > 0:
		o.put(v.tracedStep(n, itemPart(n, v.item-1), v.item-1))
		o.from[0].HandedOff = true
	default:
		o.sources(ctx, n)
		if len(o.from) == 1 && len(n.Sources) == 1 {
			o.from[0].HandedOff = o.direct(ctx, v.Nodes[n.Sources[0].Node])
		}
	}
	return o.from, o.count
}

// An origin gathers steps from which an input comes.
type origin struct {
	*visit
	seen  map[int]bool
	from  []TracedStep
	count int
}

// sources gathers where what n takes comes from. A choice counts for nothing beside the
// steps of the arm that was taken.
func (o *origin) sources(ctx context.Context, n *plan.Node) {
	var choices []*plan.Node
	for _, e := range n.Sources {
		if from := o.Nodes[e.Node]; from.Kind == plan.Choice {
			choices = append(choices, from)
		} else {
			o.follow(ctx, from)
		}
	}
	for _, c := range choices {
		if !o.within(c) {
			o.follow(ctx, c)
		}
	}
}

// within reports whether something that was gathered is on an arm of the choice.
func (o *origin) within(choice *plan.Node) bool {
	return slices.ContainsFunc(o.from, func(s TracedStep) bool { return o.Within(o.Node(s.Name), choice.Index, -1) })
}

// direct reports whether it was the commit of n's end that made ready what waits for n
// alone: n was a task's, and nobody has skipped it, nor was the run paused.
func (o *origin) direct(ctx context.Context, n *plan.Node) bool {
	if n.Kind != plan.Step && n.Kind != plan.Loop || n.Unit.Workflow {
		return false
	}
	r, ok, err := o.values.recorded(ctx, o.key(n))
	return err == nil && ok && r.tries > 0 && !o.control.pausedAt(r.ended)
}

func (o *origin) put(s TracedStep) {
	if o.count++; len(o.from) < maxOrigins {
		o.from = append(o.from, s)
	}
}

// follow gathers n, or where what it gives comes from.
func (o *origin) follow(ctx context.Context, n *plan.Node) {
	if o.seen[n.Index] {
		return
	}
	o.seen[n.Index] = true
	switch n.Kind {
	case plan.Map:
		o.items(ctx, n)
	case plan.Choice, plan.Gate:
		o.sources(ctx, n)
	case plan.First:
		for _, e := range o.winners(ctx, n) {
			o.follow(ctx, o.Nodes[e.Node])
		}
	case plan.Loop:
		if o.counts(ctx, n) {
			round := o.lastRound(ctx, n)
			o.put(o.tracedStep(n, itemPart(n, round), round))
		}
	default:
		if o.counts(ctx, n) {
			o.put(o.tracedStep(n, n.Name, -1))
		}
	}
}

// counts reports whether n was run, since the run began last.
func (o *origin) counts(ctx context.Context, n *plan.Node) bool {
	if n.Guard == nil && o.control.Epoch == 0 {
		return true
	}
	r, ok, err := o.values.recorded(ctx, o.key(n))
	return err == nil && ok && r.state != StepSkipped && !r.ended.Before(o.control.Again.Truncate(time.Millisecond))
}

// items gathers the items of a map that were run since the run began last.
func (o *origin) items(ctx context.Context, n *plan.Node) {
	m, begun, err := o.values.mapped(ctx, n)
	if err != nil || !begun || m.Epoch != o.control.Epoch {
		return
	}
	if m.Epoch == 0 {
		told := min(m.Width, maxOrigins-len(o.from))
		for i := range told {
			o.put(o.tracedStep(n, itemPart(n, i), i))
		}
		o.count += m.Width - told
		return
	}
	again, err := o.missing(ctx, n, m.Width)
	if err != nil {
		return
	}
	for k, i := range again {
		o.put(o.tracedStep(n, againPart(n, i, k), i))
	}
}

// winners returns the one that was first, or if that is not known all that it was of.
func (o *origin) winners(ctx context.Context, n *plan.Node) []plan.Edge {
	b, err := o.values.output(ctx, n)
	if err != nil {
		return n.Sources
	}
	winner, err := strconv.Atoi(string(b))
	if err != nil {
		return n.Sources
	}
	for _, e := range n.Sources {
		if o.leads(n.Deps[winner], e.Node) {
			return []plan.Edge{e}
		}
	}
	return n.Sources
}

// lastRound returns which round of a loop was the last.
func (o *origin) lastRound(ctx context.Context, n *plan.Node) int {
	var state loopState
	d, err := o.values.document(ctx, o.loopKey(n))
	if err != nil || d.Version == 0 || json.Unmarshal(d.Body, &state) != nil {
		return 0
	}
	return state.Round
}

package workflow

import (
	"context"
	"errors"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Tree is how far a run has come, with the runs that its steps are.
type Tree struct {
	Status
	Queue string // beside which the run is kept
	Step  string // of the run above: the step that it is; "" for the one that was asked for
	Item  int    // of that step, if it is a map or a loop; otherwise -1

	Children  []*Tree // in the order of the steps, and of their items
	Truncated bool    // more of its steps are runs than Children has
}

// Tree reads how far the run and the runs within it have come, or [ErrRunNotFound]. Runs are
// opened level by level as long as there are at most most steps in all; the run itself is
// opened in any case. One that has not begun, or is not kept any more, is left out.
func (h Handle) Tree(ctx context.Context, most int) (Tree, error) {
	g := grower{broker: h.broker, plans: make(map[string]*plan.Plan), left: most}
	root := &Tree{Queue: h.home.Queue, Item: -1}
	v, err := h.values(ctx)
	if err == nil {
		root.Status, err = v.status(ctx)
	}
	if err != nil {
		return *root, fmt.Errorf("run %s: %w", h.ID, err)
	}
	g.know(v)
	g.left -= len(root.Steps)
	for level := []*branch{{tree: root, values: v}}; len(level) > 0; {
		if level, err = g.grow(ctx, level); err != nil {
			return *root, fmt.Errorf("runs within run %s: %w", h.ID, err)
		}
	}
	return *root, nil
}

// A branch is a run that was read, or is to be.
type branch struct {
	tree   *Tree
	home   broker.Home
	values *values // nil: the run does not exist
}

// A grower reads a tree level by level.
type grower struct {
	broker broker.Broker
	plans  map[string]*plan.Plan // by workflow and hash
	left   int                   // how many steps may yet be read
}

// know takes note of a plan: many runs go by one.
func (g *grower) know(v *values) { g.plans[planName(v.control)] = v.Plan }

func planName(c control) string { return c.Workflow + joint + c.Plan }

// grow reads the level below some runs.
func (g *grower) grow(ctx context.Context, level []*branch) (next []*branch, err error) {
	for _, b := range level {
		buds, err := g.buds(ctx, b)
		if err != nil {
			return nil, err
		}
		for len(buds) > 0 && g.left > 0 {
			some := buds[:min(len(buds), atOnce)]
			if err := abreast(len(some), func(i int) error { return g.open(ctx, some[i]) }); err != nil {
				return nil, err
			}
			next = append(next, g.take(b, some)...)
			buds = buds[len(some):]
		}
		b.tree.Truncated = b.tree.Truncated || len(buds) > 0
	}
	return next, nil
}

// take hangs runs that were read onto the one that they are steps of, as many as may be.
func (g *grower) take(above *branch, read []*branch) (taken []*branch) {
	for _, b := range read {
		switch {
		case b.values == nil:
			continue
		case len(b.tree.Steps) > g.left:
			above.tree.Truncated = true
			g.left = 0
			continue
		}
		g.know(b.values)
		g.left -= len(b.tree.Steps)
		above.tree.Children = append(above.tree.Children, b.tree)
		taken = append(taken, b)
	}
	return taken
}

// buds returns the runs that the steps of a run are, unread, and about as many as may yet
// be opened.
func (g *grower) buds(ctx context.Context, b *branch) (buds []*branch, err error) {
	for i, n := range b.values.settlingSteps() {
		if n.Unit == nil || !n.Unit.Workflow {
			continue
		}
		s := b.tree.Steps[i]
		if n.Kind != plan.Map {
			if s.Child == "" {
				continue
			}
			bud := &branch{tree: &Tree{Step: s.Name, Item: -1}, home: broker.Home{Queue: s.Queue, ID: s.Child}}
			if n.Kind == plan.Loop {
				bud.tree.Item = s.lastRound()
			}
			buds = append(buds, bud)
			continue
		}
		width := min(s.Width, max(g.left-len(buds), 0))
		b.tree.Truncated = b.tree.Truncated || width < s.Width
		items, err := b.values.itemStatuses(ctx, n, 0, width)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			if item.Child != "" {
				buds = append(buds, &branch{tree: &Tree{Step: s.Name, Item: item.Item}, home: broker.Home{Queue: item.Queue, ID: item.Child}})
			}
		}
	}
	return buds, nil
}

// open reads a run, unless it does not exist.
func (g *grower) open(ctx context.Context, b *branch) error {
	h := Handle{ID: b.home.ID, home: b.home, broker: g.broker}
	c, _, err := h.control(ctx)
	if errors.Is(err, ErrRunNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", h.ID, err)
	}
	if known := g.plans[planName(c)]; known != nil {
		h.plan = known
	}
	b.values, err = h.valuesOf(ctx, c)
	if err == nil {
		b.tree.Queue = b.home.Queue
		b.tree.Status, err = b.values.status(ctx)
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", h.ID, err)
	}
	return nil
}

// settlingSteps returns the nodes of the steps of a [Status], in order.
func (v *values) settlingSteps() []*plan.Node {
	all := v.Settling()
	return all[:len(all)-1] // the last is the end
}

package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// This file finds what a step ran as in an earlier epoch: the ids of its task and of the
// run that it was have the tag of the epoch in which it began.

// A past is an epoch that is over.
type past struct {
	Epoch int       `json:"epoch"`
	Tag   string    `json:"tag"`
	Until time.Time `json:"until"`
}

// maxPast is how many of them a run keeps.
const maxPast = 20

// afresh returns c in its next epoch.
func (c control) afresh() control {
	now := time.Now()
	c.Past = append(slices.Clip(c.Past), past{c.Epoch, c.Tag, now})
	c.Past = c.Past[max(0, len(c.Past)-maxPast):]
	c.Epoch, c.Tag, c.Again = c.Epoch+1, newTag(), now
	return c
}

// at returns c as it was when something was recorded of a step; the zero time stands for
// now. ok says whether that is known.
func (c control) at(recorded time.Time) (then control, ok bool) {
	if recorded.IsZero() {
		return c, true
	}
	for _, p := range c.Past {
		if recorded.Before(p.Until) {
			c.Epoch, c.Tag = p.Epoch, p.Tag
			return c, true
		}
	}
	return c, c.Epoch == 0 || !recorded.Before(c.Again)
}

// since returns when the epoch began from which on the outcome of n counts.
func (g graph) since(n *plan.Node) time.Time {
	epoch := g.control.Resets[n.Name]
	for _, p := range g.control.Past {
		if p.Epoch == epoch-1 {
			return p.Until
		}
	}
	return later(g.control.Started, g.control.Begins)
}

// then returns the graph as it was when something was recorded of a step.
func (g graph) then(recorded time.Time) (graph, bool) {
	c, ok := g.control.at(recorded)
	return graph{g.Plan, g.home, c}, ok
}

// taskRef names the entry of the part of n that is called part.
func (g graph) taskRef(n *plan.Node, part string) broker.EntryRef {
	return g.itemEntry(n, part, nil).EntryRef
}

// child names the home of the run that the part of n is that is called part.
func (g graph) child(n *plan.Node, part string) broker.Home {
	queue := n.Unit.Beside
	if queue == "" {
		queue = g.home.Queue
	}
	return broker.Home{Queue: queue, ID: g.root() + part}
}

// itemParts returns how the items of a map are called in the graph's epoch: those that
// are run again have other names.
func (v *values) itemParts(ctx context.Context, n *plan.Node, g graph) (func(i int) (string, bool), error) {
	plain := func(i int) (string, bool) { return itemPart(n, i), true }
	if g.control.Epoch == 0 {
		return plain, nil
	}
	keys := []string{v.missingKey(n), joint + "missing" + joint + n.Name + suffix(g.control.Epoch)}
	if err := v.load(ctx, keys...); err != nil {
		return nil, err
	}
	for _, key := range keys {
		d := v.read[key]
		var m missingItems
		if d.Version == 0 {
			continue
		}
		if err := json.Unmarshal(d.Body, &m); err != nil {
			return nil, fmt.Errorf("document %s of %s: %w", key, v.graph, err)
		}
		if m.Epoch == g.control.Epoch {
			return func(i int) (string, bool) {
				k, found := slices.BinarySearch(m.Items, i)
				return againPart(n, i, k), found
			}, nil
		}
	}
	return func(int) (string, bool) { return "", false }, nil
}

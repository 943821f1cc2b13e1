package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// An undoing is one thing to be undone: a step, or an item of a map.
type undoing struct {
	Step    string `json:"step"`
	Item    int    `json:"item"` // otherwise -1
	Unknown bool   `json:"unknown,omitempty"`

	order int64 // of its end: the version of its record
}

// undoable returns what is to be undone, the last first: the reversible steps that
// are done, or may be, and were not undone yet.
func (v *visit) undoable(ctx context.Context) ([]undoing, error) {
	var list []undoing
	for _, n := range v.Nodes {
		if !n.Reversible() {
			continue
		}
		width := -1
		if n.Kind == plan.Map {
			m, begun, err := v.values.mapped(ctx, n)
			if err != nil {
				return nil, err
			}
			if !begun {
				continue
			}
			width = m.Width
		}
		found, err := v.undoableOf(ctx, n, width)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	slices.SortFunc(list, func(a, b undoing) int { return int(b.order - a.order) })
	return list, nil
}

// undoableOf looks at one step: at the items of a map of the given width, or at the
// step itself if that is negative.
func (v *visit) undoableOf(ctx context.Context, n *plan.Node, width int) (list []undoing, err error) {
	first, last := 0, width
	if width < 0 {
		first, last = -1, 0
	}
	for from := first; from < last; from += pageSize {
		var keys []string
		to := min(from+pageSize, last)
		for i := from; i < to; i++ {
			keys = append(keys, v.unitKey(n, i), v.doubtKey(n, i), v.undoneKey(n, i))
		}
		docs, err := v.running.Broker().Documents(ctx, v.home, keys...)
		if err != nil {
			return nil, fmt.Errorf("read what %s has done: %w", n, err)
		}
		for i := from; i < to; i++ {
			of := docs[3*(i-from):]
			u := undoing{Step: n.Name, Item: i, Unknown: true, order: max(of[0].Version, of[1].Version)}
			var r record
			if of[0].Version > 0 {
				if r, err = decodeRecord(of[0].Body); err != nil {
					return nil, fmt.Errorf("document %s of %s: %w", of[0].Key, v.graph, err)
				}
			}
			if r.state == StepDone {
				u.Unknown, u.order = false, of[0].Version
			}
			happened := r.state == StepDone || r.unknown || of[1].Version > 0
			if happened && of[2].Version == 0 {
				list = append(list, u)
			}
		}
	}
	return list, nil
}

func (g graph) undoneKey(n *plan.Node, i int) string {
	return joint + "undone" + joint + g.unitKey(n, i)
}

func (g graph) undosKey() string { return joint + "undos" + g.epoch() }

// unwind has everything undone that is to be, one after another. A step that cannot
// be undone stops that.
func (v *visit) unwind(ctx context.Context) (broker.Change, error) {
	d, err := v.values.document(ctx, v.undosKey())
	if err != nil {
		return broker.Change{}, err
	}
	var list []undoing
	if d.Version > 0 {
		err = json.Unmarshal(d.Body, &list)
	} else {
		list, err = v.undoable(ctx)
	}
	if err != nil {
		return broker.Change{}, err
	}
	b, err := json.Marshal(list)
	if err != nil {
		return broker.Change{}, err
	}
	done := broker.Part{Enqueue: []broker.Entry{v.about(causeUndone)}}
	f := &feeder{
		visit: v, width: len(list), cursorKey: v.cursorKey(joint + "undo"),
		latch:   broker.Latch{ID: v.undoLatch(), Total: len(list), Window: 1, StopAt: 1, Then: done, Else: done},
		opening: []broker.Put{{Key: v.undosKey(), Body: b, If: broker.AnyVersion}},
		entry:   func(k int) (broker.Entry, error) { return v.undoEntry(ctx, list[k], k) },
	}
	return f.feed(ctx)
}

// undoEntry returns the entry that undoes u, the k-th of all.
func (v *visit) undoEntry(ctx context.Context, u undoing, k int) (broker.Entry, error) {
	n := v.Node(u.Step)
	input, err := v.undoInput(ctx, n, u)
	if err != nil {
		return broker.Entry{}, err
	}
	unit, err := v.undoUnit(n)
	if err != nil {
		return broker.Entry{}, err
	}
	part := againPart(n, u.Item, k)
	e := v.task(&unit, v.undoID(part))
	e.Deadline = unit.Deadline // the run's has passed, maybe
	e.Payload = input
	exit := v.decision(causeUndoLost, part)
	e.Exit = &exit
	return e, nil
}

// undoUnit returns what undoes n, with its own options.
func (g graph) undoUnit(n *plan.Node) (plan.Unit, error) {
	unit := *n.Unit
	unit.Type, unit.Batch = n.Unit.Undo, nil
	return unit, unit.Resolve(g.Queue, g.Specs[n.Unit.Undo].Options)
}

func (g graph) undoID(part string) string { return g.root() + joint + causeUndo + joint + part }

// undoInput returns the [Undo] that a step is undone with.
func (v *visit) undoInput(ctx context.Context, n *plan.Node, u undoing) ([]byte, error) {
	input, err := v.taken(ctx, n, u.Item)
	if err != nil {
		return nil, err
	}
	b := append([]byte(`{"input":`), asJSON(input, n.Unit.Takes.Raw())...)
	if u.Unknown {
		return append(b, `,"unknown":true}`...), nil
	}
	docs, err := v.running.Broker().Documents(ctx, v.home, v.unitKey(n, u.Item))
	if err != nil {
		return nil, fmt.Errorf("read what %s has done: %w", n, err)
	}
	r, err := decodeRecord(docs[0].Body)
	if err != nil {
		return nil, fmt.Errorf("document %s of %s: %w", docs[0].Key, v.graph, err)
	}
	output, err := v.values.body(ctx, r)
	if err != nil {
		return nil, err
	}
	b = append(b, `,"output":`...)
	return append(append(b, asJSON(output, n.Unit.Gives.Raw())...), '}'), nil
}

// taken returns what n took, or its i-th item.
func (v *visit) taken(ctx context.Context, n *plan.Node, i int) ([]byte, error) {
	if i < 0 {
		return v.values.of(ctx, n.Deps[0])
	}
	list, err := v.elements(ctx, n)
	if err != nil {
		return nil, err
	}
	return list[i], nil
}

// undo runs the function that undoes a step. That it did is recorded with the
// outcome.
func (v *visit) undo(ctx context.Context, spec plan.Spec, t *task.Task) error {
	var learned refusals
	failure := errUnfinished
	v.running.OnSettle(func(s broker.Settlement, refused error) broker.Change {
		if done := s.To == broker.Done || s.To == broker.Completed; done && failure != nil {
			s = unsuccessful(s, failure)
		}
		alone := broker.Change{Settle: []broker.Settlement{s}}
		if refused != nil && v.learn(&learned, refused) != again {
			return alone
		}
		c := v.change(s)
		switch s.To {
		case broker.Done, broker.Completed:
			v.settleUndo(&c, "")
		case broker.Archived:
			v.settleUndo(&c, s.Entry.LastErr)
		default:
			return alone
		}
		return c
	})
	v.tellInputs(ctx)
	_, failure = spec.Call(withTask(ctx, t), t.Payload())
	return failure
}

// settleUndo adds to c that the step is undone, or why not.
func (v *visit) settleUndo(c *broker.Change, failure string) {
	if failure == "" {
		c.Put = append(c.Put, broker.Put{Key: v.undoneKey(v.node, v.item), If: broker.AnyVersion})
	} else {
		e := StepError{Step: v.node.Name, Item: v.item, Message: "undo: " + failure}
		c.Put = append(c.Put, broker.Put{Key: undoFailureKey, Body: encodeFailure(e), If: broker.AnyVersion})
	}
	c.Arrive = append(c.Arrive, broker.Arrival{Latch: v.undoLatch(), Member: v.member, Mark: failure != ""})
}

// undoFailureKey names the document that says which step could not be undone.
const undoFailureKey = joint + "undo" + joint + "failure"

// loseUndo stops the undoing because an entry that was to undo something has gone.
func (v *visit) loseUndo(ctx context.Context) (broker.Change, error) {
	c := v.writes()
	d, err := v.values.document(ctx, v.undoneKey(v.node, v.item))
	if err != nil || d.Version > 0 {
		return c, err
	}
	unit, err := v.undoUnit(v.node)
	if err != nil {
		return c, err
	}
	entry, err := v.running.Broker().Entry(ctx, broker.EntryRef{Queue: unit.Queue, ID: v.undoID(v.name)})
	if err != nil && !errors.Is(err, broker.ErrNotFound) || err == nil && !entry.State.Ended() {
		return c, err
	}
	v.settleUndo(&c, "its task has ended before it was done")
	if v.tracer != nil {
		s := v.tracedPart()
		s.Queue, s.State, s.Ended, s.Headers = unit.Queue, StepCancelled, time.Now(), entry.Headers
		v.news.steps = append(v.news.steps, s)
	}
	return c, nil
}

// endUndo ends the run, or leaves it stuck if something could not be undone.
func (v *visit) endUndo(ctx context.Context) (broker.Change, error) {
	c := v.writes()
	latches, err := v.running.Broker().Latches(ctx, v.home, v.undoLatch())
	if err != nil {
		return c, fmt.Errorf("latch of the undoing of %s: %w", v.graph, err)
	}
	if latches[0].Marked == 0 {
		v.end(&c, v.control.closed())
		return c, nil
	}
	d, err := v.values.document(ctx, undoFailureKey)
	if err != nil {
		return c, err
	}
	failure := &StepError{Item: -1, Message: "a step could not be undone"}
	if d.Version > 0 {
		err = json.Unmarshal(d.Body, failure)
	}
	v.strand(&c, failure.Error())
	return c, err
}

package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// expand opens a map's latch over its elements and feeds them to it, a page a
// commit, the last one with the settlement. A cursor document says how far it has
// come, so that whoever takes over after a crash goes on from there; it makes a
// worker that was too slow lose.
func (v *visit) expand(ctx context.Context) error {
	f := &feeder{visit: v}
	v.running.OnSettle(v.unlessEnded(func(s broker.Settlement) broker.Change {
		c := v.change(s)
		f.page(&c)
		return c
	}))
	if err := f.load(ctx); err != nil {
		return err
	}
	for f.end() < len(f.elements) {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := f.commit(ctx); err != nil {
			return err
		}
	}
	return nil
}

// A feeder is how far a map has been fed.
type feeder struct {
	*visit
	elements []json.RawMessage
	next     int   // the first element that was not fed
	cursor   int64 // the cursor's version; 0: nothing was fed, and the latch is not open
}

// load computes the map's elements and reads its cursor.
func (f *feeder) load(ctx context.Context) error {
	list, err := f.values.of(ctx, f.node.Deps[0])
	if err != nil {
		return err
	}
	if err := json.Unmarshal(list, &f.elements); err != nil {
		return fmt.Errorf("list of map %s: %w: %w", f.node.Name, err, task.SkipRetry)
	}
	return f.seek(ctx)
}

// seek reads the cursor.
func (f *feeder) seek(ctx context.Context) error {
	docs, err := f.running.Broker().Documents(ctx, f.home, f.node.CursorKey())
	if err != nil {
		return fmt.Errorf("read cursor of map %s: %w", f.node.Name, err)
	}
	if f.cursor = docs[0].Version; f.cursor == 0 {
		return nil
	}
	return json.Unmarshal(docs[0].Body, &f.next)
}

// pageBytes is how much is fed in one commit, if it is more than one element.
const pageBytes = 4 << 20

// end returns the first element that is not part of the next page.
func (f *feeder) end() int {
	bytes := 0
	for i, e := range f.elements[f.next:] {
		if bytes += len(e); i == pageSize || i > 0 && bytes > pageBytes {
			return f.next + i
		}
	}
	return len(f.elements)
}

// page adds to c the next page of elements, and with the first of them the latch
// and the map's width.
func (f *feeder) page(c *broker.Change) {
	next := f.end()
	if f.cursor == 0 {
		c.Open = []broker.Latch{f.latch(f.node, len(f.elements))}
		c.Put = append(c.Put, broker.Put{Key: f.node.Name, Body: mapWidth{len(f.elements)}.encode()})
	}
	c.Put = append(c.Put, broker.Put{Key: f.node.CursorKey(), Body: fmt.Appendf(nil, "%d", next), If: f.cursor})
	feed := broker.Feed{Latch: f.node.Name}
	for i := f.next; i < next; i++ {
		feed.Entries = append(feed.Entries, f.item(f.node, i, f.elements[i]))
	}
	c.Feed = []broker.Feed{feed}
}

// commit feeds one page in a commit of its own. Whatever goes wrong is an error
// for the task: its next attempt finds out by the cursor what was fed.
func (f *feeder) commit(ctx context.Context) error {
	c := broker.Change{Home: f.home, Require: []broker.Condition{{Key: plan.ControlKey, Version: f.version}}}
	f.page(&c)
	outcome, err := commit(ctx, f.running.Broker(), c)
	if err != nil {
		return fmt.Errorf("feed map %s: %w", f.node.Name, err)
	}
	if errors.Is(outcome, broker.ErrConflict) {
		return fmt.Errorf("feed map %s: %w: %w", f.node.Name, outcome, task.Snooze(0))
	}
	if outcome != nil {
		return fmt.Errorf("feed map %s: %w", f.node.Name, outcome)
	}
	return f.seek(ctx)
}

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

// expand opens a map's latch over its elements and feeds them to it. When the map
// is tried again, only those that are not done are.
func (v *visit) expand(ctx context.Context) (broker.Change, error) {
	n := v.node
	list, err := v.elements(ctx, n)
	if err != nil {
		return broker.Change{}, err
	}
	f := &feeder{visit: v, cursorKey: v.cursorKey(n.Name), width: len(list)}
	f.opening = []broker.Put{{Key: v.widthKey(n), Body: mapState{len(list), v.control.Epoch}.encode(), If: broker.AnyVersion}}
	f.entry = func(i int) (broker.Entry, error) { return v.itemEntry(n, itemPart(n, i), list[i]), nil }
	if v.control.Epoch > 0 {
		missing, err := v.missing(ctx, n, len(list))
		if err != nil {
			return broker.Change{}, err
		}
		f.width = len(missing)
		f.opening = append(f.opening, broker.Put{Key: v.missingKey(n), Body: v.encodeMissing(missing), If: broker.AnyVersion})
		f.entry = func(k int) (broker.Entry, error) {
			return v.itemEntry(n, againPart(n, missing[k], k), list[missing[k]]), nil
		}
	}
	f.latch = v.fold(n, f.width)
	return f.feed(ctx)
}

// A missingItems is the document that says which items of a map are run in an epoch.
type missingItems struct {
	Epoch int   `json:"epoch"`
	Items []int `json:"items"`
}

func (v *visit) encodeMissing(items []int) []byte {
	b, err := json.Marshal(missingItems{v.control.Epoch, items})
	if err != nil {
		panic(fmt.Sprintf("workflow: encode missing items: %v", err)) // plain values: it cannot fail
	}
	return b
}

// missing returns which items of a map are run in this epoch: those that are
// written down, or that are not done when it begins.
func (v *visit) missing(ctx context.Context, n *plan.Node, width int) ([]int, error) {
	d, err := v.values.document(ctx, v.missingKey(n))
	if err != nil {
		return nil, err
	}
	if d.Version > 0 {
		var known missingItems
		if err := json.Unmarshal(d.Body, &known); err != nil {
			return nil, fmt.Errorf("document %s of %s: %w", d.Key, v.graph, err)
		}
		if known.Epoch == v.control.Epoch {
			return known.Items, nil
		}
	}
	var items []int
	err = v.values.eachItem(ctx, n, width, func(i int, r record, ok bool) error {
		if !ok || r.state != StepDone {
			items = append(items, i)
		}
		return nil
	})
	return items, err
}

// elements returns what a map runs over, each as its unit takes it.
func (v *visit) elements(ctx context.Context, n *plan.Node) ([][]byte, error) {
	if elements, ok := v.lists[n.Index]; ok {
		return elements, nil
	}
	list, err := v.values.of(ctx, n.Deps[0])
	if err != nil {
		return nil, err
	}
	elements, err := split(n, list)
	if err == nil {
		v.lists = map[int][][]byte{n.Index: elements}
	}
	return elements, err
}

func split(n *plan.Node, list []byte) (elements [][]byte, err error) {
	if n.Unit.Takes.Raw() {
		err = json.Unmarshal(list, &elements)
	} else {
		var parts []json.RawMessage
		err = json.Unmarshal(list, &parts)
		for _, p := range parts {
			elements = append(elements, p)
		}
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("list of %s: %w: %w", n, err, task.SkipRetry)
	case len(elements) > MaxWidth:
		return nil, fmt.Errorf("%w: %w", task.Invalid("length of the list of "+n.String(), len(elements), fmt.Sprintf("is more than %d", MaxWidth)), task.SkipRetry)
	}
	return elements, nil
}

// MaxWidth is how many elements a map may have.
const MaxWidth = 100_000

// A feeder opens a latch and feeds it, a page a commit, the last one with the
// settlement of the decide. A cursor document says how far it has come, so that
// whoever takes over after a crash goes on from there; it makes a worker that was
// too slow lose.
type feeder struct {
	*visit
	latch     broker.Latch
	opening   []broker.Put // written as the latch is opened
	cursorKey string
	width     int
	entry     func(i int) (broker.Entry, error)

	next   int   // the first member that was not fed
	cursor int64 // the cursor's version; 0: nothing was fed, and the latch is not open
}

// pageBytes is how much is fed in one commit, if it is more than one element.
const pageBytes = 4 << 20

// feed feeds all pages but the last, and returns the change that feeds that.
func (f *feeder) feed(ctx context.Context) (broker.Change, error) {
	if err := f.seek(ctx); err != nil {
		return broker.Change{}, err
	}
	for {
		c := f.writes()
		if err := f.page(&c); err != nil {
			return c, err
		}
		if f.next >= f.width {
			return c, nil
		}
		if err := ctx.Err(); err != nil {
			return c, context.Cause(ctx)
		}
		if err := f.commit(ctx, c); err != nil {
			return c, err
		}
	}
}

// seek reads the cursor.
func (f *feeder) seek(ctx context.Context) error {
	docs, err := f.running.Broker().Documents(ctx, f.home, f.cursorKey)
	if err != nil {
		return fmt.Errorf("read cursor of %s: %w", f.node, err)
	}
	if f.cursor = docs[0].Version; f.cursor == 0 {
		return nil
	}
	return json.Unmarshal(docs[0].Body, &f.next)
}

// page adds to c the next page of members, and with the first of them the latch.
func (f *feeder) page(c *broker.Change) error {
	if f.cursor == 0 {
		c.Open = []broker.Latch{f.latch}
		c.Put = append(c.Put, f.opening...)
	}
	feed := broker.Feed{Latch: f.latch.ID}
	bytes, from := 0, f.next
	for ; f.next < f.width && f.next-from < pageSize; f.next++ {
		e, err := f.entry(f.next)
		if err != nil {
			return err
		}
		if bytes += len(e.Payload); bytes > pageBytes && f.next > from {
			break
		}
		feed.Entries = append(feed.Entries, e)
	}
	c.Feed = []broker.Feed{feed}
	c.Put = append(c.Put, broker.Put{Key: f.cursorKey, Body: fmt.Appendf(nil, "%d", f.next), If: f.cursor})
	return nil
}

// commit feeds one page in a commit of its own. Whatever goes wrong is an error
// for the task: its next attempt finds out by the cursor what was fed.
func (f *feeder) commit(ctx context.Context, c broker.Change) error {
	outcomes, err := f.visit.commit(ctx, c)
	switch {
	case err != nil:
		return fmt.Errorf("feed %s: %w", f.node, err)
	case errors.Is(outcomes[0], broker.ErrConflict):
		return fmt.Errorf("feed %s: %w: %w", f.node, outcomes[0], task.Snooze(0))
	case outcomes[0] != nil:
		return fmt.Errorf("feed %s: %w", f.node, outcomes[0])
	}
	return f.seek(ctx)
}

// fed reports whether a map's elements have all been fed.
func (v *visit) fed(ctx context.Context) (bool, error) {
	m, begun, err := v.values.mapped(ctx, v.node)
	if err != nil || !begun || m.Epoch != v.control.Epoch {
		return false, err
	}
	if m.Epoch > 0 {
		items, err := v.missing(ctx, v.node, m.Width)
		if err != nil {
			return false, err
		}
		m.Width = len(items)
	}
	d, err := v.values.document(ctx, v.cursorKey(v.node.Name))
	if err != nil || d.Version == 0 {
		return false, err
	}
	fed := 0
	err = json.Unmarshal(d.Body, &fed)
	return fed == m.Width, err
}

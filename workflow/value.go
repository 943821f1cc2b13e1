package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/leatwork/leat/internal/aside"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// pageSize is how many documents of a wide map are read, or fed, at a time.
const pageSize = 500

// values computes what a node takes, from the documents of a run. A value is
// computed once, however many nodes take it. It is used by one goroutine.
type values struct {
	graph
	broker broker.Broker
	read   map[string]broker.Document // documents that were looked at, absent ones included
	known  map[int][]byte
}

func newValues(g graph, b broker.Broker, docs []broker.Document) *values {
	v := &values{graph: g, broker: b, read: make(map[string]broker.Document, len(docs)), known: make(map[int][]byte)}
	v.keep(docs)
	return v
}

func (v *values) keep(docs []broker.Document) {
	for _, d := range docs {
		v.read[d.Key] = d
	}
}

// load looks at documents, those that were not looked at before.
func (v *values) load(ctx context.Context, keys ...string) error {
	var missing []string
	for _, key := range keys {
		if _, ok := v.read[key]; !ok {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	docs, err := v.broker.Documents(ctx, v.home, missing...)
	if err != nil {
		return fmt.Errorf("read documents of %s: %w", v.graph, err)
	}
	v.keep(docs)
	return nil
}

// document returns a document, with version 0 if there is none.
func (v *values) document(ctx context.Context, key string) (broker.Document, error) {
	err := v.load(ctx, key)
	return v.read[key], err
}

// of returns the value of node i.
func (v *values) of(ctx context.Context, i int) ([]byte, error) {
	if b, ok := v.known[i]; ok {
		return b, nil
	}
	b, err := v.compute(ctx, v.Nodes[i])
	if err == nil {
		v.known[i] = b
	}
	return b, err
}

func (v *values) compute(ctx context.Context, n *plan.Node) ([]byte, error) {
	switch n.Kind {
	case plan.Input:
		return v.input(ctx)
	case plan.Const:
		return n.Value, nil
	case plan.Map:
		return v.items(ctx, n)
	case plan.Bind:
		return v.bind(ctx, n)
	case plan.Try:
		return v.try(ctx, n)
	case plan.Merge:
		return v.merge(ctx, n)
	case plan.First:
		return v.first(ctx, n)
	case plan.Gate:
		return v.of(ctx, n.Deps[0])
	case plan.Stream:
		return v.stream(ctx, n)
	default:
		return v.output(ctx, n)
	}
}

func (v *values) input(ctx context.Context) ([]byte, error) {
	d, err := v.document(ctx, inputKey)
	if err == nil && d.Version == 0 {
		err = fmt.Errorf("input of %s: %w", v.graph, broker.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	r, err := decodeRecord(d.Body)
	if err != nil {
		return nil, fmt.Errorf("input of %s: %w: %w", v.graph, err, task.SkipRetry)
	}
	return v.body(ctx, r)
}

// output returns what a step has left.
func (v *values) output(ctx context.Context, n *plan.Node) ([]byte, error) {
	r, ok, err := v.recorded(ctx, v.key(n))
	switch {
	case err != nil:
		return nil, err
	case !ok || r.state != StepDone:
		return nil, fmt.Errorf("%s of %s has no output", n, v.graph)
	}
	return v.body(ctx, r)
}

// body returns the output that r has, or that lies where r says.
func (v *values) body(ctx context.Context, r record) ([]byte, error) {
	if !r.blob {
		return r.body, nil
	}
	return v.blob(ctx, r)
}

// recorded returns the record under a key, and whether there is one.
func (v *values) recorded(ctx context.Context, key string) (record, bool, error) {
	d, err := v.document(ctx, key)
	if err != nil || d.Version == 0 {
		return record{}, false, err
	}
	r, err := decodeRecord(d.Body)
	if err != nil {
		return r, false, fmt.Errorf("document %s of %s: %w: %w", key, v.graph, err, task.SkipRetry)
	}
	return r, true, nil
}

// bind calls a user's pure function.
func (v *values) bind(ctx context.Context, n *plan.Node) (b []byte, err error) {
	if n.Compute == nil {
		return nil, fmt.Errorf("%w: a function makes it, %s, which this program does not have", ErrNoOutput, n.Mapping.Name)
	}
	in := make([][]byte, len(n.Deps))
	for i, d := range n.Deps {
		if in[i], err = v.of(ctx, d); err != nil {
			return nil, err
		}
	}
	return pure(ctx, n, func() ([]byte, error) { return n.Compute(in) })
}

// pure calls a function of a user that computes something of n. Its mistakes are
// permanent: the same values give the same panic, and the same error. That the server
// has stopped meanwhile is none.
func pure[T any](ctx context.Context, n *plan.Node, f func() (T, error)) (T, error) {
	value, err := aside.Call(ctx, 0, f)
	if err == nil || errors.Is(err, aside.ErrUnending) && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return value, err
	}
	return value, fmt.Errorf("%s: %w: %w", n.Mapping.Name, err, task.SkipRetry)
}

// try returns another value as an outcome, or why there is none.
func (v *values) try(ctx context.Context, n *plan.Node) ([]byte, error) {
	state, failure, err := v.verdict(ctx, n.Deps[0])
	if err != nil {
		return nil, err
	}
	if state != StepDone {
		return triedFailure(state, failure), nil
	}
	b, err := v.of(ctx, n.Deps[0])
	if err != nil {
		return nil, err
	}
	return tried(b, n.Raw), nil
}

// tried returns the [Outcome] of a value as JSON.
func tried(value []byte, raw bool) []byte {
	b := []byte(`{"value":`)
	b = append(b, asJSON(value, raw)...)
	return append(b, '}')
}

func triedFailure(state StepState, failure *StepError) []byte {
	o := Outcome[any]{Skipped: state == StepSkipped, Failure: failure}
	b, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("workflow: encode outcome: %v", err)) // plain values: it cannot fail
	}
	return b
}

// asJSON returns a stored value as it stands inside of another.
func asJSON(value []byte, raw bool) []byte {
	if !raw {
		return value
	}
	b, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("workflow: encode bytes: %v", err)) // it cannot fail
	}
	return b
}

// merge returns the value of the arm that was taken.
func (v *values) merge(ctx context.Context, n *plan.Node) ([]byte, error) {
	arm, err := v.chosen(ctx, v.Nodes[n.Deps[0]])
	if err != nil {
		return nil, err
	}
	return v.of(ctx, n.Deps[1+arm])
}

// chosen returns which arm a choice has taken.
func (v *values) chosen(ctx context.Context, n *plan.Node) (int, error) {
	b, err := v.output(ctx, n)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(b))
}

// first returns the value of the one that was first.
func (v *values) first(ctx context.Context, n *plan.Node) ([]byte, error) {
	b, err := v.output(ctx, n)
	if err != nil {
		return nil, err
	}
	winner, err := strconv.Atoi(string(b))
	if err != nil {
		return nil, err
	}
	return v.of(ctx, n.Deps[winner])
}

// items returns a map's outputs as one list, in the order of its elements.
func (v *values) items(ctx context.Context, n *plan.Node) ([]byte, error) {
	m, _, err := v.mapped(ctx, n)
	if err != nil {
		return nil, err
	}
	var list bytes.Buffer
	list.WriteByte('[')
	err = v.eachItem(ctx, n, m.Width, func(i int, r record, ok bool) error {
		element, err := v.element(ctx, n, i, r, ok)
		if err != nil || element == nil {
			return err
		}
		if list.Len() > 1 {
			list.WriteByte(',')
		}
		list.Write(element)
		return nil
	})
	list.WriteByte(']')
	return list.Bytes(), err
}

// element returns what stands in a map's list for its i-th item; nil: nothing,
// because its failure is tolerated.
func (v *values) element(ctx context.Context, n *plan.Node, i int, r record, ok bool) ([]byte, error) {
	raw := n.Unit.Gives.Raw()
	switch {
	case !ok:
		return nil, fmt.Errorf("item %d of %s of %s: %w", i, n, v.graph, broker.ErrNotFound)
	case r.state == StepDone:
		b, err := v.body(ctx, r)
		if err != nil || !n.Fold.Tried {
			return asJSON(b, raw), err
		}
		return tried(b, raw), nil
	case n.Fold.Tried:
		return triedFailure(r.state, r.failure()), nil
	default:
		return nil, nil
	}
}

// eachItem calls f with the record of each of a map's items, in pages.
func (v *values) eachItem(ctx context.Context, n *plan.Node, width int, f func(i int, r record, ok bool) error) error {
	return v.eachItemFrom(ctx, n, 0, width, f)
}

func (v *values) eachItemFrom(ctx context.Context, n *plan.Node, from, width int, f func(i int, r record, ok bool) error) error {
	for ; from < width; from += pageSize {
		keys := make([]string, 0, pageSize)
		for i := from; i < min(from+pageSize, width); i++ {
			keys = append(keys, v.unitKey(n, i))
		}
		docs, err := v.broker.Documents(ctx, v.home, keys...)
		if err != nil {
			return fmt.Errorf("read items of %s: %w", n, err)
		}
		for i, d := range docs {
			var r record
			if d.Version > 0 {
				if r, err = decodeRecord(d.Body); err != nil {
					return fmt.Errorf("document %s of %s: %w: %w", d.Key, v.graph, err, task.SkipRetry)
				}
			}
			if err := f(from+i, r, d.Version > 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// A mapState is the document that says how wide a map is, and in which epoch its
// latch was opened.
type mapState struct {
	Width int `json:"width"`
	Epoch int `json:"epoch,omitempty"`
}

func (m mapState) encode() []byte {
	if m.Epoch == 0 {
		return fmt.Appendf(nil, `{"width":%d}`, m.Width)
	}
	return fmt.Appendf(nil, `{"width":%d,"epoch":%d}`, m.Width, m.Epoch)
}

// mapped returns how wide a map is, and whether it has begun.
func (v *values) mapped(ctx context.Context, n *plan.Node) (m mapState, begun bool, err error) {
	d, err := v.document(ctx, v.widthKey(n))
	if err != nil || d.Version == 0 {
		return m, false, err
	}
	if err := json.Unmarshal(d.Body, &m); err != nil {
		return m, false, fmt.Errorf("width of %s: %w", n, err)
	}
	return m, true, nil
}

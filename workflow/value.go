package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// pageSize is how many documents of a wide map are read, or fed, at a time.
const pageSize = 500

// values computes what a node takes, from the documents of a run. A value is
// computed once, however many nodes take it.
type values struct {
	graph
	broker broker.Broker
	read   map[string][]byte // documents that came with the lease
	known  map[int][]byte
}

func newValues(g graph, b broker.Broker, docs []broker.Document) *values {
	v := &values{graph: g, broker: b, read: make(map[string][]byte, len(docs)), known: make(map[int][]byte)}
	for _, d := range docs {
		if d.Version > 0 {
			v.read[d.Key] = d.Body
		}
	}
	return v
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
		return v.document(ctx, plan.InputKey)
	case plan.Step:
		return v.document(ctx, n.Name)
	case plan.Map:
		return v.items(ctx, n)
	case plan.Bind:
		return v.bind(ctx, n)
	default:
		return nil, fmt.Errorf("a node of kind %s has no value", n.Kind)
	}
}

// bind calls a user's pure function. Its mistakes are permanent: the same values
// give the same panic.
func (v *values) bind(ctx context.Context, n *plan.Node) (b []byte, err error) {
	in := make([][]byte, len(n.Deps))
	for i, d := range n.Deps {
		if in[i], err = v.of(ctx, d); err != nil {
			return nil, err
		}
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: panic: %v: %w", n.Name, p, task.SkipRetry)
		}
	}()
	return n.Bind(in)
}

// document returns the body of a document, from the lease or from storage.
func (v *values) document(ctx context.Context, key string) ([]byte, error) {
	if b, ok := v.read[key]; ok {
		return b, nil
	}
	docs, err := v.broker.Documents(ctx, v.home, key)
	if err != nil {
		return nil, fmt.Errorf("read document %s of run %s: %w", key, v.home.ID, err)
	}
	if docs[0].Version == 0 {
		return nil, fmt.Errorf("document %s of run %s: %w", key, v.home.ID, broker.ErrNotFound)
	}
	return docs[0].Body, nil
}

// items returns a map's outputs as one list, in the order of its elements.
func (v *values) items(ctx context.Context, n *plan.Node) ([]byte, error) {
	width, err := v.width(ctx, n)
	if err != nil {
		return nil, err
	}
	var list bytes.Buffer
	list.WriteByte('[')
	for from := 0; from < width; from += pageSize {
		keys := make([]string, 0, pageSize)
		for i := from; i < min(from+pageSize, width); i++ {
			keys = append(keys, n.ItemKey(i))
		}
		docs, err := v.broker.Documents(ctx, v.home, keys...)
		if err != nil {
			return nil, fmt.Errorf("read outputs of %s: %w", n.Name, err)
		}
		for _, d := range docs {
			if d.Version == 0 {
				return nil, fmt.Errorf("document %s of run %s: %w", d.Key, v.home.ID, broker.ErrNotFound)
			}
			if list.Len() > 1 {
				list.WriteByte(',')
			}
			list.Write(d.Body)
		}
	}
	list.WriteByte(']')
	return list.Bytes(), nil
}

// A mapWidth is the document that a map leaves under its own name: how many
// elements it has.
type mapWidth struct {
	Width int `json:"width"`
}

func (w mapWidth) encode() []byte { return fmt.Appendf(nil, `{"width":%d}`, w.Width) }

func (v *values) width(ctx context.Context, n *plan.Node) (int, error) {
	b, err := v.document(ctx, n.Name)
	if err != nil {
		return 0, err
	}
	var w mapWidth
	if err := json.Unmarshal(b, &w); err != nil {
		return 0, fmt.Errorf("width of %s: %w", n.Name, err)
	}
	return w.Width, nil
}

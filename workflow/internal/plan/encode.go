package plan

import (
	"encoding/json"
	"fmt"

	"github.com/leatwork/leat/task"
)

// Encode returns v as it is stored: a []byte as it is, anything else as JSON. An
// error wraps [task.SkipRetry]: a value that cannot be encoded now cannot be later.
func Encode[T any](v T) ([]byte, error) {
	if raw, ok := any(v).([]byte); ok {
		return append([]byte{}, raw...), nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w: %w", v, err, task.SkipRetry)
	}
	return b, nil
}

// Decode returns what was stored as b. An error names the type that was
// expected and the beginning of what was found, and wraps [task.SkipRetry].
func Decode[T any](b []byte) (v T, err error) {
	if raw, ok := any(&v).(*[]byte); ok {
		*raw = append([]byte{}, b...)
		return v, nil
	}
	if err := json.Unmarshal(b, &v); err != nil {
		const most = 120
		found := b
		if len(found) > most {
			found = append(found[:most:most], "…"...)
		}
		return v, fmt.Errorf("decode %q as %s: %w: %w", found, ShapeOf[T](), err, task.SkipRetry)
	}
	return v, nil
}

// CheckSize returns what a value of size bytes is refused for where most are
// allowed, or nil. what says what it is. The error wraps [task.SkipRetry].
func CheckSize(what string, size, most int) error {
	if size <= most {
		return nil
	}
	return fmt.Errorf("%w: %w", task.Invalid("size of "+what, size, fmt.Sprintf("is more than %d bytes", most)), task.SkipRetry)
}

// CheckOutput returns what the output of a step, or the input, is refused for by its
// size, or nil. Of a list that is taken by maps only, the elements count.
func (p *Plan) CheckOutput(what string, n *Node, value []byte) error {
	return p.check(what, p.spread(n.Index), value)
}

// CheckResult does so for the value of node i, with which runs end. What comes from a
// map is a list of which the elements count.
func (p *Plan) CheckResult(what string, i int, value []byte) error {
	return p.check(what, p.gathered(i), value)
}

func (p *Plan) check(what string, list bool, value []byte) error {
	var elements []json.RawMessage
	if !list || json.Unmarshal(value, &elements) != nil {
		return CheckSize(what, len(value), p.Terms.MaxOutput)
	}
	for i, e := range elements {
		if err := CheckSize(fmt.Sprintf("element %d of %s", i, what), len(e), p.Terms.MaxOutput); err != nil {
			return err
		}
	}
	return nil
}

// spread reports whether the value of node i is a list that is taken by maps, and by
// nothing else.
func (p *Plan) spread(i int) bool {
	taken := false
	for _, n := range p.Nodes {
		for at, d := range n.Deps {
			if d != i {
				continue
			}
			if taken = n.Kind == Map || n.Kind == Merge && at > 0 && p.spread(n.Index); !taken {
				return false
			}
		}
	}
	return taken
}

// gathered reports whether the value of node i is what a map gives.
func (p *Plan) gathered(i int) bool {
	n := p.Nodes[i]
	if n.Kind != Merge {
		return n.Kind == Map
	}
	for _, d := range n.Deps[1:] {
		if !p.gathered(d) {
			return false
		}
	}
	return true
}

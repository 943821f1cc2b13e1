package yamlfile

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/leatwork/leat/task"
)

// scalar returns the text of a field that has a single value.
func (d *draft) scalar(p pair) (string, bool) {
	if p.value.Kind != yaml.ScalarNode || p.value.ShortTag() == "!!null" {
		d.refuse(p.key.Value, p.value, task.Invalid(p.key.Value, p.value.Value, "must have a single value"))
		return "", false
	}
	return p.value.Value, true
}

func (d *draft) text(p pair, into *string) {
	if text, ok := d.scalar(p); ok {
		*into = text
	}
}

func (d *draft) instant(p pair, into *time.Time) {
	text, ok := d.scalar(p)
	if !ok {
		return
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		d.refuse(p.key.Value, p.value, task.Invalid(p.key.Value, text, "must be a time such as 2026-11-29T02:00:00Z"))
		return
	}
	*into = at
}

func (d *draft) duration(p pair, into *time.Duration) {
	text, ok := d.scalar(p)
	if !ok {
		return
	}
	span, err := time.ParseDuration(text)
	if err != nil {
		d.refuse(p.key.Value, p.value, task.Invalid(p.key.Value, text, "must be a duration such as 1m or 1h30m"))
		return
	}
	*into = span
}

// word reads one of the words that a policy has.
func (d *draft) word(p pair, into encoding.TextUnmarshaler) {
	if text, ok := d.scalar(p); ok {
		if err := into.UnmarshalText([]byte(text)); err != nil {
			d.refuse(p.key.Value, p.value, err)
		}
	}
}

func (d *draft) options(p pair) {
	if p.value.Kind != yaml.SequenceNode {
		d.refuse("options", p.value, task.Invalid("options", p.value.Value, "must be a list such as [MaxRetry(3)]"))
		return
	}
	for _, n := range p.value.Content {
		o, err := task.ParseOption(target(n).Value)
		if err != nil {
			d.fault(n, fmt.Errorf("entry %s: %w", d.Name, err)) // the others may have faults too
			continue
		}
		d.at[optionField(o.String())] = n
		d.Options = append(d.Options, o)
	}
}

// optionField returns what package task calls an option in its faults, in lower case.
func optionField(option string) string {
	name, _, _ := strings.Cut(option, "(")
	return "task." + strings.ToLower(name)
}

func (d *draft) json(p pair, into *[]byte) {
	var b bytes.Buffer
	d.encode(&b, p.value, 0)
	if !d.refused["payload"] {
		*into = b.Bytes()
	}
}

// A payload may be so deep and, in bytes, so long. One whose aliases stand for one
// another may have no end, or grow with each of them.
const (
	deepest = 100
	longest = 1 << 20
)

// encode writes n as JSON, with the fields of mappings in their order.
func (d *draft) encode(b *bytes.Buffer, n *yaml.Node, depth int) {
	n = target(n)
	if depth > deepest || b.Len() > longest {
		if !d.refused["payload"] {
			d.refuse("payload", n, task.Invalid("payload", n.Value, fmt.Sprintf("must be at most %d deep and %d bytes", deepest, longest)))
		}
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i, p := range d.pairs(n, "payload") {
			if i > 0 {
				b.WriteByte(',')
			}
			d.write(b, p.key, p.key.Value)
			b.WriteByte(':')
			d.encode(b, p.value, depth+1)
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, of := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			d.encode(b, of, depth+1)
		}
		b.WriteByte(']')
	default:
		d.encodeScalar(b, n)
	}
}

// encodeScalar writes a single value. Times are texts, as they are written.
func (d *draft) encodeScalar(b *bytes.Buffer, n *yaml.Node) {
	var value any = n.Value
	switch n.ShortTag() {
	case "!!null", "!!bool", "!!int", "!!float":
		if err := n.Decode(&value); err != nil {
			d.refuse("payload", n, task.Invalid("payload", n.Value, err.Error()))
			return
		}
	case "!!str", "!!timestamp":
	default:
		d.refuse("payload", n, task.Invalid("payload", n.Value, "is of type "+n.ShortTag()+", which JSON has not"))
		return
	}
	d.write(b, n, value)
}

func (d *draft) write(b *bytes.Buffer, n *yaml.Node, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		d.refuse("payload", n, task.Invalid("payload", n.Value, "is nothing that JSON has"))
		return
	}
	b.Write(text)
}

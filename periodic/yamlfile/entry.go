package yamlfile

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/leatwork/leat/internal/tick"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

// entries returns those of the whole file.
func (r *reader) entries(root *yaml.Node) (entries []periodic.Entry) {
	found := false
	for _, p := range r.pairs(root, "file") {
		if p.key.Value != "entries" {
			r.fault(p.key, task.Invalid("field", p.key.Value, `is unknown: a file has "entries" only`))
			continue
		}
		found = true
		for _, e := range r.pairs(p.value, "entries") {
			entries = append(entries, r.entry(e))
		}
	}
	if !found && len(r.faults) == 0 {
		r.fault(root, errNoEntries)
	}
	return entries
}

// fields are what an entry has, and how each is read.
var fields = map[string]func(*draft, pair){
	"schedule": func(d *draft, p pair) { d.text(p, &d.Schedule) },
	"zone":     func(d *draft, p pair) { d.text(p, &d.Zone) },
	"start":    func(d *draft, p pair) { d.instant(p, &d.Start) },
	"end":      func(d *draft, p pair) { d.instant(p, &d.End) },
	"jitter":   func(d *draft, p pair) { d.duration(p, &d.Jitter) },
	"window":   func(d *draft, p pair) { d.duration(p, &d.Window) },
	"missed":   func(d *draft, p pair) { d.word(p, &d.Missed) },
	"overlap":  func(d *draft, p pair) { d.word(p, &d.Overlap) },
	"type":     func(d *draft, p pair) { d.text(p, &d.Type) },
	"workflow": func(d *draft, p pair) { d.text(p, &d.workflow) },
	"template": func(d *draft, p pair) { d.text(p, &d.template) },
	"payload":  func(d *draft, p pair) { d.json(p, &d.payload) },
	"options":  func(d *draft, p pair) { d.options(p) },
}

// A draft is an entry that is being read.
type draft struct {
	periodic.Entry
	*reader
	at       map[string]*yaml.Node // where the name, under "", the fields and the options are
	refused  map[string]bool       // fields with a fault
	workflow string
	template string
	payload  []byte
}

// entry returns the entry of a name and its fields.
func (r *reader) entry(of pair) periodic.Entry {
	d := &draft{
		Entry:   periodic.Entry{Name: of.key.Value},
		reader:  r,
		at:      map[string]*yaml.Node{"": of.key},
		refused: make(map[string]bool),
	}
	for _, p := range r.pairs(of.value, "entry "+d.Name) {
		read := fields[p.key.Value]
		if read == nil {
			r.fault(p.key, task.Invalid("field", p.key.Value, "is unknown to entry "+d.Name))
			continue
		}
		d.at[p.key.Value] = p.value
		read(d, p)
	}
	if of.value.Kind == yaml.MappingNode {
		d.finish()
		d.check()
	}
	return d.Entry
}

// refuse adds a fault of a field of d.
func (d *draft) refuse(field string, at *yaml.Node, err error) {
	d.refused[field] = true
	d.fault(at, fmt.Errorf("entry %s: %w", d.Name, err))
}

// finish makes the task of what the fields say.
func (d *draft) finish() {
	has := func(field string) bool { return d.at[field] != nil }
	switch {
	case has("type") == has("workflow"):
		d.refuse("type", d.at[""], task.Invalid("entry", d.Name, "must have either type or workflow"))
	case has("workflow"):
		d.Type = tick.StartType(d.workflow)
		if !has("payload") {
			d.payload = []byte("null") // a run has an input
		}
	}
	if err := task.CheckName("type", d.Type); err != nil && !d.refused["type"] {
		d.refuse("type", d.at["type"], err) // nothing else is told of it while there are other faults
	}
	if has("payload") && has("template") {
		d.refuse("payload", d.at[""], task.Invalid("entry", d.Name, "must not have both payload and template"))
	}
	d.Payload = periodic.Bytes(d.payload)
	if d.template != "" {
		d.Payload = periodic.Template(d.template)
	}
}

// check adds all for which package periodic would refuse d, each fault at its field.
// A field that has a fault already has no other.
func (d *draft) check() {
	for _, err := range leaves(d.Check()) {
		field := ""
		if invalid, ok := errors.AsType[*task.InvalidError](err); ok {
			field = d.fieldOf(invalid)
		}
		at := d.at[field]
		if at == nil {
			at = d.at[""]
		}
		if !d.refused[field] {
			d.fault(at, fmt.Errorf("entry %s: %w", d.Name, err))
		}
	}
}

// fieldOf returns the field that a fault found by package periodic is about.
func (d *draft) fieldOf(fault *task.InvalidError) string {
	switch field := strings.ToLower(fault.Field); {
	case field == "spec", field == "zone" && d.at["zone"] == nil:
		return "schedule"
	case field == "payload" && d.template != "":
		return "template"
	case field == "type" && d.workflow != "":
		return "workflow"
	case field == "options":
		return optionField(fault.Value)
	default:
		return field
	}
}

// leaves returns the errors that err joins.
func leaves(err error) (all []error) {
	switch e := err.(type) { //nolint:errorlint // it is taken apart
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			all = append(all, leaves(one)...)
		}
		return all
	case *periodic.EntryError:
		return leaves(e.Err)
	default:
		return []error{err}
	}
}

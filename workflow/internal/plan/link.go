package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// A Program is what a server can run.
type Program struct {
	Specs map[string]Spec // steps and workflows, by type
	Plans []*Plan         // whose functions it has
}

// Link returns the plan that was stored as data, with the functions that program
// has for it. The error names everything that is missing or has changed.
func Link(data []byte, program Program) (*Plan, error) {
	p := &Plan{Specs: make(map[string]Spec)}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("stored plan: %w", err)
	}
	for _, other := range program.Plans {
		if other.Name == p.Name {
			p.Blobs = other.Blobs
		}
	}
	var faults []error
	for _, n := range p.Nodes {
		if n.Unit != nil {
			faults = append(faults, p.adopt(n, program))
		}
		if n.Mapping != nil {
			faults = append(faults, n.find(program))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	p.Connect()
	p.Hash = p.hash()
	return p, nil
}

// adopt finds what n runs.
func (p *Plan) adopt(n *Node, program Program) error {
	spec, ok := program.Specs[n.Unit.Type]
	if !ok || spec.Workflow != n.Unit.Workflow {
		return fmt.Errorf("%s: %s is not registered; register it beside the workflow", n, n.Unit.Type)
	}
	err := errors.Join(
		spec.Takes.understands(n.Unit.Takes, n.String()+" takes"),
		spec.Gives.understands(n.Unit.Gives, n.String()+" gives"))
	if err != nil {
		return err
	}
	p.Specs[n.Unit.Type] = spec
	if n.Unit.Undo == "" {
		return nil
	}
	undo, ok := program.Specs[n.Unit.Undo]
	if !ok {
		return fmt.Errorf("%s: %s, which undoes it, is not registered", n, n.Unit.Undo)
	}
	p.Specs[n.Unit.Undo] = undo
	return nil
}

// understands returns why what was written as w cannot be read as s, or nil. what says
// what it is.
func (s Shape) understands(w Shape, what string) error {
	if why := s.Reads(w); why != "" {
		return fmt.Errorf("%s %s now, and %s when the run began: %s", what, s, w, why)
	}
	return nil
}

// find finds the function of n among those of the program, by its name. One that has
// no name may be any: it counts only within the same plan.
func (n *Node) find(program Program) error {
	m := n.Mapping
	if m.unnamed() {
		return fmt.Errorf("%s: its function, %s, has no name by which to find it; register the version of the workflow that has it, too, or give functions names of their own", n, m.Name)
	}
	changed := fmt.Errorf("%s: no workflow that is registered has its function, %s; register the version that does, too", n, m.Name)
	for _, p := range program.Plans {
		for _, other := range p.Nodes {
			if other.Mapping == nil || other.Mapping.Name != m.Name || other.Kind != n.Kind || len(other.Mapping.Takes) != len(m.Takes) {
				continue
			}
			err := other.Mapping.Gives.understands(m.Gives, m.Name+" gives")
			for i, takes := range other.Mapping.Takes {
				err = errors.Join(err, takes.understands(m.Takes[i], m.Name+" takes"))
			}
			if err == nil {
				n.Compute, n.Until = other.Compute, other.Until
				return nil
			}
			changed = fmt.Errorf("%s: %w", n, err)
		}
	}
	return changed
}

// unnamed reports whether the function is a literal, or a method of a value: several
// have that name, or the name of another one tomorrow.
func (m Mapping) unnamed() bool { return unnamedFunc.MatchString(m.Name) }

var unnamedFunc = regexp.MustCompile(`\.func\d+(\.|$)|-fm$`)

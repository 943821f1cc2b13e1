package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
		if n.Mapping != "" {
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
		return fmt.Errorf("%s: %s is not registered", n, n.Unit.Type)
	}
	if why := spec.Takes.Reads(n.Unit.Takes); why != "" {
		return fmt.Errorf("%s takes %s, and took %s: %s", n, spec.Takes, n.Unit.Takes, why)
	}
	if why := spec.Gives.Reads(n.Unit.Gives); why != "" {
		return fmt.Errorf("%s gives %s, and gave %s: %s", n, spec.Gives, n.Unit.Gives, why)
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

// find finds the function of n among those of the same name and types. One that has
// no name may be any: it counts only within the same plan.
func (n *Node) find(program Program) error {
	if strings.Contains(n.Mapping, ".func") {
		return fmt.Errorf("%s: its function has no name: %s", n, n.Mapping)
	}
	for _, p := range program.Plans {
		for _, m := range p.Nodes {
			if m.Mapping == n.Mapping && m.Kind == n.Kind {
				n.Compute, n.Until = m.Compute, m.Until
				return nil
			}
		}
	}
	return fmt.Errorf("%s: there is no function %s any more", n, n.Mapping)
}

package web

import (
	"errors"
	"strings"

	"github.com/leatwork/leat/web/internal/trail"
)

// A Link leads from a task to another system: its log, or what it is about.
type Link struct {
	Name string // what the link is called

	// Template is the address, of http or https, with what is known of the task in braces,
	// anywhere behind the host: {id}, {queue}, {type}, {group}, {trace_id}, {header.NAME}
	// and {payload.PATH}, where PATH is names and indexes: {payload.lines.0.sku}. Values are
	// escaped. A task that has not all of them has no such link.
	Template string
}

// trails returns where tasks of the dashboard lead.
func (c Config) trails() (all []trail.Link, err error) {
	links := c.Links
	if c.Jaeger != "" {
		links = append([]Link{{"Trace in Jaeger", strings.TrimSuffix(c.Jaeger, "/") + "/trace/{trace_id}"}}, links...)
	}
	var faults []error
	for _, l := range links {
		one, err := trail.Parse(l.Name, l.Template)
		if err != nil {
			faults = append(faults, err)
		}
		all = append(all, one)
	}
	return all, errors.Join(faults...)
}

package web

import (
	"errors"
	"strings"

	"github.com/leatwork/leat/web/internal/trail"
)

// A Link leads from a task or a run to another system: its log, or what it is about.
type Link struct {
	Name string // what the link is called

	// Template is the address, of http or https, with what is known in braces, anywhere
	// behind the host. Of a task: {id}, {queue}, {type}, {group}, {trace_id}, {header.NAME}
	// and {payload.PATH}, where PATH is names and indexes: {payload.lines.0.sku}. Of a run:
	// {id}, {queue}, {workflow}, {attr.NAME}, {trace_id}, and {header.NAME}, of those that
	// all its tasks have. Values are escaped. What has not all of them has no such link: one
	// with {type} is for tasks only, one with {workflow} for runs.
	Template string
}

// trails returns where tasks and runs of the dashboard lead.
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

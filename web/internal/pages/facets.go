package pages

import (
	"cmp"
	"maps"
	"slices"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/storage"
)

// A facet is a way to narrow a list of tasks: the values of a field that tasks have, with
// how many have each.
type facet struct {
	Name   string
	Values []facetValue
	More   int // values that are not shown
}

// A facetValue is a value of a field.
type facetValue struct {
	Text    string
	Count   int
	URL     string // with which the list is narrowed to it, or not any more if it is
	Current bool   // it is narrowed to this one
}

// A facetField is a field by which a list can be narrowed.
type facetField struct {
	name  string
	of    func(*task.Info) string // "": it has none
	term  func(value string) string
	exact func(q storage.Queues, asked query.Query[*task.Info]) map[string]int // nil: it has to be counted
}

var facetFields = []facetField{
	{name: "state", of: func(i *task.Info) string { return i.State.String() }, exact: countStates},
	{name: "queue", of: func(i *task.Info) string { return i.Queue }, exact: countQueues},
	{name: "type", of: func(i *task.Info) string { return i.Type }},
	{name: "error", of: func(i *task.Info) string { return alike(i.LastErr) }, term: alikeTerm},
}

const mostValues = 12 // of a facet

// facets returns the facets of what a query takes, of which some tasks are known. Where the
// query asks for nothing but states and queues, these are counted exactly.
func (p *Pages) facets(r *request, asked query.Query[*task.Info], some []*task.Info, q storage.Queues) ([]facet, error) {
	plainly := asked.Without("state", "queue").Empty()
	var all []facet
	for _, f := range facetFields {
		counts := map[string]int{}
		if plainly && f.exact != nil {
			counts = f.exact(q, asked)
		} else {
			for _, i := range some {
				counts[f.of(i)]++
			}
		}
		delete(counts, "")
		one, err := p.facet(r, asked, f, counts)
		if err != nil {
			return nil, err
		}
		if len(one.Values) > 0 {
			all = append(all, one)
		}
	}
	return all, nil
}

func (p *Pages) facet(r *request, asked query.Query[*task.Info], f facetField, counts map[string]int) (facet, error) {
	one := facet{Name: f.name}
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	one.More = max(len(values)-mostValues, 0)
	rest := asked.Without(f.name).String()
	for _, v := range values[:len(values)-one.More] {
		term := query.Term(f.name, v)
		if f.term != nil {
			term = f.term(v)
		}
		narrowed := rest
		current := asked.String() == joined(rest, term) || slices.Equal(asked.Only(f.name), []string{v})
		if !current {
			narrowed = joined(rest, term)
		}
		address, err := p.with(r, "q", narrowed)
		if err != nil {
			return one, err
		}
		one.Values = append(one.Values, facetValue{Text: plain.Name(v), Count: counts[v], URL: address, Current: current})
	}
	return one, nil
}

// joined returns a query of what both ask for.
func joined(query, term string) string {
	if query == "" {
		return term
	}
	return query + " " + term
}

// countStates counts the tasks in each state, in the queues that are asked for.
func countStates(q storage.Queues, asked query.Query[*task.Info]) map[string]int {
	counts := map[string]int{}
	for _, i := range q.Infos {
		if asked.Allows("queue", i.Queue) {
			for _, s := range shownStates {
				if n := i.In(s); n > 0 {
					counts[s.String()] += n
				}
			}
		}
	}
	return counts
}

// countQueues counts the tasks in each queue, in the states that are asked for.
func countQueues(q storage.Queues, asked query.Query[*task.Info]) map[string]int {
	counts := map[string]int{}
	for _, i := range q.Infos {
		for _, s := range shownStates {
			if n := i.In(s); n > 0 && asked.Allows("state", s.String()) {
				counts[i.Queue] += n
			}
		}
	}
	return counts
}

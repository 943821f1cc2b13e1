package facet

import (
	"cmp"
	"maps"
	"slices"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A Facet is a way to narrow a list of tasks: the values of a field that tasks have, with
// how many have each.
type Facet struct {
	Name   string
	Exact  bool // all tasks were counted, and not only some
	Values []Value
	More   int // values that are not among Values
}

// A Value is a value of a field.
type Value struct {
	Text    string // of an error what it has in common with others
	Count   int
	Query   string // with which the list is narrowed to it, or not any more if it is
	Current bool   // it is narrowed to this one
}

// A field is one by which a list can be narrowed.
type field struct {
	name  string
	of    func(*task.Info) string // "": it has none
	term  func(value string) string
	exact func(all []queue.QueueInfo, asked query.Query[*task.Info]) map[string]int // nil: it has to be counted
}

var fields = []field{
	{name: "state", of: func(i *task.Info) string { return i.State.String() }, exact: countStates},
	{name: "queue", of: func(i *task.Info) string { return i.Queue }, exact: countQueues},
	{name: "type", of: func(i *task.Info) string { return i.Type }},
	{name: "error", of: func(i *task.Info) string { return alike(i.LastErr) }, term: alikeTerm},
}

// A Tally counts what tasks have in common. Its zero value has counted none.
type Tally struct {
	Tasks  int // how many were counted
	counts map[string]map[string]int
}

// Add counts some tasks.
func (t *Tally) Add(some ...*task.Info) {
	if t.counts == nil {
		t.counts = map[string]map[string]int{}
	}
	for _, f := range fields {
		if t.counts[f.name] == nil {
			t.counts[f.name] = map[string]int{}
		}
		for _, i := range some {
			t.counts[f.name][f.of(i)]++
		}
	}
	t.Tasks += len(some)
}

// IsExact reports whether states and queues are counted over all tasks that a query takes,
// as it asks for nothing else.
func IsExact(asked query.Query[*task.Info]) bool { return asked.Without("state", "queue").Empty() }

// Facets returns the facets of what a query takes, of which the tally has counted some
// tasks, and all are the figures of all queues: of each at most so many values, those that
// most have first. Facets without values are left out.
func (t *Tally) Facets(asked query.Query[*task.Info], all []queue.QueueInfo, most int) (facets []Facet) {
	for _, f := range fields {
		one := Facet{Name: f.name, Exact: f.exact != nil && IsExact(asked)}
		counts := t.counts[f.name]
		if one.Exact {
			counts = f.exact(all, asked)
		}
		if one.fill(f, asked, counts, most); len(one.Values) > 0 {
			facets = append(facets, one)
		}
	}
	return facets
}

func (one *Facet) fill(f field, asked query.Query[*task.Info], counts map[string]int, most int) {
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
	one.More = max(len(values)-most, 0)
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
		one.Values = append(one.Values, Value{Text: v, Count: counts[v], Query: narrowed, Current: current})
	}
}

// joined returns a query of what both ask for.
func joined(query, term string) string {
	if query == "" {
		return term
	}
	return query + " " + term
}

// countStates counts the tasks in each state, in the queues that are asked for.
func countStates(all []queue.QueueInfo, asked query.Query[*task.Info]) map[string]int {
	counts := map[string]int{}
	for _, i := range all {
		if asked.Allows("queue", i.Queue) {
			for _, s := range task.States() {
				if n := i.In(s); n > 0 {
					counts[s.String()] += n
				}
			}
		}
	}
	return counts
}

// countQueues counts the tasks in each queue, in the states that are asked for.
func countQueues(all []queue.QueueInfo, asked query.Query[*task.Info]) map[string]int {
	counts := map[string]int{}
	for _, i := range all {
		for _, s := range task.States() {
			if n := i.In(s); n > 0 && asked.Allows("state", s.String()) {
				counts[i.Queue] += n
			}
		}
	}
	return counts
}

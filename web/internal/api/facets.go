package api

import (
	"context"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/web/internal/facet"
)

// facetStep is how many tasks are held at a time while they are counted.
const facetStep = 500

func facetRoutes() []route {
	most := limitParam
	most.help, most.def = "how many values of each there are to be, at most", "12"
	return []route{
		get("/tasks/facets", "tasks", "What the tasks that a query takes have in common: how many are in each state and queue, of each type, and with errors that are alike. A request looks at 5,000 of them at most, and counts those; a cursor goes on.",
			[]param{queryParam("tasks"), most, cursorParam}, readFacets),
	}
}

// Facets are what some tasks have in common.
type Facets struct {
	List[Facet]

	Counted int               `json:"counted"`          // how many tasks were counted
	Scanned int               `json:"scanned"`          // how many were looked at since the first page
	Total   int               `json:"total"`            // how many there were to look at, when the first page was made
	Done    bool              `json:"done"`             // there are no more
	Broken  map[string]string `json:"broken,omitempty"` // queues that cannot be read, and why
}

// A Facet is the values of a field that tasks have, those that most have first.
type Facet struct {
	Name   string       `json:"name"`
	Exact  bool         `json:"exact"` // all tasks are counted, and not only those of this page
	Values []FacetValue `json:"values"`
	More   int          `json:"more,omitempty"` // how many values are left out
}

// A FacetValue is a value that tasks have. Of an error it is what is common to those that
// are alike.
type FacetValue struct {
	Value string `json:"value"`
	Count int    `json:"count"`
	Query string `json:"query"` // which takes those that the query takes and that have it
}

func readFacets(ctx context.Context, a *api, r *request) (Facets, error) {
	q, err := query.Tasks.Parse(r.args["q"])
	if err == nil {
		err = a.Mask.Query(r.who.Role, q)
	}
	if err != nil {
		return Facets{}, err
	}
	s := &query.Search{Inspector: a.Storage.Inspector, Query: q}
	if token := r.args["cursor"]; token != "" {
		if err := s.Resume(token); err != nil {
			return Facets{}, err
		}
	}
	var tally facet.Tally
	var found query.Found
	for looked := 0; looked < taskBudget && !found.Done; looked += facetStep {
		if found, err = s.Next(ctx, facetStep, facetStep); err != nil {
			return Facets{}, err
		}
		tally.Add(found.Tasks...)
	}
	queues, err := a.Storage.Queues(ctx)
	if err != nil {
		return Facets{}, err
	}
	var shown []Facet
	for _, f := range tally.Facets(q, queues.Infos, r.args.number("limit")) {
		shown = append(shown, facetOf(f))
	}
	page := Facets{List: listOf(shown), Counted: tally.Tasks, Scanned: found.Scanned, Total: found.Total, Done: found.Done, Broken: texts(s.Broken)}
	page.Next = s.Token()
	return page, nil
}

func facetOf(f facet.Facet) Facet {
	shown := Facet{Name: f.Name, Exact: f.Exact, More: f.More}
	for _, v := range f.Values {
		one := FacetValue{Value: v.Text, Count: v.Count, Query: v.Query}
		shown.Values = append(shown.Values, one)
	}
	return shown
}

package pages

import (
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/facet"
	"github.com/leatwork/leat/web/internal/storage"
)

// A shownFacet is a way to narrow a list of tasks.
type shownFacet struct {
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

const mostValues = 12 // of a facet

// facets returns the facets of what a query takes, of which some tasks are known.
func (p *Pages) facets(r *request, asked query.Query[*task.Info], some []*task.Info, q storage.Queues) (shown []shownFacet, err error) {
	var tally facet.Tally
	tally.Add(some...)
	for _, f := range tally.Facets(asked, q.Infos, mostValues) {
		one := shownFacet{Name: f.Name, More: f.More}
		for _, v := range f.Values {
			address, err := p.with(r, "q", v.Query)
			if err != nil {
				return nil, err
			}
			one.Values = append(one.Values, facetValue{Text: plain.Name(v.Text), Count: v.Count, URL: address, Current: v.Current})
		}
		shown = append(shown, one)
	}
	return shown, nil
}

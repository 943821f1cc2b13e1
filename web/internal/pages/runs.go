package pages

import (
	"context"
	"html/template"
	"maps"
	"slices"
	"sync"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/workflow"
)

var runsPage = page{path: "/runs", name: "runs", title: "Runs", modules: "query", load: loadRuns}

// runs are those that a query takes, page by page, those that were started last first.
type runs struct {
	Query  string
	Fault  *fault
	States []stateCount
	Rows   []runRow
	Acts   string // the state that all have, if the query says so
	paging
	Kept kept
}

// A runRow is a run in the list.
type runRow struct {
	view.Run
	advance
	Bar  template.HTML
	Keys []string // of its attributes, in order
}

// A stateCount is how many runs are in a state, with a query for them.
type stateCount struct {
	State, Count, URL string
	Current           bool
}

const lookAtRuns = 2000 // for a page

func loadRuns(ctx context.Context, p *Pages, r *request) (any, error) {
	o := runs{Query: r.get("q"), Kept: p.kept(ctx, r)}
	asked, fault, err := parse(query.Runs, o.Query)
	if err != nil {
		return nil, err
	}
	if o.States, err = p.runStates(ctx, asked); err != nil {
		return nil, err
	}
	if fault != nil {
		o.Fault = fault
		return o, nil
	}
	if only := asked.Only("state"); len(only) == 1 {
		o.Acts = only[0]
	}
	size := choose(r.get("size"), pageSizes, 25)
	s := &query.RunSearch{Client: p.Storage.Client, Query: asked}
	if cursor := r.get("cursor"); cursor != "" {
		if err := s.Resume(cursor); err != nil {
			return nil, err
		}
	}
	found, err := s.Next(ctx, size, lookAtRuns)
	if err != nil {
		return nil, err
	}
	o.Rows = p.runRows(ctx, found.Runs)
	if o.paging, err = p.paging(r, s.Token(), len(found.Runs), size); err != nil {
		return nil, err
	}
	o.Place = "looked at " + quantity.Count(found.Scanned)
	if found.Done {
		o.Place = "looked at all " + quantity.Count(found.Scanned)
	}
	return o, nil
}

const runsAtOnce = 8 // questions about single runs

// runRows returns the rows of runs. How far one has come stays unknown if it is not to be
// had: the run may have gone meanwhile.
func (p *Pages) runRows(ctx context.Context, found []workflow.Summary) []runRow {
	rows := make([]runRow, len(found))
	now := p.Storage.Now()
	var reading sync.WaitGroup
	turn := make(chan struct{}, runsAtOnce)
	for i, s := range found {
		rows[i] = runRow{Run: view.ListedRunOf(s, now), Keys: slices.Sorted(maps.Keys(s.Attributes))}
		turn <- struct{}{}
		reading.Go(func() {
			defer func() { <-turn }()
			rows[i].advance = p.advances.of(ctx, s)
			rows[i].Bar = rows[i].Progress.bar()
		})
	}
	reading.Wait()
	return rows
}

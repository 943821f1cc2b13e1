package dash

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/workflow"
)

const (
	runsPage    = 200  // runs that are listed at first, and more at a time
	runsScanned = 3000 // that are looked at in a queue for those that match
	runsAtOnce  = 8    // questions about single runs
)

// A runRow is a run of the list.
type runRow struct {
	workflow.Summary
	steps []workflow.StepStatus // nil: not read yet
}

func (r runRow) key() string { return r.Queue() + "/" + r.ID }

// A runs is the screen of the runs of all workflows, the newest first.
type runs struct {
	app    *app
	client *queue.Client
	table  table[runRow]
	filter filter[workflow.Summary]
	most   int  // runs that are listed
	isAll  bool // there are no more
}

func newRuns(a *app) *runs {
	s := &runs{app: a, client: queue.NewClient(a.Broker), most: runsPage, filter: filter[workflow.Summary]{language: query.Runs}}
	s.filter.changed = s.narrow
	s.table = table[runRow]{
		sorted: -1, columns: s.columns(), key: runRow.key, marks: map[string]bool{}, empty: "No runs.",
		open:   func(r runRow) { a.push(newRun(a, r.Handle)) },
		beyond: s.beyond,
	}
	return s
}

func (s *runs) title() string        { return "Runs" }
func (s *runs) narrowing() narrowing { return &s.filter }
func (s *runs) click(x, y int)       { s.table.click(x, y) }
func (s *runs) wheel(by int)         { s.table.wheel(by) }

// narrow leaves out at once what does not match, so that no key acts on it, and has what does
// be asked for from the first on.
func (s *runs) narrow() {
	now := s.app.now()
	s.most, s.table.cursor = runsPage, 0
	s.table.set(slices.DeleteFunc(slices.Clone(s.table.rows), func(r runRow) bool { return !s.filter.query.Match(now, r.Summary) }))
}

// beyond lists more runs when the cursor leaves the last one.
func (s *runs) beyond(by int) {
	if by > 0 && !s.isAll {
		s.most += runsPage
		s.app.refetch()
	}
}

func (s *runs) bindings() []binding {
	b := append(s.table.moves(),
		on("home", "to the first", "", func() { s.table.cursor = 0 }),
		on("end", "to the last that is listed", "", func() { s.table.cursor = max(len(s.table.rows)-1, 0) }),
		on("space", "mark the run, or take its mark away", "mark", s.mark))
	return append(b, s.app.runActions(s.chosen)...)
}

func (s *runs) mark() {
	if r, ok := s.table.current(); ok {
		if s.table.marks[r.key()] {
			delete(s.table.marks, r.key())
		} else {
			s.table.marks[r.key()] = true
		}
		s.table.move(1)
	}
}

// chosen returns the runs that are marked, or else the one on which the cursor is.
func (s *runs) chosen() (chosen []workflow.Summary) {
	for _, r := range s.table.rows {
		if s.table.marks[r.key()] {
			chosen = append(chosen, r.Summary)
		}
	}
	if r, ok := s.table.current(); ok && len(chosen) == 0 {
		return []workflow.Summary{r.Summary}
	}
	return chosen
}

func (s *runs) ask() ask {
	h := hunter{app: s.app, client: s.client, query: s.filter.query, most: s.most}
	known := map[string]runRow{}
	for _, r := range s.table.rows {
		known[r.key()] = r
	}
	top, height := s.table.top, max(s.table.height, runsAtOnce)
	return func(ctx context.Context) (func(), error) {
		found, isAll, err := h.hunt(ctx)
		if err != nil {
			return nil, err
		}
		rows := make([]runRow, len(found))
		for i, r := range found {
			rows[i] = runRow{Summary: r, steps: known[r.Queue()+"/"+r.ID].steps}
		}
		if top >= len(rows) {
			top = 0
		}
		readSteps(ctx, rows[top:min(top+2*height, len(rows))], known)
		return func() { s.isAll = isAll; s.table.set(rows) }, nil
	}
}

// readSteps reads how far runs have come. What is not to be had stays unknown: the run may
// have gone meanwhile.
func readSteps(ctx context.Context, rows []runRow, known map[string]runRow) {
	var reading sync.WaitGroup
	turn := make(chan struct{}, runsAtOnce)
	for i := range rows {
		r := &rows[i]
		if old := known[r.key()]; old.steps != nil && !r.Ended.IsZero() && old.Ended.Equal(r.Ended) {
			continue
		}
		turn <- struct{}{}
		reading.Go(func() {
			defer func() { <-turn }()
			if status, err := r.Status(ctx); err == nil {
				r.steps = status.Steps
			}
		})
	}
	reading.Wait()
}

func (s *runs) columns() []column[runRow] {
	by := func(of func(runRow) string) func(a, b runRow) int {
		return func(a, b runRow) int { return strings.Compare(of(a), of(b)) }
	}
	name := func(r runRow) string { return r.Workflow }
	return []column[runRow]{
		{title: "State", min: 11, cell: func(r runRow) cell { return runCell(s.app.theme, r.State, waitsFor(r.steps)) }, order: by(func(r runRow) string { return string(r.State) })},
		{title: "Workflow", min: 8, most: 24, cell: func(r runRow) cell { return text(name(r)) }, order: by(name)},
		{title: "Run", min: 24, grows: true, cell: func(r runRow) cell { return text(r.ID) }, order: by(func(r runRow) string { return r.ID })},
		{title: "Steps", min: 16, cell: func(r runRow) cell { return progressCell(s.app.theme, r.steps) }},
		{title: "At", min: 10, most: 28, extra: 2, cell: func(r runRow) cell { return s.atCell(r) }},
		{title: "Queue", min: 7, most: 20, extra: 3, cell: func(r runRow) cell { return text(r.Queue()) }, order: by(func(r runRow) string { return r.Queue() })},
		{title: "Started", right: true, min: 9, extra: 1, cell: func(r runRow) cell { return text(when(s.app.now(), r.Started)) }, order: func(a, b runRow) int { return a.Started.Compare(b.Started) }},
		{title: "Took", right: true, min: 6, cell: func(r runRow) cell { return text(age(s.took(r))) }, order: func(a, b runRow) int { return cmp.Compare(s.took(a), s.took(b)) }},
		{title: "Attributes", min: 12, extra: 4, grows: true, cell: func(r runRow) cell { return styled(s.app.theme.dim, attributes(r.Attributes)) }},
	}
}

// attributes writes what a run was given.
func attributes(all map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, k+"="+all[k])
	}
	return strings.Join(parts, " ")
}

// atCell tells by which step the run failed, or else which it is at.
func (s *runs) atCell(r runRow) cell {
	if r.Failure != nil {
		return styled(s.app.theme.bad, r.Failure.Step)
	}
	for _, step := range r.steps {
		if step.State == workflow.StepRunning {
			return text(step.Name)
		}
	}
	return text("")
}

func (s *runs) draw(w, h int) []string {
	return s.table.draw(s.app.theme, 0, w, h)
}

// A hunter looks for the runs that a query asks for.
type hunter struct {
	app    *app
	client *queue.Client
	query  query.Query[workflow.Summary]
	most   int
}

// hunt returns the newest of the runs, and whether these are all.
func (h hunter) hunt(ctx context.Context) (found []workflow.Summary, isAll bool, err error) {
	queues := h.query.Only("queue")
	if queues == nil {
		if queues, err = h.app.inspector.Queues(ctx); err != nil {
			return nil, false, err
		}
	}
	isAll = true
	for _, q := range queues {
		some, all, err := h.in(ctx, q)
		if err != nil {
			return nil, false, err
		}
		found, isAll = append(found, some...), isAll && all
	}
	slices.SortStableFunc(found, func(a, b workflow.Summary) int {
		return cmp.Or(b.Started.Compare(a.Started), strings.Compare(b.ID, a.ID))
	})
	if len(found) > h.most {
		found, isAll = found[:h.most], false
	}
	return found, isAll, nil
}

// in looks through the runs of one queue.
func (h hunter) in(ctx context.Context, queue string) (found []workflow.Summary, isAll bool, err error) {
	r := workflow.RunsRequest{Queue: queue, Limit: runsPage}
	if names := h.query.Only("workflow"); len(names) == 1 {
		r.Workflow = names[0]
	}
	if states := h.query.Only("state"); len(states) == 1 {
		r.State = workflow.State(states[0])
	}
	for scanned := 0; scanned < runsScanned && len(found) < h.most; scanned += runsPage {
		page, err := workflow.Runs(ctx, h.client, r)
		if err != nil {
			return nil, false, err
		}
		now := h.app.now()
		for _, s := range page.Runs {
			if h.query.Match(now, s) {
				found = append(found, s)
			}
		}
		if r.After = page.Next; r.After == "" {
			return found, true, nil
		}
	}
	return found, false, nil
}

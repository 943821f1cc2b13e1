package deed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A taskSelection is the tasks that a query takes and that are in a state which a deed is
// done to.
type taskSelection struct {
	call
	what   Deed
	query  query.Query[*task.Info]
	states []task.State
	picked func(*task.Info) bool // nil: all are
}

func selectTasks(c call, what Deed, text string) (selection, error) {
	q, err := query.Tasks.Parse(text)
	if err == nil {
		err = c.Rules.Query(c.who.Role, q)
	}
	if err != nil {
		return nil, err
	}
	s := taskSelection{call: c, what: what, query: q}
	if what.picks != nil {
		if s.picked, err = what.picks(c); err != nil {
			return nil, fmt.Errorf("task %s: %w", what.Name, err)
		}
	}
	for _, word := range q.Only("state") {
		state, err := task.ParseState(word)
		if err == nil && !s.suits(state) {
			return nil, fmt.Errorf("task %s: %w", what.Name, task.Invalid("query", text, fmt.Sprintf("asks for tasks that are %s, and it is done to those that are %s", state, strings.Join(what.States, ", "))))
		}
	}
	for _, state := range task.States() {
		if what.SuitsState(state.String()) && q.Allows("state", state.String()) {
			s.states = append(s.states, state)
		}
	}
	if s.ofOrphans() {
		s.states = []task.State{task.Active}
	} else if len(s.states) == 0 {
		for _, state := range task.States() {
			if s.suits(state) && q.Allows("state", state.String()) {
				s.states = append(s.states, state)
			}
		}
	}
	if len(q.Only("id")) > 0 || what.act == 0 {
		return listing{what: what, call: c, list: s.list}, nil
	}
	return s, nil
}

// suits reports whether the deed may be done to tasks in a state, if they are asked for.
func (s taskSelection) suits(state task.State) bool {
	if s.ofOrphans() {
		return state == task.Active
	}
	if s.what.act == 0 {
		return s.what.SuitsState(state.String())
	}
	return s.what.act.From(state)
}

// ofOrphans reports whether the deed is only done to those.
func (s taskSelection) ofOrphans() bool { return s.what.SuitsState(Orphaned) }

func (s taskSelection) search() *query.Search {
	return &query.Search{Inspector: s.Storage.Inspector, Query: s.query, States: s.states}
}

// filter returns what places do not say of the tasks; zero if they say all.
func (s taskSelection) filter() queue.Filter {
	f := query.Filter(s.query.Without("queue", "state", "group"))
	if match := f.Match; s.ofOrphans() {
		f.Match = func(i *task.Info) bool { return i.IsOrphaned && (match == nil || match(i)) }
	}
	return f
}

// isAll reports whether everything in the places is taken.
func (s taskSelection) isAll() bool {
	return !s.ofOrphans() && s.query.Without("queue", "state", "group").Empty()
}

func (s taskSelection) preview(ctx context.Context) (p Preview, err error) {
	if len(s.states) == 0 {
		return Preview{Exact: true, Sample: []Sample{}}, nil
	}
	search, began := s.search(), time.Now()
	places, err := search.Places(ctx)
	if err != nil {
		return Preview{}, err
	}
	p.Sample = []Sample{}
	for !p.Exact && p.Scanned < mostLookedAt && time.Since(began) < longestLook {
		step := mostLookedAt / 50
		if s.isAll() {
			step = samples
		}
		found, err := search.Next(ctx, step, step)
		if err != nil {
			return Preview{}, err
		}
		p.Scanned, p.Exact = found.Scanned, found.Done
		for _, i := range found.Tasks {
			s.count(&p, i)
		}
		if s.isAll() {
			p.Count, p.Exact = sizes(places), true
		}
	}
	return p, nil
}

// count adds a task to what a preview has found.
func (s taskSelection) count(p *Preview, i *task.Info) {
	if s.ofOrphans() && !i.IsOrphaned {
		return
	}
	if p.Count++; len(p.Sample) < samples {
		p.Sample = append(p.Sample, sampleOf(i))
	}
}

func sampleOf(i *task.Info) Sample {
	return Sample{Target: Target{i.Queue, i.ID}, Text: plain.Name(i.Type) + ", " + TaskState(i)}
}

func sizes(places []query.Place) (n int) {
	for _, p := range places {
		n += p.Size
	}
	return n
}

func (s taskSelection) all(ctx context.Context, w *work) error {
	if len(s.states) == 0 {
		return nil
	}
	places, err := s.search().Places(ctx)
	if err != nil {
		return err
	}
	r := queue.BulkRequest{Filter: s.filter(), Do: s.what.act}
	if s.has("at") {
		r.At = s.time("at")
	}
	for _, p := range places {
		r.Queue, r.State, r.Group = p.Queue, p.State, p.Group
		done, skipped := w.sums()
		r.Progress = func(n int) bool { return w.set(done+n, skipped) }
		result, err := s.Storage.Inspector.Bulk(ctx, r)
		if goes := w.set(done+result.Done, skipped+result.Skipped); err != nil && !errors.Is(err, queue.ErrQueueNotFound) {
			return err
		} else if !goes {
			return nil
		}
	}
	return nil
}

// picks reports whether the deed is done to a task that the query takes.
func (s taskSelection) picks(i *task.Info) bool {
	return (!s.ofOrphans() || i.IsOrphaned) && (s.picked == nil || s.picked(i))
}

// listed is how many tasks are read at a time while they are told of one by one.
const listed = 500

// list tells of the tasks one by one, for a query that names them.
func (s taskSelection) list(ctx context.Context, tell func(Sample) bool) error {
	for search, more := s.search(), true; more; {
		found, err := search.Next(ctx, listed, mostLookedAt)
		if err != nil {
			return err
		}
		more = !found.Done
		for _, i := range found.Tasks {
			if slices.Contains(s.states, i.State) && s.picks(i) && !tell(sampleOf(i)) {
				return nil
			}
		}
	}
	return nil
}

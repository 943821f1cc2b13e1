package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A RunSearch looks through the runs of workflows, beside all queues, for those that a
// query takes: those that were started last come first, ties by id, the last one first,
// and by queue. If nothing is started or deleted meanwhile, each is told once.
//
// A RunSearch may not be used by several goroutines. What one searches for may not be
// changed once [RunSearch.Next] was called.
type RunSearch struct {
	Client *queue.Client
	Query  Query[workflow.Summary]
	Queues []string // only beside these; nil: beside all

	from    *runMark // behind which it is to go on; nil: at the beginning
	begun   bool
	streams []*runStream // those that have more
	found   []workflow.Summary
	last    runMark // of the run that was looked at last, or was told last as long as more are found
	scanned int
}

// FoundRuns is what a step of a search for runs came to.
type FoundRuns struct {
	Runs    []workflow.Summary
	Scanned int  // how many runs were looked at since the search began
	Done    bool // there are no more
}

// A runStream is the runs beside one queue.
type runStream struct {
	request workflow.RunsRequest
	more    bool // there are more than runs
	runs    []workflow.Summary
}

// runPage is how many runs are read at once: each takes a trip.
const runPage = 25

// Next goes on with the search, until it has found most runs, has looked at budget of
// them, or there are no more. After an error it can be called again, and goes on where it
// was.
//
// It takes a trip for each queue to begin with, one for each run that it looks at, and
// one for each 25.
func (s *RunSearch) Next(ctx context.Context, most, budget int) (FoundRuns, error) {
	if most < 1 || budget < 1 {
		return FoundRuns{}, fmt.Errorf("search: %w", task.Invalid("RunSearch.Next", fmt.Sprintf("%d of %d", most, budget), "must be at least 1 of 1"))
	}
	if err := s.begin(ctx); err != nil {
		return FoundRuns{}, fmt.Errorf("search: %w", err)
	}
	now := time.Now()
	for until := s.scanned + budget; len(s.found) < most && s.scanned < until && len(s.streams) > 0; {
		r, err := s.first(ctx)
		if err != nil {
			return FoundRuns{Scanned: s.scanned}, fmt.Errorf("search: %w", err)
		}
		if r != nil && s.Query.Match(now, *r) {
			s.found = append(s.found, *r)
		}
	}
	runs := s.found[:min(most, len(s.found))]
	if s.found = s.found[len(runs):]; len(s.found) > 0 {
		s.last = markOfRun(runs[most-1])
	}
	return FoundRuns{Runs: runs, Scanned: s.scanned, Done: len(s.streams)+len(s.found) == 0}, nil
}

func (s *RunSearch) begin(ctx context.Context) error {
	if s.begun {
		return nil
	}
	queues := s.Queues
	if queues == nil {
		all, err := queue.NewInspector(s.Client.Broker()).Queues(ctx)
		if err != nil {
			return err
		}
		queues = all
	}
	r := workflow.RunsRequest{Limit: runPage}
	if only := s.Query.Only("workflow"); len(only) == 1 {
		r.Workflow = only[0]
	}
	if states := slices.DeleteFunc(runStates(), func(state string) bool { return !s.Query.Allows("state", state) }); len(states) == 1 {
		r.State = workflow.State(states[0])
	}
	if s.from != nil {
		s.last, s.scanned = *s.from, s.from.Scanned
		r.To = time.UnixMilli(s.from.At + 1)
	}
	for _, name := range queues {
		if s.Query.Allows("queue", name) {
			r.Queue = name
			s.streams = append(s.streams, &runStream{request: r, more: true})
		}
	}
	s.begun = true
	return nil
}

// first takes the first run of all streams, or returns none if there is no more.
func (s *RunSearch) first(ctx context.Context) (*workflow.Summary, error) {
	for _, stream := range s.streams {
		if err := stream.fill(ctx, s.Client, s.from); err != nil {
			return nil, err
		}
	}
	s.streams = slices.DeleteFunc(s.streams, func(stream *runStream) bool { return len(stream.runs) == 0 })
	if len(s.streams) == 0 {
		return nil, nil
	}
	least := slices.MinFunc(s.streams, func(a, b *runStream) int { return markOfRun(a.runs[0]).compare(markOfRun(b.runs[0])) })
	r := &least.runs[0]
	least.runs = least.runs[1:]
	s.scanned++
	s.last = markOfRun(*r)
	if !least.more && len(least.runs) == 0 {
		s.streams = slices.DeleteFunc(s.streams, func(stream *runStream) bool { return stream == least })
	}
	return r, nil
}

// fill sees to it that the stream has a run if there is one behind the mark.
func (s *runStream) fill(ctx context.Context, c *queue.Client, behind *runMark) error {
	for len(s.runs) == 0 && s.more {
		page, err := workflow.Runs(ctx, c, s.request)
		if err != nil {
			return err
		}
		s.request.After, s.more = page.Next, page.Next != ""
		s.runs = slices.DeleteFunc(page.Runs, func(r workflow.Summary) bool {
			return behind != nil && markOfRun(r).compare(*behind) <= 0
		})
	}
	return nil
}

// A runMark is the place of a run in the order of a search.
type runMark struct {
	For     string `json:"q"`
	At      int64  `json:"m"` // in milliseconds, as storages order them
	ID      string `json:"i"`
	Queue   string `json:"n"`
	Scanned int    `json:"c"`
}

func markOfRun(r workflow.Summary) runMark {
	return runMark{At: broker.CeilMilli(r.Started).UnixMilli(), ID: r.ID, Queue: r.Queue()}
}

func (m runMark) compare(o runMark) int {
	return cmp.Or(-cmp.Compare(m.At, o.At), -strings.Compare(m.ID, o.ID), strings.Compare(m.Queue, o.Queue))
}

// Token returns where the search stands, as [Search.Token] does.
func (s *RunSearch) Token() string {
	if !s.begun || len(s.streams)+len(s.found) == 0 {
		return ""
	}
	m := s.last
	m.For, m.Scanned = s.name(), s.scanned
	return tokenOf(m)
}

// Resume has a search that has not begun go on where another one stood, as
// [Search.Resume] does.
func (s *RunSearch) Resume(token string) error {
	m, err := read[runMark](token)
	switch {
	case err != nil:
		return err
	case m.For != s.name():
		return refuse(token, foreignToken)
	case m.Scanned < 0 || m.At < 0 || m.At > time.Now().AddDate(1000, 0, 0).UnixMilli():
		return refuse(token, noToken)
	}
	s.from = &m
	return nil
}

func (s *RunSearch) name() string { return nameOf(s.Query.String(), s.Queues) }

package deed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/storage"
	"github.com/leatwork/leat/workflow"
)

// A listing is a selection of things that are found one by one, and to which a deed is
// done one by one.
type listing struct {
	call
	what Deed

	// list tells of each, until tell returns false.
	list func(ctx context.Context, tell func(Sample) bool) error
}

func (l listing) preview(ctx context.Context) (Preview, error) {
	p := Preview{Exact: true, Sample: []Sample{}}
	began := time.Now()
	err := l.list(ctx, func(s Sample) bool {
		if len(p.Sample) < samples {
			p.Sample = append(p.Sample, s)
		}
		p.Count++
		if l.what.weigh != nil {
			p.Within += l.what.weigh(s)
		}
		p.Exact = p.Count < mostLookedAt && time.Since(began) < longestLook
		return p.Exact
	})
	p.Scanned = p.Count
	return p, err
}

// movedOn are the errors that say of something that it is not as it was when it was found.
var movedOn = []error{
	ErrGroupNotFound, queue.ErrTaskNotFound, queue.ErrQueueNotFound, queue.ErrQueueNotEmpty, broker.ErrNotFound, broker.ErrState,
	workflow.ErrRunNotFound, workflow.ErrRunState, periodic.ErrEntryNotFound,
}

// errStopped is that something was stopped midway.
var errStopped = errors.New("stopped")

// mostFailures is how many failures of the storage one after another end a bulk. What
// cannot be done to one thing says nothing of the next.
const mostFailures = 10

// all finds all before it does anything to the first: what comes back is not met again.
func (l listing) all(ctx context.Context, w *work) error {
	var found []Target
	err := l.list(ctx, func(s Sample) bool {
		found = append(found, s.Target)
		return w.goesOn()
	})
	if err != nil {
		return err
	}
	inRow := 0
	l.goesOn = w.goesOn
	for _, t := range found {
		if !w.goesOn() {
			return nil
		}
		l.t = t
		_, err := l.what.done(ctx, l.call)
		done, skipped := w.sums()
		switch {
		case err == nil:
			w.set(done+1, skipped)
			inRow = 0
		case errors.Is(err, errStopped):
			return nil
		case skips(err):
			w.set(done, skipped+1)
		default:
			if w.fail(t, err) {
				l.log(ctx, l.what, t, err)
			}
			if problem.Of(err).Status < http.StatusInternalServerError {
				inRow = 0
			} else if inRow++; inRow == mostFailures {
				return problem.Behind(fmt.Sprintf("%d failures one after another", inRow), err)
			}
		}
	}
	return nil
}

// checkStates returns an error if a query asks for a state in which a deed is not done.
func checkStates(what Deed, text string, asked []string) error {
	for _, state := range asked {
		if !what.SuitsState(state) {
			return fmt.Errorf("%s %s: %w", what.Kind, what.Name, task.Invalid("query", text, fmt.Sprintf("asks for what is %s, and it is done to what is %s", state, strings.Join(what.States, ", "))))
		}
	}
	return nil
}

// runsAtOnce is how many runs are looked at between two looks at whether to go on.
const runsAtOnce = 100

func selectRuns(c call, what Deed, text string) (selection, error) {
	q, err := query.Runs.Parse(text)
	if err == nil {
		err = c.Rules.Query(c.who.Role, q)
	}
	if err == nil {
		err = checkStates(what, text, q.Only("state"))
	}
	if err != nil {
		return nil, err
	}
	return listing{call: c, what: what, list: func(ctx context.Context, tell func(Sample) bool) error {
		search := query.RunSearch{Client: c.Storage.Client, Query: q}
		for more := true; more; {
			found, err := search.Next(ctx, runsAtOnce, runsAtOnce)
			if err != nil {
				return err
			}
			more = !found.Done
			for _, r := range found.Runs {
				s := Sample{Target: Target{r.Queue(), r.ID}, Text: plain.Name(r.Workflow) + ", " + string(r.State)}
				if what.SuitsState(string(r.State)) && !tell(s) {
					return nil
				}
			}
		}
		return nil
	}}, nil
}

func selectEntries(c call, what Deed, text string) (selection, error) {
	q, err := query.Entries.Parse(text)
	if err == nil {
		err = c.Rules.Query(c.who.Role, q)
	}
	if err != nil {
		return nil, err
	}
	return listing{call: c, what: what, list: func(ctx context.Context, tell func(Sample) bool) error {
		infos, _, err := c.Storage.Entries.Survey(ctx)
		now := c.Storage.Now()
		for _, i := range infos {
			s := Sample{Target: Target{ID: i.Name}, Text: plain.Name(i.Schedule) + ", " + EntryState(i)}
			if q.Match(now, i) && what.SuitsState(EntryState(i)) && !tell(s) {
				break
			}
		}
		return err
	}}, nil
}

func selectQueues(c call, what Deed, text string) (selection, error) {
	q, err := query.Queues.Parse(text)
	if err != nil {
		return nil, err
	}
	return listing{call: c, what: what, list: func(ctx context.Context, tell func(Sample) bool) error {
		infos, _, err := c.Storage.Inspector.Survey(ctx)
		now := c.Storage.Now()
		for _, i := range infos {
			s := Sample{Target: Target{Queue: i.Queue}, Text: fmt.Sprintf("%d tasks, %s", i.Size(), QueueState(i.Paused))}
			if q.Match(now, i) && what.SuitsState(QueueState(i.Paused)) && !tell(s) {
				break
			}
		}
		return err
	}}, nil
}

// groupsAtOnce is how many groups are looked at between two looks at whether to go on.
const groupsAtOnce = 500

func selectGroups(c call, what Deed, text string) (selection, error) {
	q, err := query.Groups.Parse(text)
	if err != nil {
		return nil, err
	}
	return listing{call: c, what: what, list: func(ctx context.Context, tell func(Sample) bool) error {
		search := storage.GroupSearch{Storage: c.Storage, Query: q}
		for {
			found, done, err := search.Next(ctx, groupsAtOnce, 1)
			if err != nil {
				return err
			}
			for _, g := range found {
				s := Sample{Target: Target{g.Queue, g.Name}, Text: fmt.Sprintf("%d tasks", g.Size), size: g.Size}
				if g.Size > 0 && !tell(s) {
					return nil
				}
			}
			if done {
				return nil
			}
		}
	}}, nil
}

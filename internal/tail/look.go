package tail

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// perLook is how many of the newest tasks of a state are looked at. Of more that come
// between two looks, the figures tell.
const perLook = 100

// A looker tells what it sees: tasks that have failed, or are completed, and figures.
type looker struct {
	inspector *queue.Inspector
	from      time.Time
	queues    []string
	figures   map[string]broker.Counts // as they were at the last look; nil before the first
	told      map[sight]bool           // what this look has shown
	before    map[sight]bool           // and what the one before has
}

// A sight is that a task was seen in a state into which it had come at a time.
type sight struct {
	ref   broker.EntryRef
	state task.State
	at    time.Time
}

// newLooker returns one that has had a look, if what was there before is not asked for.
func newLooker(ctx context.Context, i *queue.Inspector, from time.Time, queues []string) (*looker, error) {
	l := &looker{inspector: i, from: from, queues: queues}
	if time.Since(from) > time.Second {
		return l, nil
	}
	_, err := l.Next(ctx)
	return l, err
}

func (l *looker) Kept() bool { return false }

func (l *looker) survey(ctx context.Context) ([]queue.QueueInfo, error) {
	infos, broken, err := l.inspector.Survey(ctx, l.queues...)
	if err == nil && len(infos) == 0 && len(broken) > 0 {
		for _, err := range broken {
			return nil, err
		}
	}
	return infos, err
}

func byQueue(infos []queue.QueueInfo) map[string]broker.Counts {
	figures := make(map[string]broker.Counts, len(infos))
	for _, info := range infos {
		figures[info.Queue] = info.Counts
	}
	return figures
}

// Next implements [Source].
func (l *looker) Next(ctx context.Context) (happened []Happening, err error) {
	infos, err := l.survey(ctx)
	if err != nil {
		return nil, err
	}
	l.before, l.told = l.told, make(map[sight]bool)
	var figures []Happening
	now := time.Now()
	for _, info := range infos {
		changed := changes(l.figures[info.Queue], info.Counts)
		if l.figures != nil && len(changed) > 0 {
			figures = append(figures, Happening{At: now, Queue: info.Queue, Figures: changed})
		}
		tasks, err := l.tasks(ctx, info.Counts)
		if err != nil {
			return nil, err
		}
		happened = append(happened, tasks...)
	}
	l.figures = byQueue(infos)
	slices.SortStableFunc(happened, func(a, b Happening) int { return a.At.Compare(b.At) })
	return append(happened, figures...), nil
}

// tasks returns the tasks of a queue that have come into a state since the last look.
func (l *looker) tasks(ctx context.Context, is broker.Counts) (happened []Happening, err error) {
	for _, state := range []task.State{task.Retry, task.Archived, task.Completed} {
		if is.In(state) == 0 {
			continue
		}
		page, err := l.inspector.List(ctx, queue.ListQuery{Queue: is.Queue, State: state, Newest: true, Limit: perLook})
		if errors.Is(err, queue.ErrQueueNotFound) {
			return nil, nil // it was removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		for _, info := range page.Tasks {
			if h, isNew := l.see(info); isNew {
				happened = append(happened, h)
			}
		}
	}
	return happened, nil
}

// see notes that a task was seen, and reports whether that tells something.
func (l *looker) see(info *task.Info) (h Happening, isNew bool) {
	at := info.LastFailedAt
	if info.State == task.Completed {
		at = info.CompletedAt
	}
	if at.Before(l.from.Truncate(time.Second)) { // failures are kept to the second
		return h, false
	}
	s := sight{broker.EntryRef{Queue: info.Queue, ID: info.ID}, info.State, at}
	l.told[s] = true
	if l.before[s] {
		return h, false
	}
	h = Happening{At: at, Queue: info.Queue, ID: info.ID, State: info.State.String(), Type: info.Type}
	if info.State != task.Completed {
		h.Error = info.LastErr
	}
	return h, true
}

// changes returns which figures are others.
func changes(was, is broker.Counts) (changed []Figure) {
	add := func(name string, was, is int) {
		if was != is {
			changed = append(changed, Figure{name, was, is})
		}
	}
	for _, state := range task.States() {
		add(state.String(), was.In(state), is.In(state))
	}
	add("processed", was.ProcessedTotal, is.ProcessedTotal)
	add("failed", was.FailedTotal, is.FailedTotal)
	return slices.Clip(changed)
}

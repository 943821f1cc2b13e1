package queue

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Load is how much there is to do, and how many can do it: what decides whether more
// servers are needed, or fewer.
//
// Nothing of a queue that is paused is ready. In a queue that nobody serves, nobody does
// what time makes due, and nobody folds groups: there, everything that waits in groups
// is ready, and so is one task more if one of those that are scheduled or to be retried
// is due.
type Load struct {
	Ready, Active int           // how many tasks are to be run, and how many are being run
	Oldest        time.Duration // for how long the one has been ready that is next: see [QueueInfo].Latency
	Slots         int           // how many tasks the servers run at once that are alive and take new ones
}

// PerSlot returns how many tasks are ready or active for each slot, as if there was one
// slot where there is none. It is 0 if there is nothing to do, and only then.
func (l Load) PerSlot() float64 { return float64(l.Ready+l.Active) / float64(max(l.Slots, 1)) }

// Loads are those of several queues.
type Loads struct {
	Queues map[string]Load  // a server's slots count in each queue that it serves
	All    Load             // of all of them together; here they count once
	Broken map[string]error // queues that cannot be read, and why; they are left out
}

// Loads returns the loads of the named queues, or of all if none is named. One that does
// not exist has nothing to do. It takes two trips, two more for each queue in which
// tasks are scheduled although nobody serves it, and some more if a queue cannot be read.
func (i *Inspector) Loads(ctx context.Context, queues ...string) (Loads, error) {
	infos, broken, err := i.Survey(ctx, queues...)
	if err != nil {
		return Loads{}, fmt.Errorf("loads: %w", err)
	}
	servers, err := i.Servers(ctx)
	if err != nil {
		return Loads{}, fmt.Errorf("loads: %w", err)
	}
	return i.LoadsOf(ctx, infos, broken, servers), nil
}

// LoadsOf returns the loads of queues of which the figures are known that [Inspector.Survey]
// returns, with the servers that are alive. It takes no trip but those for queues that
// nobody serves.
func (i *Inspector) LoadsOf(ctx context.Context, infos []QueueInfo, broken map[string]error, servers []broker.Server) Loads {
	servers = slices.DeleteFunc(slices.Clone(servers), func(s broker.Server) bool { return s.Status != "active" })
	l := Loads{Queues: make(map[string]Load, len(infos)), Broken: make(map[string]error)}
	for queue, err := range broken {
		l.Broken[queue] = err
	}
	for _, info := range infos {
		load, err := i.load(ctx, info, servers)
		if err != nil {
			l.Broken[info.Queue] = err
			continue
		}
		l.Queues[info.Queue] = load
		l.All.Ready += load.Ready
		l.All.Active += load.Active
		l.All.Oldest = max(l.All.Oldest, load.Oldest)
	}
	for _, s := range servers {
		if serves(s, l.Queues) {
			l.All.Slots += s.Concurrency
		}
	}
	return l
}

// serves reports whether s serves one of queues.
func serves(s broker.Server, queues map[string]Load) bool {
	for queue := range s.Queues {
		if _, ok := queues[queue]; ok {
			return true
		}
	}
	return false
}

func (i *Inspector) load(ctx context.Context, info QueueInfo, servers []broker.Server) (Load, error) {
	l := Load{Active: info.Active}
	for _, s := range servers {
		if _, ok := s.Queues[info.Queue]; ok {
			l.Slots += s.Concurrency
		}
	}
	if info.Paused {
		return l, nil
	}
	l.Ready, l.Oldest = info.Pending, info.Latency
	if l.Slots > 0 {
		return l, nil
	}
	l.Ready += info.Aggregating
	late, err := i.overdue(ctx, info)
	if late > 0 {
		l.Ready++
		l.Oldest = max(l.Oldest, late)
	}
	return l, err
}

// overdue returns for how long the first task of a queue is due that is scheduled or to be
// retried, 0 if none is.
func (i *Inspector) overdue(ctx context.Context, info QueueInfo) (late time.Duration, err error) {
	for _, state := range []task.State{task.Scheduled, task.Retry} {
		if info.In(state) == 0 {
			continue
		}
		first, err := i.broker.List(ctx, broker.ListRequest{Queue: info.Queue, State: state, Limit: 1})
		if err != nil {
			return 0, fmt.Errorf("list %s of %s: %w", state, info.Queue, err)
		}
		if len(first) > 0 {
			late = max(late, time.Since(first[0].DueAt))
		}
	}
	return late, nil
}

// Survey is [Inspector.Figures], except that a queue which cannot be read, because
// something else is where its tasks should be, keeps nothing of the others secret: it
// is left out, and broken tells why. err says that there is nothing to be known of any.
// It takes a few trips more if there is such a queue. One that is named twice is there once.
func (i *Inspector) Survey(ctx context.Context, queues ...string) (infos []QueueInfo, broken map[string]error, err error) {
	queues = distinct(queues)
	infos, err = i.Figures(ctx, queues...)
	if err == nil {
		return infos, nil, nil
	}
	all, unread := i.Queues(ctx)
	if unread != nil {
		return nil, nil, err
	}
	if len(queues) == 0 {
		queues = all
	}
	broken = make(map[string]error)
	return i.readable(ctx, queues, broken), broken, nil
}

// distinct returns names in their order, each once.
func distinct(names []string) []string {
	var once []string
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// readable returns the figures of those of queues that can be read, and notes the others.
func (i *Inspector) readable(ctx context.Context, queues []string, broken map[string]error) []QueueInfo {
	if len(queues) == 0 {
		return nil
	}
	infos, err := i.Figures(ctx, queues...)
	switch half := len(queues) / 2; {
	case err == nil:
		return infos
	case half == 0 || ctx.Err() != nil:
		for _, queue := range queues {
			broken[queue] = err
		}
		return nil
	default:
		return append(i.readable(ctx, queues[:half], broken), i.readable(ctx, queues[half:], broken)...)
	}
}

package dash

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A taskAct is something that can be done to tasks.
type taskAct struct {
	key, verb, past string
	help            string // what it means
	brief           string
	do              broker.Act
	one             func(i *queue.Inspector, ctx context.Context, queue, id string) error
}

// taskActs are all of them.
var taskActs = []taskAct{
	{"D", "delete", "deleted", "They are gone for good.", "delete", broker.Delete, (*queue.Inspector).Delete},
	{"A", "archive", "archived", "They are kept, and not run.", "archive", broker.Archive, (*queue.Inspector).Archive},
	{"R", "run", "made ready", "They are run as soon as a worker is free.", "run", broker.Run, (*queue.Inspector).Run},
	{"C", "cancel", "cancelled", "Those that wait are archived; the handlers of those that are being run are asked to end.", "cancel", broker.Cancel, (*queue.Inspector).Cancel},
}

// actions returns what can be done to the marked tasks of the list, or to the one on which
// the cursor is.
func (l *taskList) actions() (b []binding) {
	for _, act := range taskActs {
		if l.place.state != 0 && !act.do.From(l.place.state) && l.place.state != task.Active {
			continue
		}
		b = append(b, on(act.key, act.verb+" the marked tasks, or this one", act.brief, func() { l.act(act) }))
	}
	return b
}

// act asks whether something is meant, and then does it.
func (l *taskList) act(act taskAct) {
	switch n := len(l.table.marks); {
	case l.table.all:
		l.actOnAll(act)
	case n > 0:
		keys := slices.Sorted(maps.Keys(l.table.marks))
		l.app.confirm(title(act.verb)+" "+quantity.Many(n, "task"), []string{"The " + quantity.Many(n, "marked task") + ". " + act.help}, wordFor(n), func() {
			l.unmark()
			l.app.actOnEach(act, keys)
		})
	default:
		if i, ok := l.table.current(); ok {
			l.app.actOnOne(act, i)
		}
	}
}

// actOnOne does something to one task.
func (a *app) actOnOne(act taskAct, i *task.Info) {
	lines := []string{"Task " + i.ID + " of queue " + i.Queue + ", of type " + i.Type + ", in state " + i.State.String() + "."}
	a.confirm(title(act.verb)+" one task", lines, "", func() { a.actOnEach(act, []string{taskKey(i)}) })
}

// actOnEach does something to tasks one by one.
func (a *app) actOnEach(act taskAct, keys []string) {
	inspector := a.inspector
	a.do(act.verb+" "+quantity.Many(len(keys), "task"), len(keys), func(ctx context.Context, d *deed) (string, error) {
		did, failed := 0, []error{}
		for n, key := range keys {
			q, id := splitKey(key)
			if err := act.one(inspector, ctx, q, id); err != nil {
				failed = append(failed, reason(id, err))
			} else {
				did++
			}
			if !d.count(n+1) && n+1 < len(keys) {
				return fmt.Sprintf("stopped: %s of %s %s, %s failed", quantity.Count(did), quantity.Many(len(keys), "task"), act.past, quantity.Count(len(failed))), first(failed)
			}
		}
		if did == 0 {
			return "", first(failed)
		}
		text := quantity.Many(did, "task") + " " + act.past
		if len(failed) > 0 {
			text += ", " + quantity.Count(len(failed)) + " failed, the first"
		}
		return text, first(failed)
	})
}

// reason says why nothing was done to a task, with what matters first.
func reason(id string, err error) error {
	s, ok := errors.AsType[*broker.StateError](err)
	switch {
	case errors.Is(err, queue.ErrTaskNotFound):
		return fmt.Errorf("there is no task %s any more", id)
	case ok && s.Frozen:
		return fmt.Errorf("refused: it is being folded with others: task %s", id)
	case ok:
		return fmt.Errorf("refused in state %s: task %s", s.State, id)
	}
	return err
}

func first(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

// actOnAll does something to all tasks of the list, also to those that are not shown.
func (l *taskList) actOnAll(act taskAct) {
	what, n, word := l.describeAll()
	lines := []string{what, act.help}
	l.app.confirm(title(act.verb)+" all", lines, word, func() {
		ids := l.filter.query.Only("id")
		found := l.table.rows
		q, at := l.filter.query, l.newHunt().search
		l.unmark()
		if ids != nil { // they were looked up, and not searched for
			var keys []string
			for _, i := range found {
				keys = append(keys, taskKey(i))
			}
			l.app.actOnEach(act, keys)
			return
		}
		l.app.do(act.verb+" all", n, func(ctx context.Context, d *deed) (string, error) {
			return sweep(ctx, l.app.inspector, act, at, query.Filter(q.Without("queue", "state")), d)
		})
	})
}

// describeAll tells what all tasks of the list are, how many they are if that is known, and
// what is to be typed before something is done to them.
func (l *taskList) describeAll() (what string, n int, word string) {
	where := "in all queues"
	if l.place.queue != "" {
		where = "of queue " + l.place.queue
	}
	if l.place.group != "" {
		where += " in group " + l.place.group
	}
	if l.place.state != 0 {
		where += " in state " + l.place.state.String()
	}
	if !l.isSearch() {
		return "All " + quantity.Many(l.total, "task") + " " + where + ".", l.total, wordFor(l.total)
	}
	h := l.hunt
	by := ""
	if text := l.filter.text(); text != "" {
		by = ", those that the query takes: " + text
	}
	switch {
	case h != nil && h.Done:
		return "All tasks " + where + by + ". There are " + quantity.Count(len(h.found)) + ".", len(h.found), wordFor(len(h.found))
	case h != nil:
		return fmt.Sprintf("All tasks %s%s. %s were found so far, among %s of %s.", where, by, quantity.Count(len(h.found)), quantity.Count(h.Scanned), quantity.Count(h.Total)), 0, "all"
	}
	return "All tasks " + where + by + ".", 0, "all"
}

// sweep does something to all tasks that a filter takes, wherever a search would look.
func sweep(ctx context.Context, i *queue.Inspector, act taskAct, at *query.Search, f queue.Filter, d *deed) (string, error) {
	places, err := at.Places(ctx)
	if err != nil {
		return "", err
	}
	did, skipped, stopped := 0, 0, false
	var failed []error
	for _, p := range places {
		if !act.do.From(p.State) && !(p.State == task.Active && act.do.FromLapsed()) {
			continue
		}
		r, err := i.Bulk(ctx, queue.BulkRequest{
			Queue: p.Queue, State: p.State, Group: p.Group, Filter: f, Do: act.do,
			Progress: func(n int) bool { return d.count(did + n) },
		})
		did, skipped, stopped = did+r.Done, skipped+r.Skipped, r.Stopped
		if err != nil {
			failed = append(failed, err)
		}
		if stopped || d.halted.Load() || ctx.Err() != nil {
			break
		}
	}
	text := quantity.Many(did, "task") + " " + act.past
	if skipped > 0 {
		text += ", " + quantity.Count(skipped) + " had moved on"
	}
	if stopped || d.halted.Load() {
		text = "stopped: " + text
	}
	return text, errors.Join(failed...)
}

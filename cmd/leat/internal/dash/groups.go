package dash

import (
	"context"
	"errors"
	"strings"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A groupRow is a group of a queue.
type groupRow struct {
	queue string
	broker.Group
}

// A groups is the screen of the groups of all queues.
type groups struct {
	app   *app
	table table[groupRow]
}

func newGroups(a *app) *groups {
	s := &groups{app: a}
	s.table = table[groupRow]{
		sorted: -1, key: func(r groupRow) string { return r.queue + "\x00" + r.Name },
		open:  func(r groupRow) { a.push(newGroupScreen(a, r.queue, r.Group)) },
		empty: "No groups: no task waits to be folded with others.",
	}
	s.table.columns = append([]column[groupRow]{
		{title: "Queue", min: 8, most: 30, cell: func(r groupRow) cell { return text(r.queue) }, order: func(a, b groupRow) int { return strings.Compare(a.queue, b.queue) }},
	}, groupColumns(a, func(r groupRow) broker.Group { return r.Group })...)
	return s
}

func (s *groups) title() string       { return "Groups" }
func (s *groups) bindings() []binding { return s.table.moves() }
func (s *groups) click(x, y int)      { s.table.click(x, y) }
func (s *groups) wheel(by int)        { s.table.wheel(by) }

func (s *groups) ask() ask {
	return func(ctx context.Context) (func(), error) {
		figures, err := s.app.inspector.Figures(ctx)
		if err != nil {
			return nil, err
		}
		var rows []groupRow
		for _, f := range figures {
			if f.Aggregating == 0 {
				continue
			}
			groups, err := s.app.inspector.Groups(ctx, f.Queue)
			if err != nil && !errors.Is(err, queue.ErrQueueNotFound) {
				return nil, err
			}
			for _, g := range groups {
				rows = append(rows, groupRow{f.Queue, g})
			}
		}
		return func() { s.table.set(rows) }, nil
	}
}

func (s *groups) draw(w, h int) []string { return s.table.draw(s.app.theme, 0, w, h) }

// A groupScreen is the tasks of one group.
type groupScreen struct {
	*taskList
	of string
}

func newGroupScreen(a *app, queue string, g broker.Group) *groupScreen {
	s := &groupScreen{newTaskList(a, place{queue: queue, state: task.Aggregating, group: g.Name}), g.Name}
	s.total = g.Size
	return s
}

func (s *groupScreen) title() string        { return s.of }
func (s *groupScreen) narrowing() narrowing { return &s.filter }
func (s *groupScreen) click(x, y int)       { s.table.click(x, y) }
func (s *groupScreen) wheel(by int)         { s.table.wheel(by) }

// A tasks is the screen on which is searched through all tasks.
type tasks struct{ *taskList }

func newTasks(a *app) *tasks { return &tasks{newTaskList(a, place{})} }

func (s *tasks) title() string        { return "Tasks" }
func (s *tasks) narrowing() narrowing { return &s.filter }
func (s *tasks) click(x, y int)       { s.table.click(x, y) }
func (s *tasks) wheel(by int)         { s.table.wheel(by) }

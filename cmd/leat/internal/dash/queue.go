package dash

import (
	"cmp"
	"context"
	"errors"
	"sort"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A queueScreen is one queue: its figures, and the tasks in one of its states.
type queueScreen struct {
	app    *app
	name   string
	info   queue.QueueInfo
	seenAt time.Time
	speed  float64
	state  int // of shownStates
	list   *taskList
	groups table[broker.Group]
	tabs   []int // where each state begins in its line, and where the line ends
}

const (
	stateLine = 2 // of the drawing
	listLine  = 3
)

func newQueueScreen(a *app, name string) *queueScreen {
	s := &queueScreen{app: a, name: name, speed: -1, state: 1}
	s.list = newTaskList(a, place{queue: name, state: shownStates[s.state]})
	s.list.above = listLine
	s.groups = table[broker.Group]{
		sorted: -1, columns: groupColumns(a, func(g broker.Group) broker.Group { return g }),
		key: func(g broker.Group) string { return g.Name }, empty: "No groups.",
		open: func(g broker.Group) { a.push(newGroupScreen(a, name, g)) },
	}
	return s
}

func (s *queueScreen) changed()             { s.list.changed() }
func (s *queueScreen) title() string        { return s.name }
func (s *queueScreen) narrowing() narrowing { return &s.list.filter }

// showsGroups reports whether the groups are shown, rather than tasks.
func (s *queueScreen) showsGroups() bool {
	return shownStates[s.state] == task.Aggregating && s.list.filter.query.Empty()
}

func (s *queueScreen) ask() ask {
	figures := s.askFigures()
	rest := s.list.ask
	if s.showsGroups() {
		rest = s.askGroups
	}
	return both(figures, rest())
}

// both asks two questions, one after the other. What was answered to the first is shown
// also if the second fails.
func both(a, b ask) ask {
	if b == nil {
		return a
	}
	return func(ctx context.Context) (func(), error) {
		first, err := a(ctx)
		if err != nil {
			return nil, err
		}
		second, err := b(ctx)
		if err != nil {
			return nil, err
		}
		return func() { first(); second() }, nil
	}
}

func (s *queueScreen) askFigures() ask {
	return func(ctx context.Context) (func(), error) {
		i, err := s.app.inspector.QueueInfo(ctx, s.name)
		if err != nil {
			return nil, err
		}
		at := s.app.now()
		return func() { s.take(*i, at) }, nil
	}
}

func (s *queueScreen) take(i queue.QueueInfo, at time.Time) {
	if !s.seenAt.IsZero() {
		s.speed = speed(s.info.ProcessedTotal, i.ProcessedTotal, at.Sub(s.seenAt))
	}
	s.info, s.seenAt = i, at
	s.list.total = i.In(shownStates[s.state])
}

func (s *queueScreen) askGroups() ask {
	return func(ctx context.Context) (func(), error) {
		groups, err := s.app.inspector.Groups(ctx, s.name)
		if err != nil && !errors.Is(err, queue.ErrQueueNotFound) {
			return nil, err
		}
		return func() { s.groups.set(groups) }, nil
	}
}

// turn shows another state.
func (s *queueScreen) turn(to int) {
	n := len(shownStates)
	s.state = (to + n) % n
	s.list.total = s.info.In(shownStates[s.state])
	s.list.move(place{queue: s.name, state: shownStates[s.state]})
	s.app.refetch()
}

func (s *queueScreen) bindings() []binding {
	b := []binding{
		on("right l", "next state", "state", func() { s.turn(s.state + 1) }),
		on("left h", "previous state", "", func() { s.turn(s.state - 1) }),
	}
	if s.showsGroups() {
		b = append(b, s.groups.moves()...)
	} else {
		b = append(b, s.list.bindings()...)
	}
	return append(b, s.app.queueActions(func() (string, int, bool) { return s.name, s.info.Size(), true }, func() bool { return s.info.Paused })...)
}

func (s *queueScreen) click(x, y int) {
	switch {
	case y == stateLine:
		if i := sort.SearchInts(s.tabs, x+1) - 1; i >= 0 && i < len(shownStates) {
			s.turn(i)
		}
	case s.showsGroups():
		s.groups.click(x, y)
	default:
		s.list.table.click(x, y)
	}
}

func (s *queueScreen) wheel(by int) {
	if s.showsGroups() {
		s.groups.wheel(by)
		return
	}
	s.list.table.wheel(by)
}

func (s *queueScreen) draw(w, h int) []string {
	lines := []string{s.summary(), "  " + stack(s.app.theme, s.info, w-4), s.stateTabs(w)}
	if s.showsGroups() {
		lines = append(lines, "")
		return append(lines, s.groups.draw(s.app.theme, len(lines), w, h-len(lines))...)
	}
	return append(lines, s.list.draw(w, h-listLine)...)
}

func (s *queueScreen) summary() string {
	t := s.app.theme
	if s.seenAt.IsZero() {
		return ""
	}
	state := t.good.Render("run")
	if s.info.Paused {
		state = t.warn.Render("PAUSED")
	}
	memory := quantity.Bytes(s.info.Memory)
	if s.info.MemoryErr != nil {
		memory = "?"
	}
	part := func(name, value string) string { return t.dim.Render(name+" ") + value }
	return "  " + strings.Join([]string{
		state, part("size", quantity.Count(s.info.Size())), part("latency", span(s.info.Latency.Truncate(time.Millisecond))), part("mem", memory),
		part("today", quantity.Count(s.info.Processed)) + t.dim.Render(", ") + percent(s.info.Failed, s.info.Processed) + t.dim.Render(" failed"),
		perSecond(s.speed) + t.dim.Render("/s"),
	}, "  ")
}

// stateTabs draws the states with how many tasks are in each.
func (s *queueScreen) stateTabs(w int) string {
	label := func(i int, short bool) string {
		state := shownStates[i]
		name := state.String()
		if short && i != s.state {
			name = stateSigns[state]
		}
		label := name + " " + quantity.Count(s.info.In(state))
		if i == s.state {
			return "[" + label + "]"
		}
		return " " + label + " "
	}
	wide := 1
	for i := range shownStates {
		wide += ansi.StringWidth(label(i, false)) + 1
	}
	s.tabs = nil
	line := " "
	for i, state := range shownStates {
		s.tabs = append(s.tabs, ansi.StringWidth(line))
		style := s.app.theme.states[state]
		if i == s.state {
			style = s.app.theme.chosen
		}
		line += style.Render(label(i, wide > w)) + " "
	}
	s.tabs = append(s.tabs, ansi.StringWidth(line))
	return line
}

// groupColumns returns what is shown of groups.
func groupColumns[T any](a *app, of func(T) broker.Group) []column[T] {
	now := func() time.Time { return a.now() }
	return []column[T]{
		{title: "Group", min: 12, most: 60, cell: func(v T) cell { return text(of(v).Name) }, order: func(v, o T) int { return strings.Compare(of(v).Name, of(o).Name) }},
		{title: "Size", right: true, min: 8, cell: func(v T) cell { return text(quantity.Count(of(v).Size)) }, order: func(v, o T) int { return cmp.Compare(of(v).Size, of(o).Size) }},
		{title: "In batches", right: true, cell: func(v T) cell { return text(quantity.Count(of(v).Frozen)) }},
		{title: "Oldest", min: 11, cell: func(v T) cell { return text(when(now(), of(v).Oldest)) }, order: func(v, o T) int { return of(v).Oldest.Compare(of(o).Oldest) }},
		{title: "Newest", min: 11, extra: 1, cell: func(v T) cell { return text(when(now(), of(v).Newest)) }},
	}
}

package dash

import (
	"strings"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/task"
)

// A taskList is a list of tasks: those of a place, page by page, or those of it that a
// query takes.
type taskList struct {
	app    *app
	place  place
	total  int // how many there are in the place, as far as its screen knows
	filter filter[*task.Info]
	table  table[*task.Info]
	pager  pager
	hunt   *hunt // nil: none has begun
	loaded bool
	above  int // lines that its screen has above it
}

func newTaskList(a *app, at place) *taskList {
	l := &taskList{app: a, place: at, filter: filter[*task.Info]{language: query.Tasks}}
	l.filter.known = l.known
	l.filter.changed = l.restart
	l.table = table[*task.Info]{
		sorted: -1, key: taskKey, marks: map[string]bool{},
		open:   func(i *task.Info) { a.push(newTaskScreen(a, i.Queue, i.ID)) },
		beyond: func(by int) { l.turn(by > 0) },
	}
	l.table.columns = l.columns()
	return l
}

// taskKey tells a task from all others.
func taskKey(i *task.Info) string { return i.Queue + "\x00" + i.ID }

// splitKey returns the queue and the id of a task.
func splitKey(key string) (queue, id string) {
	queue, id, _ = strings.Cut(key, "\x00")
	return queue, id
}

// isSearch reports whether the list is looked for, rather than read page by page.
func (l *taskList) isSearch() bool {
	return !l.filter.query.Empty() || l.place.queue == "" || l.place.state == 0
}

// move shows the tasks of another place.
func (l *taskList) move(at place) {
	l.place = at
	l.table.columns, l.table.widths = l.columns(), nil
	l.restart()
}

// restart shows the list from its beginning.
func (l *taskList) restart() {
	l.pager, l.hunt, l.loaded = pager{}, nil, false
	l.unmark()
	l.table.set(nil)
	l.table.cursor = 0
}

func (l *taskList) unmark() {
	clear(l.table.marks)
	l.table.all = false
}

func (l *taskList) ask() ask {
	if l.isSearch() {
		return l.askHunt()
	}
	return l.askPage()
}

// known are the values of fields that the bar offers: those of the tasks that are shown.
func (l *taskList) known() map[string][]string {
	values := map[string][]string{}
	for _, i := range l.table.rows {
		values["type"] = append(values["type"], i.Type)
		values["queue"] = append(values["queue"], i.Queue)
		if i.Group != "" {
			values["group"] = append(values["group"], i.Group)
		}
	}
	return compacted(values)
}

// turn goes on where the rows that are there end.
func (l *taskList) turn(down bool) {
	if l.isSearch() {
		if down {
			l.goOn()
		}
		return
	}
	if l.pager.turn(down, len(l.table.rows)) {
		l.app.refetch()
	}
}

// page turns the page, or moves the cursor to its end if there is no other.
func (l *taskList) page(down bool) {
	by := map[bool]int{true: 1, false: -1}[down]
	if l.isSearch() {
		l.table.move(by * l.table.page())
		return
	}
	if l.pager.turn(down, len(l.table.rows)) {
		l.app.refetch()
		return
	}
	l.edge(down)
}

func (l *taskList) edge(end bool) {
	l.table.cursor = map[bool]int{false: 0, true: max(len(l.table.rows)-1, 0)}[end]
}

// jump goes to the first or to the last of all.
func (l *taskList) jump(end bool) {
	if l.isSearch() {
		l.edge(end)
		return
	}
	l.pager.jump(end)
	l.app.refetch()
}

// changed has what was found be looked for anew, since something was done to it.
func (l *taskList) changed() { l.hunt = nil }

// goOn has the search look at more.
func (l *taskList) goOn() {
	if h := l.hunt; h != nil && h.isOver() && !h.Done && len(h.found) < searchMost {
		h.share, h.most = h.Scanned+searchShare, min(h.most*2, searchMost)
		l.app.refetch()
	}
}

// mark marks the task on which the cursor is, or takes the mark away.
func (l *taskList) mark() {
	i, ok := l.table.current()
	if !ok {
		return
	}
	if l.table.all {
		l.unmark()
	}
	key := taskKey(i)
	if l.table.marks[key] {
		delete(l.table.marks, key)
	} else {
		l.table.marks[key] = true
	}
	if l.table.cursor < len(l.table.rows)-1 {
		l.table.cursor++
	}
}

func (l *taskList) bindings() []binding {
	b := []binding{
		on("pgdown ctrl+f n", "next page", "", func() { l.page(true) }),
		on("pgup ctrl+b b", "previous page", "", func() { l.page(false) }),
		on("g home", "to the first of all", "", func() { l.jump(false) }),
		on("G end", "to the last of all", "", func() { l.jump(true) }),
	}
	b = append(b, l.table.moves()...)
	if len(l.table.marks) > 0 || l.table.all {
		b = append(b, on("esc", "take all marks away", "unmark", l.unmark))
	}
	b = append(b,
		on("space x", "mark the task, or take the mark away", "mark", l.mark),
		on("*", "mark all that there are, or that the query takes; take the marks away", "", func() {
			all := !l.table.all
			l.unmark()
			l.table.all = all
		}),
		on("c", "copy the task's id", "", func() {
			if i, ok := l.table.current(); ok {
				l.app.copy(i.ID)
			}
		}))
	if l.isSearch() {
		b = append(b,
			on("m +", "look at more tasks", "", l.goOn),
			on("r", "search anew", "", func() { l.changed(); l.app.refetch() }))
	}
	return append(b, l.actions()...)
}

// info tells what is shown of how many, and how many are marked.
func (l *taskList) info() string {
	parts := []string{}
	if text := l.position(); !l.isSearch() && text != "" {
		parts = append(parts, text)
	}
	if l.isSearch() {
		parts = append(parts, l.progress())
	}
	switch n := len(l.table.marks); {
	case l.table.all:
		parts = append(parts, l.app.theme.accent.Render("● all are marked"))
	case n > 0:
		parts = append(parts, l.app.theme.accent.Render("● "+quantity.Count(n)+" marked"))
	}
	return " " + strings.Join(parts, "   ")
}

// draw draws the list below what its screen has above it.
func (l *taskList) draw(w, h int) []string {
	l.table.empty = "No tasks."
	switch {
	case !l.loaded:
		l.table.empty = "…"
	case l.isSearch() && l.hunt != nil && !l.hunt.isOver():
		l.table.empty = "Looking …"
	}
	return append([]string{l.info()}, l.table.draw(l.app.theme, l.above+1, w, h-1)...)
}

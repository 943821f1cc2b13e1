package dash

import (
	"context"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
)

// An app is the dashboard: a stack of screens for each tab, and the frame around the one
// on top.
type app struct {
	Options
	ctx       context.Context
	inspector *queue.Inspector
	entries   *periodic.Inspector
	now       func() time.Time
	tick      func() tea.Cmd // comes back with a [ticked]

	theme         theme
	dark, plain16 bool
	width, height int

	tabs   []*tab
	tab    int
	dialog *dialog   // over the screen, if there is one
	bar    *bar      // in which a query is being written, if one is
	deed   *deed     // what is being done, if anything
	notice notice    // what came of the last thing that was done
	halted bool      // nothing is asked for unless the user says so
	todo   []tea.Cmd // of the message that is being handled
}

// A tab is a stack of screens.
type tab struct {
	name  string
	first func(*app) screen
	pages []*page // none until it is shown for the first time
}

func (t *tab) key(i int) string { return strconv.Itoa(i + 1) }

// newTabs returns the tabs in their order.
func newTabs() []*tab {
	return []*tab{
		{name: "Queues", first: func(a *app) screen { return newQueues(a) }},
		{name: "Servers", first: func(a *app) screen { return newServers(a) }},
		{name: "Groups", first: func(a *app) screen { return newGroups(a) }},
		{name: "Periodic", first: func(a *app) screen { return newEntries(a) }},
		{name: "Runs", first: func(a *app) screen { return newRuns(a) }},
		{name: "Tasks", first: func(a *app) screen { return newTasks(a) }},
	}
}

func newApp(ctx context.Context, o Options) *app {
	a := &app{
		Options: o, ctx: ctx, dark: true,
		inspector: queue.NewInspector(o.Broker), entries: periodic.NewInspector(o.Broker),
		now:  time.Now,
		tick: func() tea.Cmd { return tea.Tick(beat, func(time.Time) tea.Msg { return ticked{} }) },
		tabs: newTabs(),
	}
	a.theme = newTheme(a.dark, a.plain16)
	a.show(0)
	if o.Queue != "" {
		a.push(newQueueScreen(a, o.Queue))
	}
	return a
}

// Init implements [tea.Model].
func (a *app) Init() tea.Cmd {
	a.later(tea.RequestBackgroundColor)
	a.later(a.tick())
	return a.flush()
}

// Update implements [tea.Model].
func (a *app) Update(m tea.Msg) (tea.Model, tea.Cmd) {
	switch m := m.(type) {
	case tea.WindowSizeMsg:
		a.width, a.height = m.Width, m.Height
		a.look(a.top()) // there may be room for more
	case tea.BackgroundColorMsg:
		a.dark = m.IsDark()
		a.theme = newTheme(a.dark, a.plain16)
	case tea.ColorProfileMsg:
		a.plain16 = isBasic(m.Profile)
		a.theme = newTheme(a.dark, a.plain16)
	case ticked:
		a.refresh()
		a.later(a.tick())
	case answered:
		a.answer(m)
	case done:
		a.finish(m)
	case tea.KeyPressMsg:
		a.press(m)
	case tea.PasteMsg:
		a.paste(m)
	case tea.MouseMsg:
		a.mouse(m)
	}
	return a, a.flush()
}

// later has a command run when the message that is being handled is done with.
func (a *app) later(c tea.Cmd) { a.todo = append(a.todo, c) }

func (a *app) flush() tea.Cmd {
	todo := a.todo
	a.todo = nil
	return tea.Batch(todo...)
}

// top returns the page that is shown.
func (a *app) top() *page {
	pages := a.tabs[a.tab].pages
	return pages[len(pages)-1]
}

// show shows a tab as it was left; from its first screen if it is shown already.
func (a *app) show(i int) {
	t := a.tabs[i]
	switch {
	case t.pages == nil:
		t.pages = []*page{{screen: t.first(a)}}
	case i == a.tab:
		a.top().leave()
		t.pages = t.pages[:1]
	default:
		a.top().leave()
	}
	if old := a.tabs[a.tab]; i != a.tab && old.pages != nil {
		a.top().leave()
	}
	a.tab = i
	a.look(a.top())
}

// push shows a screen above the one that is shown.
func (a *app) push(s screen) {
	a.top().leave()
	t := a.tabs[a.tab]
	t.pages = append(t.pages, &page{screen: s})
	a.look(a.top())
}

// pop goes back to the screen below, and reports whether there is one.
func (a *app) pop() bool {
	t := a.tabs[a.tab]
	if len(t.pages) == 1 {
		return false
	}
	a.top().leave()
	t.pages = t.pages[:len(t.pages)-1]
	a.look(a.top())
	return true
}

// back undoes the last thing that was done to what is shown, one at a time.
func (a *app) back() {
	if a.deed != nil {
		a.deed.halt()
		return
	}
	if s, ok := a.top().screen.(searchable); ok && s.narrowing().text() != "" {
		if s.narrowing().set("") == nil {
			a.refetch()
		}
		return
	}
	a.pop()
}

// close goes back, or ends the program.
func (a *app) close() {
	if a.pop() {
		return
	}
	if a.deed != nil {
		a.say(a.deed.what + " goes on: Esc stops it, Ctrl+C quits at once")
		return
	}
	a.quit()
}

func (a *app) quit() { a.later(tea.Quit) }

func (a *app) press(m tea.KeyPressMsg) {
	key := m.String()
	a.notice.seen(a.now())
	switch {
	case key == "ctrl+c":
		a.quit()
	case a.isTooSmall(): // nobody presses what cannot be seen
		if key == "q" {
			a.quit()
		}
	case a.dialog != nil:
		a.dialog.press(a, m)
	case a.bar != nil:
		a.bar.press(a, m)
	case press(a.top().bindings(), key):
	default:
		press(a.everywhere(), key)
	}
}

func (a *app) paste(m tea.PasteMsg) {
	switch {
	case a.dialog != nil:
		a.dialog.input, _ = a.dialog.input.Update(m)
	case a.bar != nil:
		a.bar.edit(m)
	}
}

// mouse tells the screen of what is done with the mouse in its part of the frame. The tabs
// are buttons.
func (a *app) mouse(m tea.MouseMsg) {
	if a.dialog != nil || a.bar != nil || a.isTooSmall() {
		return
	}
	at := m.Mouse()
	s, ok := a.top().screen.(clickable)
	switch m.(type) {
	case tea.MouseClickMsg:
		if at.Button != tea.MouseLeft {
			return
		}
		if at.Y == tabLine {
			a.clickTab(at.X)
			return
		}
		if y := at.Y - headLines; ok && y >= 0 && y < a.bodyHeight() {
			s.click(at.X, y)
		}
	case tea.MouseWheelMsg:
		switch {
		case !ok:
		case at.Button == tea.MouseWheelDown:
			s.wheel(wheelRows)
		case at.Button == tea.MouseWheelUp:
			s.wheel(-wheelRows)
		}
	}
}

const wheelRows = 3

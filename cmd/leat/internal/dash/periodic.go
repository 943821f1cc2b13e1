package dash

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/periodic"
)

// An entryRow is a periodic entry.
type entryRow struct {
	periodic.Info
	broken error // why it is not known
}

// A entries is the screen of all periodic entries.
type entries struct {
	app    *app
	all    []entryRow
	table  table[entryRow]
	filter filter[periodic.Info]
}

func newEntries(a *app) *entries {
	s := &entries{app: a, filter: filter[periodic.Info]{language: query.Entries}}
	s.filter.changed = s.apply
	s.table = table[entryRow]{
		sorted: -1, key: func(r entryRow) string { return r.Name }, empty: "No periodic entries.",
		open: func(r entryRow) { a.push(newEntryScreen(a, r.Info)) },
		columns: []column[entryRow]{
			{title: "Name", min: 10, most: 40, cut: true, cell: func(r entryRow) cell { return text(r.Name) }, order: func(x, y entryRow) int { return strings.Compare(x.Name, y.Name) }},
			{title: "State", min: 7, cell: s.stateCell},
			{title: "Schedule", min: 12, most: 30, cell: func(r entryRow) cell { return text(schedule(r.Info)) }},
			{title: "Next", min: 11, cell: func(r entryRow) cell { return text(when(a.now(), r.Next)) }, order: func(x, y entryRow) int { return x.Next.Compare(y.Next) }},
			{title: "Last", min: 11, extra: 1, cell: func(r entryRow) cell { return text(when(a.now(), r.Prev)) }, order: func(x, y entryRow) int { return x.Prev.Compare(y.Prev) }},
			{title: "Type", min: 10, most: 30, extra: 2, cell: func(r entryRow) cell { return text(r.Type) }},
			{title: "Source", min: 8, extra: 3, cell: func(r entryRow) cell { return text(string(r.Source)) }},
		},
	}
	return s
}

func schedule(i periodic.Info) string {
	if i.Zone == "" {
		return i.Schedule
	}
	return i.Schedule + " " + i.Zone
}

func (s *entries) stateCell(r entryRow) cell {
	if r.broken != nil {
		return styled(s.app.theme.bad, "✗ broken: "+fault(r.broken))
	}
	word, style := entryState(s.app.theme, r.Info)
	return styled(style, word)
}

// entryState tells how an entry stands.
func entryState(t theme, i periodic.Info) (string, lipgloss.Style) {
	switch {
	case i.Paused != nil:
		return "PAUSED", t.warn
	case i.Late:
		return "LATE", t.bad
	}
	return "run", t.good
}

func (s *entries) title() string        { return "Periodic" }
func (s *entries) narrowing() narrowing { return &s.filter }
func (s *entries) click(x, y int)       { s.table.click(x, y) }
func (s *entries) wheel(by int)         { s.table.wheel(by) }

func (s *entries) bindings() []binding {
	return append(s.table.moves(), s.app.entryActions(func() (periodic.Info, bool) {
		r, ok := s.table.current()
		return r.Info, ok
	})...)
}

func (s *entries) ask() ask {
	return func(ctx context.Context) (func(), error) {
		infos, broken, err := s.app.entries.Survey(ctx)
		if err != nil {
			return nil, err
		}
		return func() { s.take(infos, broken) }, nil
	}
}

func (s *entries) take(infos []periodic.Info, broken map[string]error) {
	s.all = nil
	for _, i := range infos {
		s.all = append(s.all, entryRow{Info: i})
	}
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		r := entryRow{broken: broken[name]}
		r.Name = name
		s.all = append(s.all, r)
	}
	s.apply()
}

func (s *entries) apply() {
	now := s.app.now()
	var rows []entryRow
	for _, r := range s.all {
		if s.filter.query.Match(now, r.Info) {
			rows = append(rows, r)
		}
	}
	s.table.set(rows)
}

func (s *entries) draw(w, h int) []string { return s.table.draw(s.app.theme, 0, w, h) }

// entryActions returns what can be done to the entry that which returns.
func (a *app) entryActions(which func() (periodic.Info, bool)) []binding {
	act := func(f func(periodic.Info)) func() {
		return func() {
			if i, ok := which(); ok {
				f(i)
			}
		}
	}
	return []binding{
		on("R", "run the entry now", "run now", act(a.runEntry)),
		on("P", "pause the entry, or resume it", "pause", act(a.pauseEntry)),
		on("D", "remove the entry", "remove", act(a.removeEntry)),
	}
}

func (a *app) runEntry(i periodic.Info) {
	a.confirm("Run "+i.Name+" now", []string{"A task of type " + i.Type + " is enqueued soon, as if the entry " + i.Name + " ticked now."}, "", func() {
		a.do("run "+i.Name, 1, func(ctx context.Context, _ *deed) (string, error) {
			_, id, err := a.entries.RunNow(ctx, i.Name, a.By)
			if err != nil {
				return "", err
			}
			return "a task of " + i.Name + " is enqueued soon: " + id, nil
		})
	})
}

func (a *app) pauseEntry(i periodic.Info) {
	title, line, result := "Pause "+i.Name, "The entry "+i.Name+" does not tick until it is resumed.", "entry "+i.Name+" is paused"
	call := func(ctx context.Context) error { return a.entries.Pause(ctx, i.Name, a.By, "") }
	if i.Paused != nil {
		title, line, result = "Resume "+i.Name, "The entry "+i.Name+" ticks again from now on; what it missed is not made up for.", "entry "+i.Name+" is resumed"
		call = func(ctx context.Context) error { return a.entries.Resume(ctx, i.Name, a.By) }
	}
	a.confirm(title, []string{line}, "", func() {
		a.do(title, 1, func(ctx context.Context, _ *deed) (string, error) {
			if err := call(ctx); err != nil {
				return "", err
			}
			return result, nil
		})
	})
}

func (a *app) removeEntry(i periodic.Info) {
	a.confirm("Remove "+i.Name, []string{"The entry " + i.Name + " and its history are removed. Tasks of it that are enqueued stay."}, "", func() {
		a.do("remove "+i.Name, 1, func(ctx context.Context, _ *deed) (string, error) {
			if err := a.entries.Remove(ctx, i.Name, a.By); err != nil {
				return "", err
			}
			return "entry " + i.Name + " is removed", nil
		})
	})
}

// An entryScreen is everything that is known of one entry.
type entryScreen struct {
	app   *app
	info  periodic.Info
	ticks []time.Time // the next ones
	scroll
}

func newEntryScreen(a *app, i periodic.Info) *entryScreen { return &entryScreen{app: a, info: i} }

// mostTicks is how many of the next ticks are shown.
const mostTicks = 5

func (s *entryScreen) title() string { return s.info.Name }

func (s *entryScreen) ask() ask {
	name := s.info.Name
	return func(ctx context.Context) (func(), error) {
		i, err := s.app.entries.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		ticks, err := i.Upcoming(s.app.now(), mostTicks)
		return func() { s.info, s.ticks = i, ticks }, err
	}
}

func (s *entryScreen) bindings() []binding {
	return append(s.moves(), s.app.entryActions(func() (periodic.Info, bool) { return s.info, true })...)
}

func (s *entryScreen) draw(w, h int) []string {
	i, t, now := s.info, s.app.theme, s.app.now()
	var lines []string
	add := func(name, value string) { lines = append(lines, field(t, name, plain.Name(value), w)...) }
	word, style := entryState(t, i)
	lines = append(lines, "  "+t.dim.Render(pad("State", nameWidth))+" "+style.Bold(true).Render(word))
	if i.Paused != nil {
		add("Paused", moment(now, i.Paused.At)+" by "+i.Paused.By+" "+i.Paused.Why)
	}
	add("Schedule", schedule(i))
	add("Type", i.Type)
	lines = append(lines, s.next()...)
	add("Last tick", moment(now, i.Prev))
	add("Source", string(i.Source))
	add("Missed ticks", i.Missed.String())
	add("Overlap", i.Overlap.String())
	add("Run by", strings.Join(i.RunBy, " "))
	if i.Asked > 0 {
		add("Asked for", quantity.Many(i.Asked, "run")+" that wait to be enqueued")
	}
	for _, ref := range i.Open {
		add("Open task", ref.Queue+" "+ref.ID)
	}
	lines = append(lines, s.history()...)
	return s.window(lines, h)
}

// next draws the next ticks, or those that there would be if the entry were not paused.
func (s *entryScreen) next() (lines []string) {
	name := "Next ticks"
	if s.info.Paused != nil {
		name = "If resumed"
	}
	for _, at := range s.ticks {
		lines = append(lines, field(s.app.theme, name, moment(s.app.now(), at), s.app.width)...)
		name = ""
	}
	return lines
}

// history draws what was decided of the ticks lately, the last one first.
func (s *entryScreen) history() []string {
	lines := []string{"", s.app.theme.heading.Render("  Lately, the last one first")}
	for _, e := range slices.Backward(s.info.History) {
		line := "  " + e.At.Local().Format(time.DateTime) + "  " + pad(plain.Name(string(e.What)), 10) + " "
		if !e.Tick.IsZero() {
			line += s.app.theme.dim.Render("tick ") + e.Tick.Local().Format(time.DateTime) + " "
		}
		line += plain.Name(strings.TrimSpace(e.ID + " " + e.Why + " " + e.By))
		lines = append(lines, line)
	}
	if len(s.info.History) == 0 {
		lines = append(lines, s.app.theme.dim.Render("  nothing"))
	}
	return lines
}

package dash

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue/broker"
)

// A servers is the screen of the servers that are alive.
type servers struct {
	app    *app
	all    []broker.Server
	table  table[broker.Server]
	filter filter[broker.Server]
}

func newServers(a *app) *servers {
	s := &servers{app: a, filter: filter[broker.Server]{language: query.Servers}}
	s.filter.changed = s.apply
	s.table = table[broker.Server]{
		sorted: 0, key: func(v broker.Server) string { return v.ID }, empty: "No servers.",
		open: func(v broker.Server) { a.push(newServerScreen(a, v)) },
		columns: []column[broker.Server]{
			{title: "Host:PID", min: 16, most: 40, cell: func(v broker.Server) cell { return text(address(v)) }, order: func(x, y broker.Server) int {
				return cmp.Or(strings.Compare(x.Host, y.Host), cmp.Compare(x.PID, y.PID))
			}},
			{title: "State", min: 8, cell: s.stateCell},
			{title: "Running", right: true, min: 9, cell: func(v broker.Server) cell { return text(fmt.Sprintf("%d/%d", len(v.Workers), v.Concurrency)) }, order: func(x, y broker.Server) int { return cmp.Compare(len(x.Workers), len(y.Workers)) }},
			{title: "Load", min: 12, extra: 1, cell: func(v broker.Server) cell {
				return styled(a.theme.good, meter(float64(len(v.Workers))/float64(max(v.Concurrency, 1)), 12))
			}},
			{title: "Started", min: 12, cell: func(v broker.Server) cell { return text(when(a.now(), v.Started)) }, order: func(x, y broker.Server) int { return x.Started.Compare(y.Started) }},
			{title: "Queues", min: 12, grows: true, cell: func(v broker.Server) cell { return text(priorities(v)) }},
		},
	}
	return s
}

// address is what a server is known by.
func address(v broker.Server) string { return v.Host + ":" + strconv.Itoa(v.PID) }

// priorities writes the queues of a server, those of the highest priority first.
func priorities(v broker.Server) string {
	names := slices.SortedFunc(maps.Keys(v.Queues), func(a, b string) int {
		return cmp.Or(cmp.Compare(v.Queues[b], v.Queues[a]), strings.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s:%d", name, v.Queues[name])
	}
	text := strings.Join(names, " ")
	if v.Strict {
		text = "strict " + text
	}
	return text
}

// meter draws how much of w cells is full.
func meter(part float64, w int) string {
	n := min(max(int(part*float64(w)+0.5), 0), w)
	return strings.Repeat("█", n) + strings.Repeat("░", w-n)
}

func (s *servers) stateCell(v broker.Server) cell {
	if v.Status == "active" {
		return styled(s.app.theme.good, v.Status)
	}
	return styled(s.app.theme.warn, v.Status)
}

func (s *servers) title() string        { return "Servers" }
func (s *servers) narrowing() narrowing { return &s.filter }
func (s *servers) bindings() []binding  { return s.table.moves() }
func (s *servers) click(x, y int)       { s.table.click(x, y) }
func (s *servers) wheel(by int)         { s.table.wheel(by) }

func (s *servers) ask() ask {
	return func(ctx context.Context) (func(), error) {
		all, err := s.app.inspector.Servers(ctx)
		return func() { s.all = all; s.apply() }, err
	}
}

func (s *servers) apply() {
	now := s.app.now()
	var rows []broker.Server
	for _, v := range s.all {
		if s.filter.query.Match(now, v) {
			rows = append(rows, v)
		}
	}
	s.table.set(rows)
}

func (s *servers) draw(w, h int) []string { return s.table.draw(s.app.theme, 0, w, h) }

// A serverScreen is what one server is running.
type serverScreen struct {
	app    *app
	server broker.Server
	gone   bool
	table  table[broker.Worker]
}

func newServerScreen(a *app, server broker.Server) *serverScreen {
	s := &serverScreen{app: a, server: server}
	s.table = table[broker.Worker]{
		sorted: 3, descending: false, key: func(w broker.Worker) string { return w.Entry.Queue + "\x00" + w.Entry.ID }, empty: "It is idle.",
		open: func(w broker.Worker) { a.push(newTaskScreen(a, w.Entry.Queue, w.Entry.ID)) },
		columns: []column[broker.Worker]{
			{title: "Task", min: 13, most: 36, cut: true, ids: true, cell: func(w broker.Worker) cell { return text(w.Entry.ID) }},
			{title: "Type", min: 12, most: 30, cut: true, cell: func(w broker.Worker) cell { return text(w.Type) }, order: func(x, y broker.Worker) int { return strings.Compare(x.Type, y.Type) }},
			{title: "Queue", min: 8, most: 20, extra: 1, cell: func(w broker.Worker) cell { return text(w.Entry.Queue) }, order: func(x, y broker.Worker) int { return strings.Compare(x.Entry.Queue, y.Entry.Queue) }},
			{title: "Runs for", right: true, min: 9, cell: func(w broker.Worker) cell { return text(age(a.now().Sub(w.Started))) }, order: func(x, y broker.Worker) int { return x.Started.Compare(y.Started) }},
			{title: "To the deadline", min: 18, cell: s.deadlineCell},
			{title: "Payload", min: 8, grows: true, extra: 2, cell: func(w broker.Worker) cell { return text(plain.Line(w.Payload)) }},
		},
	}
	s.table.set(server.Workers)
	return s
}

// deadlineCell draws how much of the time that a task has is over.
func (s *serverScreen) deadlineCell(w broker.Worker) cell {
	if w.Deadline.IsZero() || !w.Deadline.After(w.Started) {
		return text("-")
	}
	part := float64(s.app.now().Sub(w.Started)) / float64(w.Deadline.Sub(w.Started))
	c := text(meter(part, 10) + " " + age(w.Deadline.Sub(s.app.now())))
	if part >= 0.9 {
		c.style = s.app.theme.warn
	}
	return c
}

func (s *serverScreen) title() string       { return address(s.server) }
func (s *serverScreen) bindings() []binding { return s.table.moves() }
func (s *serverScreen) click(x, y int)      { s.table.click(x, y) }
func (s *serverScreen) wheel(by int)        { s.table.wheel(by) }

func (s *serverScreen) ask() ask {
	return func(ctx context.Context) (func(), error) {
		all, err := s.app.inspector.Servers(ctx)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(v broker.Server) bool { return v.ID == s.server.ID })
		return func() {
			if s.gone = i < 0; !s.gone {
				s.server = all[i]
				s.table.set(s.server.Workers)
			}
		}, nil
	}
}

func (s *serverScreen) draw(w, h int) []string {
	t := s.app.theme
	state := t.good.Render(plain.Name(s.server.Status))
	switch {
	case s.gone:
		state = t.bad.Render("gone: this is how it was")
	case s.server.Status != "active":
		state = t.warn.Render(plain.Name(s.server.Status))
	}
	lines := []string{
		"  " + state + "  " + t.dim.Render("running ") + fmt.Sprintf("%d of %d", len(s.server.Workers), s.server.Concurrency) +
			"  " + t.dim.Render("started ") + moment(s.app.now(), s.server.Started),
		"  " + t.dim.Render("queues ") + plain.Name(priorities(s.server)),
		"",
	}
	return append(lines, s.table.draw(t, len(lines), w, h-len(lines))...)
}

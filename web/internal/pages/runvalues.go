package pages

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/workflow"
)

// A value is what went in somewhere, or came out.
type value struct {
	Bytes []byte // what is shown of it
	Size  int
	Cut   bool // there is more
}

// mostShown is how many bytes of a value a page shows.
const mostShown = 64 << 10

// value returns what who asks is shown of a value.
func (p *Pages) value(r *request, b []byte) *value {
	b = p.Rules.Payload(r.Who.Role, b)
	return &value{Bytes: b[:min(len(b), mostShown)], Size: len(b), Cut: len(b) > mostShown}
}

// A valuesShown is what went into a run, and what has come of it.
type valuesShown struct {
	Input     *value
	NoInput   string
	Outcome   *value
	NoOutcome string
}

// values reads what went into a run, and what has come of it.
func (p *Pages) values(ctx context.Context, r *request, s *runShown) *valuesShown {
	shown := &valuesShown{}
	if b, err := s.handle.Input(ctx); err != nil {
		shown.NoInput = "it cannot be read here: " + problem.Why(err)
	} else {
		shown.Input = p.value(r, b)
	}
	switch b, err := s.handle.Outcome(ctx); {
	case err == nil:
		shown.Outcome = p.value(r, b)
	case errors.Is(err, workflow.ErrNoOutput):
		shown.NoOutcome = "none as yet"
	default:
		shown.NoOutcome = problem.Why(err)
	}
	return shown
}

// A pastShown is what has happened in a run.
type pastShown struct {
	Filter    string
	All       int
	Happening []view.Happening
	Left      int    // how many that have the text are not shown, because they are too many
	JSON      string // the address of all of it as a file
}

const mostHappening = 1000 // in the table

// past returns what has happened in a run and has a text in it, the latest first.
func (p *Pages) past(s *runShown, filter string) (*pastShown, error) {
	all := view.HistoryOf(s.tree.History())
	shown := &pastShown{Filter: filter, All: len(all)}
	for i := len(all) - 1; i >= 0; i-- {
		h := all[i]
		if text := strings.ToLower(h.What + " " + h.Step + " " + h.Why); strings.Contains(text, strings.ToLower(filter)) {
			shown.Happening = append(shown.Happening, h)
		}
	}
	shown.Happening, shown.Left = firstOf(shown.Happening, mostHappening)
	var err error
	shown.JSON, err = p.url("/run/history.json", "queue", s.Run.Queue, "id", s.Run.ID)
	return shown, err
}

func historyFile(_ context.Context, _ *Pages, s *runShown) (kind, name string, content []byte, err error) {
	content, err = json.MarshalIndent(view.HistoryOf(s.tree.History()), "", "  ")
	return "application/json", "history.json", content, err
}

func graphFile(_ context.Context, p *Pages, s *runShown) (kind, name string, content []byte, err error) {
	o := p.drawOptions(s)
	o.Standalone, o.Link, o.Toggle = true, nil, nil
	drawn, err := p.drawer.Graph(s.Run, s.now, o)
	return "image/svg+xml", "graph.svg", []byte(drawn), err
}

func ganttFile(ctx context.Context, p *Pages, s *runShown) (kind, name string, content []byte, err error) {
	if s.Compare, err = p.compare(ctx, s); err != nil {
		return "", "", nil, err
	}
	o := p.drawOptions(s)
	o.Standalone, o.Link, o.Toggle = true, nil, nil
	return "image/svg+xml", "gantt.svg", []byte(p.drawer.Gantt(s.Run, s.now, o)), nil
}

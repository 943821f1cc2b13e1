package pages

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/rundraw"
	"github.com/leatwork/leat/web/internal/svg"
	"github.com/leatwork/leat/web/internal/trail"
	"github.com/leatwork/leat/workflow"
)

// runPage is a run: its steps and when they ran, one of them in detail, what went in and
// came out, and what happened.
var runPage = page{path: "/run", name: "run", title: "Run", tab: "/runs", modules: "run", load: loadRun}

// runFiles are what is to be had of a run as a file, by path.
var runFiles = map[string]func(context.Context, *Pages, *runShown) (kind, name string, content []byte, err error){
	"/run/graph.svg":    graphFile,
	"/run/gantt.svg":    ganttFile,
	"/run/history.json": historyFile,
}

// A runShown is what is shown of a run.
type runShown struct {
	Run      view.Run
	Here     string // the address of this page, as it is
	Face     string // which of its faces is shown
	Faces    []runLink
	Bar      template.HTML
	Legend   []outline.Key
	Progress runProgress
	Signals  []string // that it waits for
	Links    []trail.Place
	Deeds    []runDeed

	Graph    template.HTML
	Trouble  string // why there is none
	Gantt    template.HTML
	Turn     runLink // has the graph go the other way
	Graphics [2]runLink
	Stretch  stretch // of time, that the gantt is of
	Unzoomed string  // the address of all of it
	Find     string  // what is in the names of the steps that are marked
	Found    int     // how many they are

	Step    *stepShown
	Preview *previewShown
	Compare *comparedShown
	Past    *pastShown
	Values  *valuesShown

	tree   workflow.Tree
	handle workflow.Handle
	now    time.Time
	pages  *Pages
	seen   url.Values // what the address says of it
	opened []string
	down   bool
	step   string
	with   string // id of the run that it is compared with

	compares bool // whether it is compared with one, be it none that is named
}

// Title is the id of the run.
func (s *runShown) Title() string { return "Run " + s.Run.ID }

// A runLink is a link to what can be seen instead.
type runLink struct {
	Name, URL string
	Current   bool
}

// The faces of a run.
const (
	stepsFace   = "steps"
	historyFace = "history"
	valuesFace  = "values"
)

func loadRun(ctx context.Context, p *Pages, r *request) (any, error) {
	s, err := p.readRun(ctx, r)
	if err != nil {
		return nil, err
	}
	switch s.Face {
	case historyFace:
		s.Past, err = p.past(s, r.get("filter"))
	case valuesFace:
		s.Values = p.values(ctx, r, s)
	default:
		err = p.drawRun(ctx, r, s)
	}
	return s, err
}

// mostOpened is how many steps of runs within runs are read, if any are to be seen.
const mostOpened = 1000

// readRun reads how the run stands that r is about.
func (p *Pages) readRun(ctx context.Context, r *request) (*runShown, error) {
	s := &runShown{pages: p, Face: stepsFace, Legend: outline.States(), now: p.Storage.Now(), down: r.get("down") != "", step: r.get("step"), with: r.get("with"), Find: r.get("find"), compares: r.Query.Has("with")}
	var err error
	if s.Stretch, err = readStretch(r.get("from"), r.get("to")); err != nil {
		return nil, err
	}
	for _, face := range []string{historyFace, valuesFace} {
		if r.get("face") == face {
			s.Face = face
		}
	}
	for name := range strings.SplitSeq(r.get("open"), ",") {
		if name != "" && !slices.Contains(s.opened, name) {
			s.opened = append(s.opened, name)
		}
	}
	most := 0
	if len(s.opened) > 0 {
		most = mostOpened
	}
	s.handle = workflow.OpenRun(p.Storage.Client, r.get("queue"), r.get("id"))
	if s.tree, err = s.handle.Tree(ctx, most); err != nil {
		return nil, err
	}
	servers, err := p.Storage.Servers(ctx)
	if err != nil {
		return nil, err
	}
	s.opened = slices.DeleteFunc(s.opened, func(name string) bool { return !hasStep(&s.tree, name) })
	s.Run = view.RunOf(s.tree, s.now, servers...)
	s.Progress = progressOf(s.Run.Steps)
	s.Bar = s.Progress.bar()
	s.Signals = waitedFor(s.Run)
	s.Links = p.runLinks(r, s)
	if s.compares && s.with == "" {
		if s.with, err = p.lastDone(ctx, s); err != nil {
			return nil, err
		}
	}
	s.seen = seenOf(r, s)
	p.leads(r, s)
	return s, nil
}

// hasStep reports whether a run, or one within it that was read, has a step of that name.
func hasStep(t *workflow.Tree, name string) bool {
	return slices.ContainsFunc(t.Steps, func(s workflow.StepStatus) bool { return s.Name == name }) ||
		slices.ContainsFunc(t.Children, func(child *workflow.Tree) bool { return hasStep(child, name) })
}

// runLinks returns where links lead for a run.
func (p *Pages) runLinks(r *request, s *runShown) (places []trail.Place) {
	run := trail.Run{
		ID: s.Run.ID, Queue: s.Run.Queue, Workflow: s.Run.Workflow, Attributes: s.Run.Attributes,
		Headers: p.Rules.Headers(r.Who.Role, s.tree.Headers),
	}
	for _, l := range p.Links {
		if place, ok := l.ForRun(run, mask.Hidden); ok {
			places = append(places, place)
		}
	}
	return places
}

// leads finds the addresses that lead on from a run.
func (p *Pages) leads(r *request, s *runShown) {
	s.Here = s.at("/run")
	for _, f := range []struct{ face, name string }{{"", "Steps"}, {historyFace, "History"}, {valuesFace, "Input and outcome"}} {
		s.Faces = append(s.Faces, runLink{f.name, s.look("face", f.face), s.Face == f.face || f.face == "" && s.Face == stepsFace})
	}
	s.Turn = runLink{Name: "top to bottom", URL: s.at("/run", "down", "1")}
	if s.down {
		s.Turn = runLink{Name: "left to right", URL: s.at("/run", "down", "")}
	}
	s.Graphics = [2]runLink{{Name: "graph.svg", URL: s.at("/run/graph.svg")}, {Name: "gantt.svg", URL: s.at("/run/gantt.svg")}}
	s.Unzoomed = s.at("/run", "from", "", "to", "")
	s.Deeds = p.runDeeds(r, s)
}

// drawRun draws a run, and looks at the step of it that is chosen.
func (p *Pages) drawRun(ctx context.Context, r *request, s *runShown) error {
	var err error
	if s.Compare, err = p.compare(ctx, s); err != nil {
		return err
	}
	o := p.drawOptions(s)
	if s.Graph, err = p.drawer.Graph(s.Run, s.now, o); err != nil {
		s.Trouble = plain.Name(err.Error())
	}
	s.Gantt = p.drawer.Gantt(s.Run, s.now, o)
	s.Found = p.drawer.Found(s.Run, o)
	if what := r.get("preview"); what != "" {
		if s.Preview, err = p.preview(ctx, s, what); err != nil {
			return err
		}
	}
	if s.step != "" {
		s.Step, err = p.stepOf(ctx, r, s)
	}
	return err
}

// ganttWidth is how wide a gantt is drawn, which is then made as wide as there is room.
const ganttWidth = 760

// drawOptions returns how the run is drawn.
func (p *Pages) drawOptions(s *runShown) rundraw.Options {
	var other *view.Run
	if s.Compare != nil {
		other = s.Compare.Run
	}
	own := s.Choose("")
	return rundraw.Options{
		Width: ganttWidth, Other: other, Selected: s.step, Find: s.Find, Opened: s.opened, Down: s.down, Pauses: pausesOf(s.tree.Events, s.Run.EndedAt, s.now),
		From: s.Stretch.From, To: s.Stretch.To,
		Link: func(run view.Run, step string) string {
			if run.ID == s.Run.ID {
				return own + "&step=" + url.QueryEscape(step)
			}
			address, _ := p.url("/run", "queue", run.Queue, "id", run.ID, "step", step) // of as many names as values
			return address
		},
		Toggle: func(step string) string {
			next := slices.DeleteFunc(slices.Clone(s.opened), func(name string) bool { return name == step })
			if len(next) == len(s.opened) {
				next = append(next, step)
			}
			return s.look("open", strings.Join(next, ","))
		},
	}
}

// pausesOf returns when a run was paused.
func pausesOf(events []workflow.Event, ended, now time.Time) (pauses []outline.Span) {
	var since time.Time
	for _, e := range events {
		switch paused := e.What == string(workflow.Paused); {
		case paused && since.IsZero():
			since = e.At
		case !paused && e.What != "skipped" && !since.IsZero():
			pauses, since = append(pauses, outline.Span{From: since, To: e.At}), time.Time{}
		}
	}
	if !since.IsZero() {
		until := now
		if !ended.IsZero() {
			until = ended
		}
		pauses = append(pauses, outline.Span{From: since, To: until})
	}
	return pauses
}

// A runProgress is how far a run has come, in steps.
type runProgress struct{ All, Ended, Failed, Running int }

// progressOf counts steps, and those that they have added.
func progressOf(steps []view.Step) runProgress {
	p := runProgress{All: len(steps)}
	for _, s := range steps {
		if len(s.Added) > 0 {
			more := progressOf(s.Added)
			p = runProgress{p.All + more.All, p.Ended + more.Ended, p.Failed + more.Failed, p.Running + more.Running}
		}
		switch s.State {
		case "waiting":
			continue
		case "running":
			p.Running++
			continue
		case "failed":
			p.Failed++
		}
		p.Ended++
	}
	return p
}

// bar draws it.
func (p runProgress) bar() template.HTML {
	label := fmt.Sprintf("%d of %d steps have ended, %d of them have failed, and %d are running", p.Ended, p.All, p.Failed, p.Running)
	return svg.Progress(label, float64(p.All),
		svg.Part{Name: "ended", Class: "state-done", Value: float64(p.Ended - p.Failed)},
		svg.Part{Name: "failed", Class: "state-failed", Value: float64(p.Failed)},
		svg.Part{Name: "running", Class: "state-running", Value: float64(p.Running)})
}

// waitedFor returns the signals that steps of a run wait for, each once.
func waitedFor(r view.Run) (signals []string) {
	for _, s := range r.Steps {
		if s.State == "running" && s.Signal != "" && !slices.Contains(signals, s.Signal) {
			signals = append(signals, s.Signal)
		}
	}
	return signals
}

// An runDeed is a deed that is offered.
type runDeed struct {
	Label, Help, URL string
	Final            bool
	Form             bool // URL is that of the deed's form
}

// runDeeds returns what can be done to a run as it stands.
func (p *Pages) runDeeds(r *request, s *runShown) (offers []runDeed) {
	for _, d := range deed.All(r.Who.Role) {
		if d.Kind != deed.Run || d.New || p.ReadOnly || !d.SuitsState(s.Run.State) {
			continue
		}
		o := runDeed{Label: d.Label, Help: d.Help, Final: d.Final}
		switch d.Name {
		case "retry":
			o.URL = s.look("preview", "failed")
		case "retry-all":
			o.URL = s.look("preview", "all")
		case "retry-from", "skip", "signal":
			continue // they are offered where their step or signal is
		default:
			o.Form = true
			o.URL, _ = p.url("/deed/run/"+d.Name, "queue", s.Run.Queue, "id", s.Run.ID) // of as many names as values
			o.URL += "&back=" + url.QueryEscape(s.Here)
			if d.Final {
				o.URL, _, _ = strings.Cut(o.URL, "&back=") // the run will be gone
				o.URL += "&back=" + url.QueryEscape(p.Root+"/runs")
			}
		}
		offers = append(offers, o)
	}
	return offers
}

// mayDo reports whether who asks may do a deed to a run as it stands.
func (p *Pages) mayDo(r *request, s *runShown, name string) bool {
	d, err := deed.Find(deed.Run, name)
	return err == nil && !p.ReadOnly && r.Who.Role.Allows(d.Role) && d.SuitsState(s.Run.State)
}

var errNoStep = problem.New(http.StatusNotFound, "", "the run has no such step")

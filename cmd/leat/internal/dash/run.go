package dash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/workflow"
)

// A run is the screen of one run: its steps, drawn in one way or another, and what is known
// of the one that is chosen.
type run struct {
	app    *app
	handle workflow.Handle
	status workflow.Tree
	steps  []workflow.StepStatus // of status, each with those that it has added behind it
	shown  view.Run
	isRead bool

	face    face
	graph   pane
	gantt   pane
	reading int    // how often the run was read
	chosen  string // name of the step
	follows bool   // the choice goes along with what runs
	output  given  // of the chosen step
	list    table[view.Step]
	past    []workflow.Happening
	values  values
	text    scroll // of the history and of the values
}

// Given is what a step has given.
type given struct {
	step string
	body []byte
	err  error
}

// Values are what a run was started with, and what it has come to.
type values struct {
	input, outcome []byte
	err            error // why there is no outcome
}

// A face is what the screen shows of the run.
type face int

const (
	faceBoth face = iota // the graph above the gantt, if there is room
	faceGraph
	faceGantt
	faceSteps
	faceHistory
	faceValues
)

var faceNames = []string{"graph and gantt", "graph", "gantt", "steps", "history", "input and outcome"}

func newRun(a *app, h workflow.Handle) *run {
	s := &run{app: a, handle: h}
	s.list = table[view.Step]{
		sorted: -1, columns: s.columns(), empty: "No steps.",
		key:  func(v view.Step) string { return v.Name },
		open: func(view.Step) { s.enter() },
	}
	return s
}

func (s *run) title() string { return "Run " + s.handle.ID }

// summary is what is known of the run, for what is done to it.
func (s *run) summary() workflow.Summary {
	return workflow.Summary{Handle: s.handle, Workflow: s.status.Workflow, State: s.status.State, Started: s.status.Started, Ended: s.status.Ended}
}

// current returns the step that is chosen.
func (s *run) current() (workflow.StepStatus, bool) {
	i := slices.IndexFunc(s.steps, func(v workflow.StepStatus) bool { return v.Name == s.chosen })
	if i < 0 {
		return workflow.StepStatus{}, false
	}
	return s.steps[i], true
}

func (s *run) ask() ask {
	h, face, chosen, now := s.handle, s.face, s.chosen, s.app.now()
	b := s.app.Broker
	return func(ctx context.Context) (func(), error) {
		tree, err := h.Tree(ctx, 1)
		if err != nil {
			return nil, err
		}
		servers, err := b.Servers(ctx, now)
		if err != nil {
			return nil, err
		}
		out := given{step: chosen}
		if chosen != "" {
			out.body, out.err = h.Output(ctx, chosen)
		}
		var past []workflow.Happening
		var v values
		switch face {
		case faceHistory:
			past, err = h.History(ctx)
		case faceValues:
			v, err = readValues(ctx, h)
		}
		return func() {
			s.past, s.values, s.output = past, v, out
			s.take(tree, view.RunOf(tree, now, servers...))
		}, err
	}
}

func readValues(ctx context.Context, h workflow.Handle) (v values, err error) {
	if v.input, err = h.Input(ctx); err != nil {
		return v, err
	}
	v.outcome, v.err = h.Outcome(ctx)
	return v, nil
}

// take shows how the run stands.
func (s *run) take(tree workflow.Tree, shown view.Run) {
	s.status, s.shown = tree, shown
	s.reading++
	first := !s.isRead
	s.isRead = true
	s.steps = nil
	for _, v := range tree.Steps {
		s.steps = append(append(s.steps, v), v.Added...)
	}
	var listed []view.Step
	for _, v := range shown.Steps {
		listed = append(append(listed, v), v.Added...)
	}
	s.list.set(listed)
	if first || s.follows {
		s.choose(s.running())
	}
}

// running returns the step that is worth to be looked at first: one that has failed, or
// runs, or the first.
func (s *run) running() string {
	for _, state := range []workflow.StepState{workflow.StepFailed, workflow.StepRunning} {
		for _, v := range s.steps {
			if v.State == state {
				return v.Name
			}
		}
	}
	if s.chosen != "" || len(s.status.Steps) == 0 {
		return s.chosen
	}
	return s.status.Steps[0].Name
}

// choose chooses a step, and asks for its output.
func (s *run) choose(name string) {
	if name == "" || name == s.chosen {
		return
	}
	s.chosen = name
	s.graph.isSought, s.gantt.isSought = true, true
	if i := slices.IndexFunc(s.list.rows, func(v view.Step) bool { return v.Name == name }); i >= 0 {
		s.list.cursor = i
	}
	if s.app.top().screen == screen(s) {
		s.app.refetch()
	}
}

// step chooses the step that is so many further on in the order of the workflow.
func (s *run) step(by int) {
	n := len(s.steps)
	if n == 0 {
		return
	}
	i := slices.IndexFunc(s.steps, func(v workflow.StepStatus) bool { return v.Name == s.chosen })
	s.follows = false
	s.choose(s.steps[(max(i, 0)+by+n)%n].Name)
}

// show shows another face of the run.
func (s *run) show(f face) {
	s.face, s.text = f, scroll{}
	s.app.refetch()
}

// enter opens what the chosen step is: a run, several, or a task.
func (s *run) enter() {
	step, ok := s.current()
	switch {
	case !ok:
	case step.Child != "":
		s.app.push(newRun(s.app, workflow.OpenRun(queue.NewClient(s.app.Broker), step.Queue, step.Child)))
	case step.Kind == "map":
		s.app.push(newItems(s.app, s.handle, step.Name))
	default:
		s.openTask()
	}
}

func (s *run) openTask() {
	if step, ok := s.current(); ok && step.TaskID != "" {
		s.app.push(newTaskScreen(s.app, step.Queue, step.TaskID))
		return
	}
	s.app.warn("the step has no task that is kept")
}

func (s *run) bindings() []binding {
	var b []binding
	switch s.face {
	case faceSteps:
		b = []binding{
			on("up k", "the step above", "", func() { s.step(-1) }),
			on("down j", "the step below", "", func() { s.step(1) }),
		}
	case faceHistory, faceValues:
		b = s.text.moves()
	default:
		b = s.drawingMoves()
	}
	b = append(b,
		on("enter", "open the run, the items, or the task that the chosen step is", "open", s.enter),
		on("g", "graph, gantt, both if there is room, or a list of steps", "graph", func() { s.show(s.nextFace()) }),
		on("H", "the history, or the steps again", "history", func() { s.turn(faceHistory) }),
		on("i", "input and outcome, or the steps again", "input", func() { s.turn(faceValues) }),
		on("n", "the next step", "", func() { s.step(1) }),
		on("N", "the step before", "", func() { s.step(-1) }),
		on("f", "follow the step that runs, or do not", "follow", func() { s.follows = !s.follows; s.app.refetch() }),
		on("t", "the task of the chosen step", "task", s.openTask))
	return append(b, s.actions()...)
}

// turn shows a face, or the steps again.
func (s *run) turn(f face) {
	if s.face == f {
		f = faceBoth
	}
	s.show(f)
}

// actions returns what is done to the run.
func (s *run) actions() (b []binding) {
	for _, a := range s.app.runActions(func() []workflow.Summary { return []workflow.Summary{s.summary()} }) {
		if !slices.Contains(a.keys, "R") {
			b = append(b, a)
		}
	}
	return append(b,
		on("R", "run again what has failed, or from the chosen step on", "retry", s.retry),
		on("K", "skip the chosen step: the run goes on with the output that you give", "skip", s.skip),
		on("s", "send the signal that the run waits for", "signal", s.signal))
}

func (s *run) columns() []column[view.Step] {
	t := func() theme { return s.app.theme }
	state := func(v view.Step) workflow.StepState { return s.stateOf(v.Name) }
	return []column[view.Step]{
		{title: "State", min: 10, cell: func(v view.Step) cell { return styled(t().stepStyle(state(v)), stepSigns[state(v)]+" "+v.State) }},
		{title: "Step", min: 12, grows: true, cell: func(v view.Step) cell { return text(v.Name) }},
		{title: "Kind", min: 5, extra: 2, cell: func(v view.Step) cell { return text(kindOf(v)) }},
		{title: "Parts", min: 5, right: true, cell: func(v view.Step) cell { return text(parts(v)) }},
		{title: "Tries", min: 5, right: true, extra: 1, cell: func(v view.Step) cell { return text(number(v.Tries)) }},
		{title: "Waited", min: 6, right: true, extra: 3, cell: func(v view.Step) cell { return text(waited(v)) }},
		{title: "Took", min: 6, right: true, cell: func(v view.Step) cell { return text(tookOf(v, s.app.now())) }},
		{title: "After", min: 8, extra: 4, grows: true, cell: func(v view.Step) cell { return styled(t().dim, strings.Join(v.After, ", ")) }},
	}
}

func (s *run) stateOf(name string) workflow.StepState {
	for _, v := range s.steps {
		if v.Name == name {
			return v.State
		}
	}
	return workflow.StepWaiting
}

func (s *run) draw(w, h int) []string {
	if !s.isRead {
		return []string{"", "  " + s.app.theme.dim.Render("…")}
	}
	lines := append(s.head(w), "")
	room := h - len(lines)
	switch s.face {
	case faceHistory:
		return append(lines, s.text.window(s.historyLines(w), room)...)
	case faceValues:
		return append(lines, s.text.window(s.valueLines(w), room)...)
	}
	if w >= wide {
		left := w - sideWidth - 1
		return append(lines, beside(s.drawing(len(lines), left, room), s.details(sideWidth, room), left, s.app.theme)...)
	}
	below := min(max(room/3, 6), 12)
	lines = append(lines, s.drawing(len(lines), w, room-below)...)
	for len(lines) < h-below {
		lines = append(lines, "")
	}
	return append(lines, s.details(w, below)...)
}

const (
	wide      = 130 // from where on the details are beside the picture
	tall      = 30  // and both pictures are shown
	sideWidth = 56
)

// beside draws two columns, the left one w cells wide.
func beside(left, right []string, w int, t theme) (lines []string) {
	for i := range max(len(left), len(right)) {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines = append(lines, pad(l, w)+t.dim.Render("│")+r)
	}
	return lines
}

// head draws how the run stands.
func (s *run) head(w int) []string {
	t, r := s.app.theme, s.status
	state := runCell(t, r.State, waitsFor(r.Steps))
	bar := progressCell(t, r.Steps)
	parts := []string{
		state.style.Bold(true).Render(state.text), bar.style.Render(bar.text),
		t.dim.Render("took ") + age(tookUntil(r.Started, r.Ended, s.app.now())),
		t.dim.Render("workflow ") + plain.Name(r.Workflow),
		t.dim.Render("started ") + when(s.app.now(), r.Started),
	}
	if r.Retries > 0 {
		parts = append(parts, t.dim.Render("begun again ")+quantity.Many(r.Retries, "time"))
	}
	if s.follows {
		parts = slices.Insert(parts, 1, t.warn.Render("follows"))
	}
	lines := []string{ends(fitting(parts, w-len(s.faceName())-2), t.accent.Render(s.faceName())+" ", w)}
	switch signals := waitsFor(r.Steps); {
	case r.Failure != nil:
		lines = append(lines, " "+t.bad.Render(plainCut("✗ "+r.Failure.Step+": "+r.Failure.Message, w-2)))
	case len(signals) > 0 && r.State == workflow.Running:
		lines = append(lines, " "+t.warn.Render(plainCut("◌ waits for "+strings.Join(signals, ", ")+"; s sends it", w-2)))
	}
	return lines
}

// fitting joins as many of parts as there is room for.
func fitting(parts []string, w int) string {
	line := ""
	for _, p := range parts {
		if next := line + " " + p + " "; ansi.StringWidth(next) <= w {
			line = next
		}
	}
	return line
}

func (s *run) historyLines(w int) (lines []string) {
	t := s.app.theme
	for _, h := range s.past {
		line := " " + t.dim.Render(h.At.Local().Format("2006-01-02 15:04:05.000")) + "  " + pad(plain.Name(h.What), 12) + plain.Name(h.Step)
		if h.Took > 0 || h.Tries > 0 {
			line += t.dim.Render("  took ") + span(h.Took)
		}
		if h.Tries > 1 {
			line += t.dim.Render(fmt.Sprintf("  in %d tries", h.Tries))
		}
		if h.Why != "" {
			line += "  " + t.bad.Render(plain.Name(h.Why))
		}
		lines = append(lines, plain.Cut(line, w))
	}
	return lines
}

func (s *run) valueLines(w int) []string {
	t := s.app.theme
	lines := append([]string{t.heading.Render(" Input")}, bodyLines(s.values.input, w)...)
	lines = append(lines, "", t.heading.Render(" Outcome"))
	switch {
	case errors.Is(s.values.err, workflow.ErrNoOutput):
		return append(lines, "  "+t.dim.Render("none as yet"))
	case s.values.err != nil:
		return append(lines, "  "+t.bad.Render(plainCut(s.values.err.Error(), w-4)))
	}
	return append(lines, bodyLines(s.values.outcome, w)...)
}

// number writes n unless it is nothing.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return quantity.Count(n)
}

func kindOf(v view.Step) string {
	if v.Workflow {
		return v.Kind + " of runs"
	}
	return v.Kind
}

// parts writes how many of a step's tasks have ended.
func parts(v view.Step) string {
	switch {
	case v.Rounds > 0:
		return quantity.Many(v.Rounds, "round")
	case v.Width > 1 || v.Kind == "map" && v.Width > 0:
		return fmt.Sprintf("%d/%d", v.Ended, v.Width)
	}
	return ""
}

// waited writes how long a step was ready before it began.
func waited(v view.Step) string {
	if v.ReadyAt.IsZero() || v.StartedAt.IsZero() || v.Kind == "await" || v.Kind == "sleep" {
		return ""
	}
	return span(max(v.StartedAt.Sub(v.ReadyAt), 0).Truncate(time.Millisecond))
}

// tookOf writes how long a step took, or has taken.
func tookOf(v view.Step, now time.Time) string {
	switch {
	case v.TookSeconds > 0:
		return span(time.Duration(v.TookSeconds * float64(time.Second)).Truncate(time.Millisecond))
	case v.State == workflow.StepRunning.String() && !v.StartedAt.IsZero():
		return age(now.Sub(v.StartedAt))
	}
	return ""
}

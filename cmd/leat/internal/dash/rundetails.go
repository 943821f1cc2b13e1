package dash

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/workflow"
)

// details draws what is known of the chosen step, on at most h lines.
func (s *run) details(w, h int) []string {
	t := s.app.theme
	v, ok := s.shown.Find(s.chosen)
	if !ok {
		return []string{t.dim.Render(strings.Repeat("─", w))}
	}
	state := s.stateOf(v.Name)
	head := " " + t.stepStyle(state).Bold(true).Render(stepSigns[state]+" "+plain.Name(v.Name)) + " " + t.dim.Render(v.State+" ")
	lines := []string{head + t.dim.Render(strings.Repeat("─", max(w-plain.Width(v.Name)-len(v.State)-5, 0)))}
	for _, f := range s.facts(v) {
		for n, part := range wrap(plain.Name(f.text), max(w-12, 10)) {
			name := ""
			if n == 0 {
				name = f.name
			}
			lines = append(lines, " "+t.dim.Render(pad(name, 9))+" "+f.style.Render(part))
		}
	}
	return lines[:min(len(lines), h)]
}

// A fact is something that is known of a step.
type fact struct {
	name string
	cell
}

// facts returns what is known of a step, what matters most first.
func (s *run) facts(v view.Step) (facts []fact) {
	t, now := s.app.theme, s.app.now()
	add := func(name string, c cell) {
		if c.text != "" {
			facts = append(facts, fact{name, c})
		}
	}
	add("error", styled(t.bad, v.Error))
	if v.Error == "" {
		add("problem", styled(t.warn, v.Problem))
	}
	add("output", s.outputCell(v))
	add("signal", text(v.Signal))
	if !v.Until.IsZero() {
		add("until", text(moment(now, v.Until)))
	}
	if ran := v.Runs; ran != "" {
		add(map[bool]string{false: "task", true: "runs"}[v.Workflow], text(strings.TrimSpace(ran+"  "+v.Queue+"/"+v.TaskID+v.Child)))
	}
	add("time", text(timing(v, now)))
	if v.Width > 1 {
		add("parts", text(fmt.Sprintf("%d of %d have ended, %d failed", v.Ended, v.Width, v.Failed)))
	}
	add("arm", text(v.Arm))
	if v.Worker != nil {
		add("worker", text(fmt.Sprintf("%s, process %d", v.Worker.Host, v.Worker.PID)))
	}
	for _, a := range slices.Backward(v.Attempts) {
		add("attempt", text(a.Error))
	}
	add("after", text(strings.Join(v.After, ", ")))
	return facts
}

// timing tells when a step did what.
func timing(v view.Step, now time.Time) string {
	var parts []string
	if waited := waited(v); waited != "" {
		parts = append(parts, "waited "+waited)
	}
	if took := tookOf(v, now); took != "" {
		parts = append(parts, "took "+took)
	}
	if v.Tries > 1 {
		parts = append(parts, fmt.Sprintf("in %d tries", v.Tries))
	}
	if !v.EndedAt.IsZero() {
		parts = append(parts, "ended "+when(now, v.EndedAt))
	}
	if !v.NextTryAt.IsZero() {
		parts = append(parts, "is tried again "+when(now, v.NextTryAt))
	}
	return strings.Join(parts, ", ")
}

// outputCell tells what the step has given.
func (s *run) outputCell(v view.Step) cell {
	switch {
	case s.output.step != v.Name, v.State != workflow.StepDone.String(), errors.Is(s.output.err, workflow.ErrNoOutput):
		return text("")
	case s.output.err != nil:
		return styled(s.app.theme.bad, s.output.err.Error())
	}
	return text(plain.Line(s.output.body))
}

// bodyLines draws JSON, or whatever it is, indented.
func bodyLines(body []byte, w int) []string {
	return indented(2, wrap(plain.Text(body), w-4))
}

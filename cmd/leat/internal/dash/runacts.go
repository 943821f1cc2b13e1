package dash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/workflow"
)

// A runAct is something that is done to runs.
type runAct struct {
	verb, past string
	warning    string // what it means
	may        func(workflow.State) bool
	do         func(workflow.Handle, context.Context) error
}

var (
	cancelRuns = runAct{"cancel", "cancelled", "Nothing of them begins any more, what runs is asked to end, and what can be undone is undone.",
		func(s workflow.State) bool { return !s.Ended() }, workflow.Handle.Cancel}
	pauseRuns = runAct{"pause", "paused", "No step of them begins until they are resumed. Those that are being run go on.",
		func(s workflow.State) bool { return s == workflow.Running }, workflow.Handle.Pause}
	resumeRuns = runAct{"resume", "resumed", "Their steps are begun again.",
		func(s workflow.State) bool { return s == workflow.Paused }, workflow.Handle.Resume}
	retryRuns = runAct{"retry", "retried", "What has failed is run again, and all that follows from it. What was done stays done.",
		func(s workflow.State) bool { return s.Ended() && s != workflow.Done }, workflow.Handle.Retry}
	deleteRuns = runAct{"delete", "deleted", "They are forgotten, with their inputs, outputs and history, for good.",
		workflow.State.Ended, workflow.Handle.Delete}
)

// runActions returns what is done to the runs that which returns.
func (a *app) runActions(which func() []workflow.Summary) []binding {
	act := func(r runAct) func() {
		return func() { a.actOnRuns(r, which()) }
	}
	return []binding{
		on("C", "cancel the run", "cancel", act(cancelRuns)),
		on("P", "pause the run, or resume it", "pause", func() {
			if runs := which(); len(runs) > 0 && runs[0].State == workflow.Paused {
				a.actOnRuns(resumeRuns, runs)
				return
			}
			act(pauseRuns)()
		}),
		on("R", "run again what has failed", "retry", act(retryRuns)),
		on("D", "delete the run, which has ended", "delete", act(deleteRuns)),
	}
}

// actOnRuns does something to those of some runs to which it can be done, once it is confirmed.
func (a *app) actOnRuns(act runAct, among []workflow.Summary) {
	var runs []workflow.Summary
	for _, r := range among {
		if act.may(r.State) {
			runs = append(runs, r)
		}
	}
	switch {
	case len(among) == 0:
		return
	case len(runs) == 0:
		a.warn(fmt.Sprintf("a run that is %s cannot be %s", among[0].State, act.past))
		return
	}
	what := act.verb + " " + quantity.Many(len(runs), "run")
	if len(runs) == 1 {
		what = act.verb + " run " + runs[0].ID
	}
	lines := []string{act.warning, ""}
	for _, r := range runs {
		lines = append(lines, fmt.Sprintf("%s  %s, %s", r.ID, r.Workflow, r.State))
	}
	a.confirm(title(what), lines, wordFor(len(runs)), func() {
		a.do(what, len(runs), func(ctx context.Context, d *deed) (string, error) { return doToRuns(ctx, d, act, runs) })
	})
}

// doToRuns does something to one run after another.
func doToRuns(ctx context.Context, d *deed, act runAct, runs []workflow.Summary) (string, error) {
	var errs []error
	n := 0
	for i, r := range runs {
		if err := act.do(r.Handle, ctx); err != nil {
			errs = append(errs, err)
		} else {
			n++
		}
		if !d.count(i + 1) {
			break
		}
	}
	if n == 0 {
		return "", errors.Join(errs...)
	}
	return quantity.Many(n, "run") + " " + act.past, errors.Join(errs...)
}

// retry asks from where on a run is run again, and has it.
func (s *run) retry() {
	r := s.summary()
	step, ok := s.current()
	if !ok || s.status.State == workflow.Running {
		s.app.actOnRuns(retryRuns, []workflow.Summary{r})
		return
	}
	name := step.Name
	if shown, _ := s.shown.Find(name); shown.AddedBy != "" {
		name = shown.AddedBy // it is run again with the step that adds it
	}
	from := func(what string, do func(ctx context.Context) error) func() {
		return func() {
			s.app.do(what, 1, func(ctx context.Context, _ *deed) (string, error) {
				return "run " + r.ID + " goes on", do(ctx)
			})
		}
	}
	s.app.choose("Retry run "+r.ID, []option{
		{"what has failed, and all that follows from it", from("retry run "+r.ID, r.Retry)},
		{"step " + name + ", and all that follows from it", from("retry run "+r.ID+" from "+name, func(ctx context.Context) error {
			return r.RetryFrom(ctx, name)
		})},
	})
}

// skip asks for the output of the chosen step, and has the run go on with it.
func (s *run) skip() {
	step, ok := s.current()
	if !ok {
		return
	}
	if shown, _ := s.shown.Find(step.Name); shown.AddedBy != "" {
		s.app.warn("a step that was added cannot be skipped")
		return
	}
	r := s.summary()
	lines := []string{"Step " + step.Name + " is taken as done, and the run goes on with the output, which is JSON, in its place."}
	s.app.prompt("Skip step "+step.Name, lines, "null", checkJSON, func(value string) {
		s.app.do("skip step "+step.Name, 1, func(ctx context.Context, _ *deed) (string, error) {
			return "step " + step.Name + " is skipped", r.Skip(ctx, step.Name, []byte(value))
		})
	})
}

// signal asks for a payload, and sends it as the signal for which the chosen step waits, or
// one for which the run does.
func (s *run) signal() {
	names := waitsFor(s.status.Steps)
	if step, ok := s.current(); ok && step.Signal != "" && step.State == workflow.StepRunning {
		names = []string{step.Signal}
	}
	switch len(names) {
	case 0:
		s.app.warn("the run waits for no signal")
	case 1:
		s.send(names[0])
	default:
		var options []option
		for _, name := range names {
			options = append(options, option{name, func() { s.send(name) }})
		}
		s.app.choose("Which signal?", options)
	}
}

func (s *run) send(name string) {
	r := s.summary()
	lines := []string{"Run " + r.ID + " goes on with the payload, which is JSON."}
	s.app.prompt("Send signal "+name, lines, "{}", checkJSON, func(payload string) {
		s.app.do("signal "+name, 1, func(ctx context.Context, _ *deed) (string, error) {
			return "signal " + name + " is sent", workflow.NewSignal[json.RawMessage](name).Send(ctx, r.Handle, json.RawMessage(payload))
		})
	})
}

// checkJSON returns what makes a text no JSON.
func checkJSON(text string) error {
	var v any
	return json.Unmarshal([]byte(text), &v)
}

package dash

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/leatwork/leat/internal/drawing"
	"github.com/leatwork/leat/workflow"
)

// runSigns are the signs of the states of runs.
var runSigns = map[workflow.State]string{
	workflow.Running: drawing.Running.Sign(), workflow.Done: drawing.Done.Sign(), workflow.Failed: drawing.Failed.Sign(),
	workflow.TimedOut: drawing.Failed.Sign(), workflow.Cancelled: drawing.Cancelled.Sign(),
	workflow.Paused: "‖", workflow.Closing: "◌", workflow.Undoing: "↩", workflow.Stuck: "!",
}

// runStyle returns what a state of a run looks like.
func (t theme) runStyle(s workflow.State) lipgloss.Style {
	switch s {
	case workflow.Done:
		return t.good
	case workflow.Failed, workflow.TimedOut, workflow.Stuck:
		return t.bad
	case workflow.Paused, workflow.Closing, workflow.Undoing:
		return t.warn
	case workflow.Cancelled:
		return t.dim
	}
	return t.accent
}

// runCell tells how a run stands: one that goes on and only waits for a signal waits.
func runCell(t theme, s workflow.State, signals []string) cell {
	if s == workflow.Running && len(signals) > 0 {
		return styled(t.warn, "◌ waiting")
	}
	return styled(t.runStyle(s), runSigns[s]+" "+string(s))
}

// stepSigns are the signs of the states of steps: those of the graph.
var stepSigns = map[workflow.StepState]string{
	workflow.StepWaiting: drawing.Waiting.Sign(), workflow.StepRunning: drawing.Running.Sign(), workflow.StepDone: drawing.Done.Sign(),
	workflow.StepFailed: drawing.Failed.Sign(), workflow.StepSkipped: drawing.Skipped.Sign(), workflow.StepCancelled: drawing.Cancelled.Sign(),
}

// stepStyle returns what a state of a step looks like.
func (t theme) stepStyle(s workflow.StepState) lipgloss.Style {
	switch s {
	case workflow.StepDone:
		return t.good
	case workflow.StepFailed:
		return t.bad
	case workflow.StepRunning:
		return t.accent
	}
	return t.dim
}

// waitsFor returns the signals that a run waits for, if it waits for nothing else.
func waitsFor(steps []workflow.StepStatus) (signals []string) {
	for _, s := range steps {
		switch {
		case s.State != workflow.StepRunning:
		case s.Signal == "":
			return nil
		default:
			signals = append(signals, s.Signal)
		}
	}
	return signals
}

// progress returns how many steps have ended, of how many, and how many have failed. Those
// that were added count as well.
func progress(steps []workflow.StepStatus) (ended, failed, all int) {
	for _, s := range steps {
		e, f, a := progress(s.Added)
		ended, failed, all = ended+e, failed+f, all+a+1
		if s.State.Ended() {
			ended++
		}
		if s.State == workflow.StepFailed {
			failed++
		}
	}
	return ended, failed, all
}

const progressWidth = 10

// progressCell draws how far a run has come.
func progressCell(t theme, steps []workflow.StepStatus) cell {
	if steps == nil {
		return text("")
	}
	ended, failed, all := progress(steps)
	style := t.accent
	switch {
	case failed > 0:
		style = t.bad
	case ended == all:
		style = t.good
	}
	full := progressWidth * ended / max(all, 1)
	return styled(style, strings.Repeat("━", full)+strings.Repeat("╌", progressWidth-full)+fmt.Sprintf(" %d/%d", ended, all))
}

// took returns for how long a run has gone on.
func (s *runs) took(r runRow) time.Duration { return tookUntil(r.Started, r.Ended, s.app.now()) }

func tookUntil(began, ended, now time.Time) time.Duration {
	switch {
	case began.IsZero():
		return 0
	case ended.IsZero():
		ended = now
	}
	return max(ended.Sub(began), 0)
}

package query

import (
	"time"

	"github.com/leatwork/leat/workflow"
)

// Runs is the language of workflows' runs.
var Runs = &Language[workflow.Summary]{
	things:  "runs",
	declare: runFields,
	bare:    func(s workflow.Summary) []string { return []string{s.ID, s.Workflow, failure(s).Error()} },
}

func runFields() []field[workflow.Summary] {
	type run = workflow.Summary
	return []field[run]{
		textField("workflow w", "the workflow that it is of", "workflow:order", func(s run) string { return s.Workflow }),
		wordField("state s", "how it stands", "state:failed,timed-out", runStates(), func(s run) string { return string(s.State) }),
		textField("id", "its id", "id:order-17*", func(s run) string { return s.ID }),
		textField("queue q", "the queue beside which it is kept", "queue:default", func(s run) string { return s.Queue() }),
		namedField("attr.KEY", "one of the attributes that it was given", "attr.customer:17", func(s run) map[string]string { return s.Attributes }),
		textField("error", `why it failed; error:"" for those that did not`, "error~declined", func(s run) string { return failure(s).Message }),
		textField("step", "the step by which it failed", "step:charge", func(s run) string { return failure(s).Step }),
		momentField(kindAge, "age", "how long ago it was started", "age>1d", func(s run) time.Time { return s.Started }),
		momentField(kindMoment, "started", "when it was started; a duration is so long ago", "started:2026-11-30", func(s run) time.Time { return s.Started }),
		momentField(kindMoment, "ended", "when it ended; a duration is so long ago", "ended>1h", func(s run) time.Time { return s.Ended }),
		spanField("took", "how long it took, or has taken so far", "took>10m", took),
	}
}

// runStates returns the states that runs have.
func runStates() []string {
	return []string{
		string(workflow.Running), string(workflow.Paused), string(workflow.Closing), string(workflow.Undoing), string(workflow.Stuck),
		string(workflow.Done), string(workflow.Failed), string(workflow.Cancelled), string(workflow.TimedOut),
	}
}

func took(s workflow.Summary, now time.Time) (time.Duration, bool) {
	end := s.Ended
	if end.IsZero() {
		end = now
	}
	return end.Sub(s.Started), !s.Started.IsZero()
}

func failure(s workflow.Summary) *workflow.StepError {
	if s.Failure == nil {
		return &workflow.StepError{Item: -1}
	}
	return s.Failure
}

package deed

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/workflow"
)

var runDeeds = []Deed{
	{
		Kind: Run, Name: "start", Label: "Start", Role: access.Operator, New: true,
		Help: "A task is enqueued that starts a run of a workflow, which a server of its queue must have registered.",
		Params: []Param{
			{Name: "workflow", Label: "Workflow", Form: Text, Required: true},
			{Name: "input", Label: "Input", Form: JSON, Default: "null", Help: "JSON."},
			{Name: "queue", Label: "Queue", Form: Text, Help: "Nothing: " + task.DefaultQueue + "."},
			{Name: "id", Label: "Id", Form: Text, Help: "That of the run. Nothing: a new one."},
			{Name: "at", Label: "When", Form: Moment, Help: "A time such as 2030-01-31T08:00:00Z, a day, or a duration from now such as 2h. Nothing: now."},
		},
		do: startRun,
	}, {
		Kind: Run, Name: "pause", Label: "Pause", Role: access.Operator, Several: true,
		Help:   "Nothing new of the run begins. What runs goes on, and is recorded. Times and the deadline go on, too.",
		States: states(workflow.Running),
		do:     controlling("is paused", workflow.Handle.Pause),
	}, {
		Kind: Run, Name: "resume", Label: "Resume", Role: access.Operator, Several: true,
		Help:   "The run goes on. One that is stuck goes on being closed or undone.",
		States: states(workflow.Paused, workflow.Stuck),
		do:     controlling("goes on", workflow.Handle.Resume),
	}, {
		Kind: Run, Name: "cancel", Label: "Cancel", Role: access.Operator, Several: true,
		Help:   "Nothing of the run begins any more, what runs is asked to end and waited for, and what can be undone is.",
		States: states(workflow.Running, workflow.Paused),
		do:     controlling("is being cancelled", workflow.Handle.Cancel),
	}, {
		Kind: Run, Name: "retry", Label: "Retry", Role: access.Operator, Several: true,
		Help:   "The steps that failed or were cancelled run again, and all that they kept from running. What is done stays done, and the deadline counts anew.",
		States: states(workflow.Failed, workflow.Cancelled, workflow.TimedOut),
		do:     controlling("runs again", workflow.Handle.Retry),
	}, {
		Kind: Run, Name: "retry-from", Label: "Retry from a step", Role: access.Operator, Several: true,
		Help:   "The run, done or not, runs again from a step on, whatever that has come to.",
		States: states(workflow.Done, workflow.Failed, workflow.Cancelled, workflow.TimedOut),
		Params: []Param{{Name: "step", Label: "Step", Form: Text, Required: true, Help: "The step from which on it runs again."}},
		do: func(ctx context.Context, c call) (Outcome, error) {
			return c.run("runs again from " + c.text("step")), c.handle().RetryFrom(ctx, c.text("step"))
		},
	}, {
		Kind: Run, Name: "retry-all", Label: "Retry all", Role: access.Operator, Several: true,
		Help:   "The run, done or not, runs again from its beginning, with the input that it had: every step, whatever it has come to.",
		States: states(workflow.Done, workflow.Failed, workflow.Cancelled, workflow.TimedOut),
		do:     controlling("runs again from its beginning", workflow.Handle.RetryAll),
	}, {
		Kind: Run, Name: "skip", Label: "Skip a step", Role: access.Admin,
		Help:   "A step that failed counts as done with an output, and the run goes on; or, of a run that goes on, a step ends that is to run, or runs.",
		States: states(workflow.Running, workflow.Paused, workflow.Failed, workflow.Cancelled, workflow.TimedOut),
		Params: []Param{
			{Name: "step", Label: "Step", Form: Text, Required: true},
			{Name: "output", Label: "Output", Form: JSON, Default: "null", Help: "What it counts as having given: JSON, or the bytes of a step that gives bytes."},
		},
		do: func(ctx context.Context, c call) (Outcome, error) {
			output := c.bytes("output")
			if !c.has("output") {
				output = []byte("null")
			}
			return c.run("has step " + c.text("step") + " skipped"), c.handle().Skip(ctx, c.text("step"), output)
		},
	}, {
		Kind: Run, Name: "signal", Label: "Send a signal", Role: access.Operator, Several: true,
		Help:   "The run gets a signal that it waits for, or will wait for.",
		States: states(workflow.Running, workflow.Paused),
		Params: []Param{
			{Name: "signal", Label: "Signal", Form: Text, Required: true, Help: "Its name."},
			{Name: "payload", Label: "Payload", Form: JSON, Default: "null", Help: "JSON."},
			{Name: "signal_id", Label: "Id", Form: Text, Help: "A signal that is sent twice with one id is taken once."},
		},
		do: sendSignal,
	}, {
		Kind: Run, Name: "delete", Label: "Delete", Role: access.Admin, Several: true, Final: true,
		Help:   "The run is forgotten: its result and its history are gone. One that goes on is refused: cancel it.",
		States: states(workflow.Done, workflow.Failed, workflow.Cancelled, workflow.TimedOut, workflow.Stuck),
		do:     controlling("is being deleted", workflow.Handle.Delete),
	},
}

func states(states ...workflow.State) (names []string) {
	for _, s := range states {
		names = append(names, string(s))
	}
	return names
}

// handle returns the run.
func (c call) handle() workflow.Handle {
	return workflow.OpenRun(c.Storage.Client, c.t.Queue, c.t.ID)
}

// run returns an outcome that says what is with the run now.
func (c call) run(is string) Outcome { return Outcome{Text: "run " + c.t.String() + " " + is} }

// controlling returns what does to a run what a method of its handle does.
func controlling(done string, control func(h workflow.Handle, ctx context.Context) error) func(context.Context, call) (Outcome, error) {
	return func(ctx context.Context, c call) (Outcome, error) {
		return c.run(done), control(c.handle(), ctx)
	}
}

func startRun(ctx context.Context, c call) (Outcome, error) {
	if err := task.CheckName("workflow", c.text("workflow")); err != nil {
		return Outcome{}, err
	}
	input, err := c.json("input", "null")
	if err != nil {
		return Outcome{}, err
	}
	options, err := c.taskOptions()
	if err != nil {
		return Outcome{}, err
	}
	info, err := c.Storage.Client.Enqueue(ctx, task.New(workflow.StartType(c.text("workflow")), input, options...))
	if err != nil {
		return Outcome{}, err
	}
	made := Target{info.Queue, strings.ReplaceAll(info.ID, string(task.Joint), ".")}
	return Outcome{Text: "run " + made.String() + " of " + c.text("workflow") + " is to start", Made: &made}, nil
}

func sendSignal(ctx context.Context, c call) (Outcome, error) {
	if err := task.CheckName("signal", c.text("signal")); err != nil {
		return Outcome{}, err
	}
	payload, err := c.json("payload", "null")
	if err != nil {
		return Outcome{}, err
	}
	var options []workflow.SendOption
	if c.has("signal_id") {
		options = append(options, workflow.SignalID(c.text("signal_id")))
	}
	err = workflow.NewSignal[json.RawMessage](c.text("signal")).Send(ctx, c.handle(), payload, options...)
	return c.run("is sent signal " + c.text("signal")), err
}

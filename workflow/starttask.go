package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/leatwork/leat/internal/tick"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// StartType returns the type of the tasks that start runs of the workflow with that
// name: see [Workflow.StartTask].
func StartType(workflow string) string { return tick.StartType(workflow) }

// StartTask returns a task that starts a run with in when it is run, by a server on
// which the workflow is registered: what package periodic enqueues, or what is to begin
// a run together with other tasks. Its payload is the input as JSON, its type
// [StartType], and its queue that of the workflow, unless options say otherwise.
//
// The run has the task's id, with "." for "~", so that it is started once however often
// the task is run; the task's result is the run's id. Of a tick of package periodic,
// the run has the attributes "entry" and "tick". Unless ticks of that entry may
// overlap, or if it is part of a backfill, the task then stays under way until the run
// has ended or is [Stuck], and a tick that cancels an earlier one cancels its run.
// Otherwise the task is done once the run has begun, and to cancel it does nothing to
// the run.
func (w Workflow[In, Out]) StartTask(in In, opts ...task.Option) (*task.Task, error) {
	input, err := w.encode(in)
	if err == nil {
		err = task.CheckName("task type", StartType(w.plan.Name))
	}
	if err != nil {
		return nil, fmt.Errorf("start task of %s: %w", w.plan.Name, err)
	}
	return task.New(StartType(w.plan.Name), input, append([]task.Option{task.Queue(w.plan.Queue)}, opts...)...), nil
}

// A startHandler runs the tasks that start runs of a workflow.
type startHandler struct{ plan *plan.Plan }

// ProcessTask starts the run, if it has not begun, and has the task go on for as long
// as it must.
func (h startHandler) ProcessTask(ctx context.Context, t *task.Task) error {
	running, ok := queue.FromContext(ctx)
	if !ok {
		return fmt.Errorf("start %s: no lease in the context: %w", h.plan.Name, task.SkipRetry)
	}
	if err := h.makeWay(ctx, running.Broker(), t); err != nil {
		return err
	}
	handle := h.handle(running.Broker(), running.Lease().Entry.ID)
	existed, err := h.start(ctx, handle, running, t)
	if err != nil {
		return err
	}
	if w := t.ResultWriter(); w != nil {
		if _, err := w.Write([]byte(handle.ID)); err != nil {
			return err
		}
	}
	if !tick.Whole(t.Headers()) {
		return nil
	}
	err = handle.awaited(ctx)
	if existed && isPutOff(err) {
		running.Trace().PutOff("run")
	}
	return err
}

// handle returns the run that the task with that id starts.
func (h startHandler) handle(b broker.Broker, taskID string) Handle {
	id := tick.Name(taskID)
	return Handle{ID: id, home: broker.Home{Queue: h.plan.Queue, ID: id}, plan: h.plan, broker: b}
}

// makeWayTime is how long it may take to cancel runs.
const makeWayTime = 10 * time.Second

// makeWay cancels the runs of tasks that were cancelled for this one, also if this one
// is cancelled meanwhile.
func (h startHandler) makeWay(ctx context.Context, b broker.Broker, t *task.Task) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeWayTime)
	defer cancel()
	for _, id := range tick.Cancelled(t.Headers()) {
		err := h.handle(b, id).Cancel(ctx)
		if _, closed := errors.AsType[*RunStateError](err); err != nil && !closed && !errors.Is(err, ErrRunNotFound) {
			return err
		}
	}
	return nil
}

// start starts the run, and reports whether it had begun before.
func (h startHandler) start(ctx context.Context, run Handle, to audience, t *task.Task) (existed bool, err error) {
	s := start{id: run.ID, attributes: attributesOf(t.Headers())}
	if err := errors.Join(s.check(), h.checkInput(t.Payload())); err != nil {
		return false, fmt.Errorf("start %s: %w: %w", h.plan.Name, err, task.SkipRetry)
	}
	l := launch{plan: h.plan, home: run.home, control: newControl(h.plan, t.Payload(), s), input: t.Payload(), start: s, audience: to, byTask: true}
	existed, err = l.ensure(ctx, run.broker)
	if _, exists := errors.AsType[*RunExistsError](err); exists {
		err = fmt.Errorf("%w: %w", err, task.SkipRetry)
	}
	if err != nil {
		return existed, fmt.Errorf("start %s: %w", h.plan.Name, err)
	}
	return existed, nil
}

func (h startHandler) checkInput(input []byte) error {
	what := "the input of workflow " + h.plan.Name
	if !json.Valid(input) {
		return task.Invalid(what, string(input), "is not JSON")
	}
	return h.plan.CheckOutput(what, h.plan.Nodes[0], input)
}

// attributesOf returns what a run is found by that a tick's task starts.
func attributesOf(headers map[string]string) map[string]string {
	attributes := make(map[string]string)
	maps.Copy(attributes, map[string]string{"entry": headers[tick.Entry], "tick": headers[tick.Time]})
	maps.DeleteFunc(attributes, func(_, value string) bool { return value == "" })
	return attributes
}

// How soon a task that waits for its run's end looks again: after a twentieth of the
// time that the run has taken, within these bounds.
const (
	firstAwait = time.Second
	lastAwait  = 15 * time.Second
)

// awaited returns nil if the run has ended, or is stuck, and else has the task look
// again.
func (h Handle) awaited(ctx context.Context) error {
	c, _, err := h.control(ctx)
	switch {
	case errors.Is(err, ErrRunNotFound):
		return nil // it has ended long ago
	case err != nil:
		return err
	case c.State.Ended(), c.State == Stuck:
		return nil
	}
	return task.Snooze(min(max(time.Since(c.Started)/20, firstAwait), lastAwait))
}

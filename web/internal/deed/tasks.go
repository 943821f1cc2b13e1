package deed

import (
	"context"
	"time"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

var taskDeeds = []Deed{
	{
		Kind: Task, Name: "run", Label: "Run now", Role: access.Operator, Several: true, act: broker.Run,
		Help:   "The task goes to the back of its queue, to be run.",
		States: names(task.Scheduled, task.Retry, task.Archived, task.Aggregating),
		do:     moving("is now pending", (*queue.Inspector).Run),
	}, {
		Kind: Task, Name: "requeue", Label: "Run again", Role: access.Operator, Several: true, act: broker.Run,
		Help:   "The task is run once more, although it is done.",
		States: names(task.Completed),
		do:     moving("is now pending", (*queue.Inspector).Run),
	}, {
		Kind: Task, Name: "reschedule", Label: "Reschedule", Role: access.Operator, Several: true, act: broker.Reschedule,
		Help:   "The task is run at another time, or now if that has passed.",
		States: names(task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating),
		Params: []Param{{Name: "at", Label: "When", Form: Moment, Required: true, Help: "A time such as 2030-01-31T08:00:00Z, a day, or a duration from now such as 2h."}},
		do: func(ctx context.Context, c call) (Outcome, error) {
			at := c.time("at")
			err := c.Storage.Inspector.Reschedule(ctx, c.t.Queue, c.t.ID, at)
			return Outcome{Text: "task " + c.t.String() + " is to be run at " + at.UTC().Format(time.RFC3339)}, err
		},
	}, {
		Kind: Task, Name: "cancel", Label: "Cancel", Role: access.Operator, Several: true, act: broker.Cancel,
		Help:   "A task that waits is archived as cancelled. One that is running is asked to end, and is archived as cancelled unless its handler says that it is done. It is not retried.",
		States: names(task.Active, task.Pending, task.Scheduled, task.Retry, task.Aggregating),
		do:     moving("is cancelled, or asked to end", (*queue.Inspector).Cancel),
	}, {
		Kind: Task, Name: "archive", Label: "Archive", Role: access.Operator, Several: true, act: broker.Archive,
		Help:   "The task is kept to be looked at, and not run any more unless somebody has it run.",
		States: names(task.Pending, task.Scheduled, task.Retry, task.Completed, task.Aggregating),
		do:     moving("is archived", (*queue.Inspector).Archive),
	}, {
		Kind: Task, Name: "edit", Label: "Edit payload", Role: access.Admin,
		Help:   "The task gets another payload. Everything else about it stays as it is: its place, its time, and what it is unique by.",
		States: names(task.Pending, task.Scheduled, task.Retry, task.Aggregating),
		Params: payloadParams("The payload that it is to have."),
		do:     editPayload,
	}, {
		Kind: Task, Name: "transfer", Label: "Transfer", Role: access.Operator, Several: true,
		Help:   "The task is put into another queue, where it waits for the same. The record of its attempts does not go with it. One that is unique in its queue, or belongs to a run, stays.",
		States: names(task.Pending, task.Scheduled, task.Retry, task.Aggregating),
		Params: []Param{{Name: "to", Label: "To queue", Form: Text, Required: true, Help: "The queue that it is to be in."}},
		picks:  fromElsewhere,
		do: func(ctx context.Context, c call) (Outcome, error) {
			err := c.Storage.Inspector.Transfer(ctx, c.t.Queue, c.t.ID, c.text("to"))
			return Outcome{Text: "task " + c.t.String() + " is now in queue " + plain.Name(c.text("to"))}, err
		},
	}, {
		Kind: Task, Name: "delete", Label: "Delete", Role: access.Admin, Several: true, Final: true, Instead: "archive", act: broker.Delete,
		Help:   "The task is gone, as if it had never been enqueued.",
		States: names(task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating),
		do:     moving("is deleted", (*queue.Inspector).Delete),
	}, {
		Kind: Task, Name: "recover", Label: "Recover", Role: access.Operator, Several: true, act: broker.Run,
		Help:   "The task, which has no worker any more, is run again. A server of its queue does so by itself, within seconds.",
		States: []string{Orphaned},
		do:     moving("is now pending", (*queue.Inspector).Recover),
	}, {
		Kind: Task, Name: "drop", Label: "Drop", Role: access.Admin, Several: true, Final: true, Instead: "recover", act: broker.Delete,
		Help:   "The task, which has no worker any more, is deleted.",
		States: []string{Orphaned},
		do:     moving("is dropped", (*queue.Inspector).Drop),
	},
}

func names(states ...task.State) (names []string) {
	for _, s := range states {
		names = append(names, s.String())
	}
	return names
}

// moving returns what does to a task what a method of the inspector does.
func moving(done string, move func(i *queue.Inspector, ctx context.Context, queue, id string) error) func(context.Context, call) (Outcome, error) {
	return func(ctx context.Context, c call) (Outcome, error) {
		err := move(c.Storage.Inspector, ctx, c.t.Queue, c.t.ID)
		return Outcome{Text: "task " + c.t.String() + " " + done}, err
	}
}

func editPayload(ctx context.Context, c call) (Outcome, error) {
	payload, said, err := c.payload()
	if err == nil && !said {
		err = task.Invalid("payload", "", "is needed, even if it is to be empty")
	}
	if err == nil {
		err = c.Storage.Inspector.EditPayload(ctx, c.t.Queue, c.t.ID, payload)
	}
	return Outcome{Text: "task " + c.t.String() + " has another payload"}, err
}

// payloadParams are how a payload is given.
func payloadParams(help string) []Param {
	return []Param{
		{Name: "payload", Label: "Payload", Form: JSON, Help: help},
		{Name: "payload_base64", Label: "Payload in base64", Form: Base64, Help: "In place of the payload, if that is not text."},
	}
}

// payload returns the payload that was given, and whether one was, be it empty.
func (c call) payload() (payload []byte, said bool, err error) {
	_, said = c.said["payload"]
	switch {
	case c.has("payload") && c.has("payload_base64"):
		return nil, said, task.Invalid("payload_base64", c.text("payload_base64"), "contradicts the payload that is given as text")
	case c.has("payload_base64"):
		return c.decoded("payload_base64"), true, nil
	}
	return c.bytes("payload"), said, nil
}

// fromElsewhere returns whether a task is not yet in the queue that it is to be in.
func fromElsewhere(c call) (func(*task.Info) bool, error) {
	to := c.text("to")
	if to == "" { // it is not said yet
		return nil, nil //nolint:nilnil // it is any task
	}
	return func(i *task.Info) bool { return i.Queue != to }, task.CheckName("to", to)
}

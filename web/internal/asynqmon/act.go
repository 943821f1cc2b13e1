package asynqmon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/problem"
)

// maxBody is how many bytes may be sent.
const maxBody = 1_000_000

func bodyOf(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, problem.New(http.StatusRequestEntityTooLarge, "too-large", "at most 1,000,000 bytes may be sent")
	}
	if err != nil {
		return nil, badRequest("body", "what was sent did not arrive whole")
	}
	return body, nil
}

// ids returns the ids of tasks that were sent.
func (c *call) ids() ([]string, error) {
	var sent struct {
		TaskIDs []string `json:"task_ids"`
	}
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&sent); err != nil {
		return nil, badRequest("body", "what was sent cannot be read: "+err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || sent.TaskIDs == nil {
		return nil, badRequest("body", "what is sent must be one object, with task_ids")
	}
	if len(sent.TaskIDs) > deed.MaxTargets {
		return nil, badRequest("body", fmt.Sprintf("at most %d task_ids may be sent at once", deed.MaxTargets))
	}
	return sent.TaskIDs, nil
}

// doOne does something to the task that is named.
func doOne(state task.State, v verb) func(context.Context, *monitor, *call) (any, error) {
	return func(ctx context.Context, m *monitor, c *call) (any, error) {
		return nil, m.act(ctx, c, state, v, c.names["id"])
	}
}

// act does something to a task, if it is in the state in which it is looked for.
func (m *monitor) act(ctx context.Context, c *call, state task.State, v verb, id string) error {
	i, err := m.Storage.Inspector.Get(ctx, c.names["queue"], id)
	if err != nil {
		return err
	}
	if i.State != state || state == task.Aggregating && i.Group != c.names["group"] {
		return fmt.Errorf("task %s/%s is %s: %w", i.Queue, i.ID, i.State, queue.ErrTaskNotFound)
	}
	return m.perform(ctx, c, deed.Task, v.deed, deed.Target{Queue: i.Queue, ID: i.ID})
}

// doMany does something to the tasks whose ids are sent.
func doMany(state task.State, v verb) func(context.Context, *monitor, *call) (any, error) {
	return func(ctx context.Context, m *monitor, c *call) (any, error) {
		ids, err := c.ids()
		if err != nil {
			return nil, err
		}
		done, failed := []string{}, []string{}
		for _, id := range ids {
			switch err := m.act(ctx, c, state, v, id); {
			case err == nil:
				done = append(done, id)
			case ctx.Err() != nil:
				return nil, ctx.Err()
			default:
				failed = append(failed, id)
				m.log(ctx, "the deed "+v.deed, err)
			}
		}
		return map[string]any{v.done: done, v.failed: failed}, nil
	}
}

// doAll does something to all tasks in a state, in steps, until who asks is gone.
func doAll(state task.State, v verb) func(context.Context, *monitor, *call) (any, error) {
	return func(ctx context.Context, m *monitor, c *call) (any, error) {
		done, err := m.Storage.Inspector.Bulk(ctx, queue.BulkRequest{Queue: c.names["queue"], State: state, Group: c.names["group"], Do: v.act})
		m.Storage.Changed()
		m.record(ctx, c, state, v, done.Done, err)
		if err != nil || v.count == "" {
			return nil, err
		}
		return map[string]any{v.count: done.Done}, nil
	}
}

// record has it written down that something was done to all tasks in a state.
func (m *monitor) record(ctx context.Context, c *call, state task.State, v verb, count int, err error) {
	if m.Doer.Recorder == nil {
		return
	}
	of := fmt.Sprintf("queue:%s state:%s", c.names["queue"], state)
	if group := c.names["group"]; group != "" {
		of += " group:" + group
	}
	e := audit.Entry{By: c.who.Name, Role: c.who.Role, From: c.who.From, Deed: v.deed, Kind: string(deed.Task), Target: of, Count: count}
	if err != nil {
		e.Err = problem.Of(err).Detail
	}
	m.Doer.Recorder.Record(ctx, e)
}

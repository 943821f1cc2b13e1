package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// lose decides what follows from an entry that has ended otherwise than by its own
// settlement. A map's item marks its arrival; anything else has the run failed.
// Nothing follows if somebody has it run again meanwhile, or had.
func (v *visit) lose(ctx context.Context) error {
	failure, err := v.loss(ctx)
	if err != nil {
		return err
	}
	if failure == nil {
		return task.Revoke
	}
	v.running.OnSettle(v.unlessEnded(func(s broker.Settlement) broker.Change {
		c := v.change(s)
		if v.index >= 0 {
			c.Put = []broker.Put{{Key: v.node.ErrorKey(), Body: encodeFailure(*failure), If: broker.AnyVersion}}
			c.Arrive = []broker.Arrival{{Latch: v.node.Name, Member: v.index, Mark: true}}
			return c
		}
		v.end(&c, v.control.failed(time.Now(), *failure))
		return c
	}))
	return nil
}

// loss returns why the run fails, or nil if it goes on.
func (v *visit) loss(ctx context.Context) (*StepError, error) {
	failure := &StepError{Step: v.node.Name, Item: v.index}
	if b, ok := v.values.read[v.node.ErrorKey()]; ok && v.index < 0 {
		return failure, json.Unmarshal(b, failure)
	}
	entry, err := v.running.Broker().Entry(ctx, v.subject())
	gone := errors.Is(err, broker.ErrNotFound)
	switch {
	case err != nil && !gone:
		return nil, fmt.Errorf("read entry %s: %w", v.subject(), err)
	case !gone && !entry.State.Ended():
		return nil, nil
	}
	if done, err := v.succeeded(ctx); done || err != nil {
		return nil, err
	}
	switch {
	case gone:
		failure.Message = "was deleted before it was done"
	case entry.End == 0:
		failure.Message = "was archived by hand"
	default:
		failure.Message = "was archived as " + entry.End.String()
		if entry.LastErr != "" {
			failure.Message += ": " + entry.LastErr
		}
	}
	return failure, nil
}

// subject names the entry that was lost.
func (v *visit) subject() broker.EntryRef {
	if v.index >= 0 {
		return broker.EntryRef{Queue: v.node.Settings.Queue, ID: v.root() + v.node.ItemKey(v.index)}
	}
	return v.entry(v.node).EntryRef
}

// succeeded reports whether what was lost has been done all the same: its output
// is there, or its elements have all been fed. The end leaves nothing but a run
// that has ended.
func (v *visit) succeeded(ctx context.Context) (bool, error) {
	if v.node.Kind == plan.End {
		return false, nil
	}
	key := v.node.Name
	if v.index >= 0 {
		key = v.node.ItemKey(v.index)
	}
	docs, err := v.running.Broker().Documents(ctx, v.home, key, v.node.CursorKey())
	if err != nil {
		return false, fmt.Errorf("read document %s of run %s: %w", key, v.home.ID, err)
	}
	if docs[0].Version == 0 || v.node.Kind != plan.Map || v.index >= 0 {
		return docs[0].Version > 0, nil
	}
	var width mapWidth
	var fed int
	err = errors.Join(json.Unmarshal(docs[0].Body, &width), json.Unmarshal(docs[1].Body, &fed))
	return fed == width.Width, err
}

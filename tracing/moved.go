package tracing

import (
	"context"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Moved implements [queue.Tracer]: what somebody ends by hand is exported by that. Steps
// of runs are not: their workflow hears of it and tells.
func (t *Tracer) Moved(ctx context.Context, e broker.Stored, act broker.Act) {
	how := endsBy(e, act)
	if how == "" || !t.covers || isRun(&e.Entry) {
		return
	}
	ctx, from := t.extract(ctx, e.Headers)
	h := readHistory(e.Headers[headerHistory])
	if !from.IsSampled() || h.start.IsZero() {
		return // nothing of it was exported
	}
	a := t.newAttempt(broker.Lease{Entry: e.Entry}, from, h)
	a.began = latest(a.began, h.ended)
	a.exportWait(ctx, act.String(), a.number, a.began, time.Time{})
	t.export(ctx, a.cover.record(&e.Entry, a.began.Add(shortest), how, fault{}, a.number-1))
}

// endsBy returns the outcome of an entry that act was done to, "" if it goes on or had
// ended before.
func endsBy(e broker.Stored, act broker.Act) string {
	switch {
	case e.State == task.Archived || e.State == task.Completed:
		return ""
	case act == broker.Delete:
		return outcomeDeleted
	case act == broker.Archive:
		return broker.Archived.String()
	case act == broker.Cancel && e.State != task.Active:
		return broker.Cancelled.String()
	default:
		return ""
	}
}

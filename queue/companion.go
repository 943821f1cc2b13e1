package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// How much a handler may have enqueued with its outcome, besides what a
// [SettleFunc] adds.
const (
	maxThen      = broker.MaxParts / 2
	maxThenBytes = broker.MaxBytes / 2
)

// Then has t enqueued in the very commit that records the task of the handler
// with ctx as done. If the task fails, or is given back or lost, t never exists.
// That is decided after the handler has returned, so there is no id to wait for
// before.
//
// It has an id that begins with that of the handler's task, unless it is given one.
// In a storage in shards, one that is given must belong to the same shard.
//
// It goes through Config.Client: its defaults, its limits and its middleware. What
// is wrong with t is told at once. If t then cannot be stored, because its id is
// taken or it is not as unique as it should be, the handler's task has failed with
// what [Client.Enqueue] would have returned.
func Then(ctx context.Context, t *task.Task, options ...task.Option) error {
	r, ok := FromContext(ctx)
	if !ok {
		return fmt.Errorf("then: %w", task.Invalid("ctx", nil, "is not that of a handler"))
	}
	c := r.server.cfg.Client
	made, err := c.prepare(among(ctx, kinOf(r.lease.Entry.ID)), t, options)
	if err == nil {
		err = r.addThen(c, made)
	}
	if err != nil {
		return fmt.Errorf("then: %w", err)
	}
	return nil
}

var errTooLate = errors.New("handler has returned")

func (r *Running) addThen(c *Client, made *request) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	bytes := len(made.entry.Payload)
	for _, other := range r.then {
		bytes += len(other.entry.Payload)
	}
	switch {
	case r.sealed:
		return errTooLate
	case len(r.then) == maxThen:
		return task.Invalid("tasks", maxThen+1, fmt.Sprintf("are more than %d", maxThen))
	case bytes > maxThenBytes:
		return task.Invalid("payload size", bytes, fmt.Sprintf("of all tasks is larger than %d bytes", maxThenBytes))
	}
	r.then = append(r.then, c.sendingWith(made))
	return nil
}

// sealThen returns what the handler has asked for with Then.
func (r *Running) sealThen() []*request {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = true
	return r.then
}

// accompany completes the change that records the outcome: with what the handler
// wants enqueued if it is done, and what the Config wants if it is exhausted.
func (a *attempt) accompany() {
	then := a.sealThen()
	a.change, a.companions = a.base, nil
	switch s := settles(a.base, &a.settled[0]); {
	case s == nil: // nothing is recorded
	case s.To == broker.Done, s.To == broker.Completed:
		a.companions = then
	case s.To == broker.Archived && (s.End == 0 || s.End == broker.Poison):
		a.companions = a.heirs(*s)
	}
	if len(a.companions) == 0 {
		return
	}
	a.change.Enqueue, a.change.Replace = slices.Clip(a.change.Enqueue), slices.Clip(a.change.Replace)
	for _, r := range a.companions {
		if r.info == nil {
			r.addTo(&a.change)
		}
	}
}

// heirs returns what the OnExhausted function has wanted when it was called,
// which is once.
func (a *attempt) heirs(s broker.Settlement) []*request {
	cfg := a.server.cfg
	if cfg.OnExhausted == nil || a.exhausted {
		return a.inherit
	}
	a.exhausted = true
	ctx, cancel := a.lasting()
	defer cancel()
	a.inherit = cfg.heirs(ctx, a.server.broker, s, a.err)
	return a.inherit
}

// heirs returns what the OnExhausted function wants enqueued in the commit that records
// s, the last one of a task, which has come to err.
func (c Config) heirs(ctx context.Context, b broker.Broker, s broker.Settlement, err error) (heirs []*request) {
	if c.OnExhausted == nil {
		return nil
	}
	now, id := time.Now(), s.Entry.ID
	stored, lost := b.Entry(ctx, s.Entry.EntryRef) // for the attempts before
	if lost != nil {
		c.Logger.WarnContext(ctx, "earlier attempts of an exhausted task cannot be read", "err", lost)
	}
	stored.Entry, stored.State, stored.End = s.Entry, task.Archived, s.End
	if s.Result != nil {
		stored.Result = s.Result
	}
	if s.Attempt != nil {
		stored.Attempts = append(stored.Attempts, *s.Attempt)
	}
	for _, t := range c.exhausted(ctx, InfoOf(now, stored), err) {
		r, err := c.Client.prepare(among(ctx, kinOf(id)), t, nil)
		if err == nil && len(heirs) == maxThen {
			err = task.Invalid("tasks", maxThen+1, fmt.Sprintf("are more than %d", maxThen))
		}
		if err != nil {
			c.Logger.ErrorContext(ctx, "what follows an exhausted task cannot be enqueued", "err", err)
			continue
		}
		heirs = append(heirs, c.Client.sendingWith(r))
	}
	return heirs
}

// lasting returns a context for what is done about an attempt after that of its
// handler has ended.
func (a *attempt) lasting() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(a.naming(a.ctx)), a.server.cfg.LeaseDuration)
}

// adjusted reports whether the broker has refused the change because of a
// companion, and if so makes that another, or has the task fail by it.
func (a *attempt) adjusted(by error) bool {
	ctx, cancel := a.lasting()
	defer cancel()
	for _, r := range a.companions {
		if r.info != nil || !r.concerns(by) {
			continue
		}
		if r.ctx = ctx; a.tries < maxTries {
			a.tries++
			a.server.cfg.Client.adjust(time.Now(), r, by)
		} else {
			r.fail(enqueueError(r.entry, by))
		}
		if r.err != nil {
			a.blame(r, r.err)
		}
		return true
	}
	if len(a.companions) > 0 && a.settleFunc() == nil {
		a.blame(nil, by) // there is nothing else in the change
		return true
	}
	return false
}

// blame deals with a companion, or all of them if r is nil, that cannot be stored
// because of err. What the handler asked for has failed with it; of an exhausted
// task nobody is left to be told.
func (a *attempt) blame(r *request, err error) {
	if s := settles(a.base, &a.settled[0]); s.To != broker.Archived {
		a.fail(err)
		return
	}
	a.log(slog.LevelError, "what follows an exhausted task cannot be enqueued", "err", err)
	a.inherit = slices.DeleteFunc(a.inherit, func(other *request) bool {
		if r != nil && r != other {
			return false
		}
		other.tellSent(err)
		return true
	})
}

// announce tells the client's observer of the companions, which are stored.
func (a *attempt) announce() {
	for _, r := range a.companions {
		if r.info == nil {
			a.server.cfg.Client.Observer.observe(a.ctx, a.server.cfg.Logger, Event{Kind: EventEnqueued, Entry: r.entry})
		}
	}
}

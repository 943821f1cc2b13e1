package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// EnqueueAll stores all of ts or none of them, in one commit. There may be
// [broker.MaxParts] at most. The Infos are in the order of ts. The ids that it
// makes have one root, as those of [Then] have; ids that are given, where the
// storage is in shards, must belong to one shard, and with asynq's layout on a
// Redis Cluster all tasks to one queue: otherwise the error matches
// [broker.ErrApart].
//
// An error says of every task that keeps the others from being stored why, as
// [Client.Enqueue] does. One that matches [ErrUnknown] leaves open whether all
// were stored.
func (c *Client) EnqueueAll(ctx context.Context, ts []*task.Task, options ...task.Option) ([]*task.Info, error) {
	if len(ts) > broker.MaxParts {
		return nil, fmt.Errorf("enqueue all: %w", task.Invalid("tasks", len(ts), fmt.Sprintf("are more than %d", broker.MaxParts)))
	}
	return c.together(among(ctx, newKin()), ts, options, func(now time.Time, change broker.Change) ([]error, error) {
		return apply(ctx, c.broker, now, []broker.Change{change})
	})
}

// EnqueueTx stores t as part of tx, which must be a transaction on the broker's
// own database, in SQLite the DB method of its broker: t exists if and when tx is
// committed. With an error that is no
// [task.InvalidError], tx should be rolled back. Where the broker's storage knows
// no such transactions, the error matches [errors.ErrUnsupported].
func (c *Client) EnqueueTx(ctx context.Context, tx *sql.Tx, t *task.Task, options ...task.Option) (*task.Info, error) {
	b, ok := c.broker.(broker.Transactor)
	if !ok {
		return nil, fmt.Errorf("enqueue in a transaction: broker of type %T: %w", c.broker, errors.ErrUnsupported)
	}
	if tx == nil {
		return nil, fmt.Errorf("enqueue in a transaction: %w", task.Invalid("tx", nil, "must not be nil"))
	}
	infos, err := c.together(ctx, []*task.Task{t}, options, func(now time.Time, change broker.Change) ([]error, error) {
		outcomes, err := b.ApplyTx(ctx, now, tx, []broker.Change{change})
		return certain(outcomes, 1, err)
	})
	if err != nil {
		return nil, err
	}
	return infos[0], nil
}

// A commitFunc makes one change, and returns its outcome as the only one.
type commitFunc func(now time.Time, change broker.Change) ([]error, error)

// together enqueues ts in one change.
func (c *Client) together(ctx context.Context, ts []*task.Task, options []task.Option, commit commitFunc) ([]*task.Info, error) {
	now := time.Now()
	results := c.through(ctx, now, ts, options, func(rs []*request) {
		if len(rs) == len(ts) {
			c.sendAll(ctx, now, rs, commit)
			return
		}
		failAll(rs, nil, errRefused)
	})
	infos := make([]*task.Info, len(ts))
	var errs []error
	for i, result := range results {
		infos[i] = result.Info
		if result.Err != nil && !errors.Is(result.Err, errAside) {
			errs = append(errs, result.Err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return infos, nil
}

// errRefused is what they get besides if the middleware is the reason.
var errRefused = errors.New("client middleware let it not pass")

// errAside is what all tasks of a call get but those that are at fault.
var errAside = errors.New("another task of the call was refused")

// sendAll enqueues rs in one change, and notes what became of them.
func (c *Client) sendAll(ctx context.Context, now time.Time, rs []*request, commit commitFunc) {
	defer c.sending(ctx, rs)()
	for range maxTries {
		var change broker.Change
		for _, r := range rs {
			if r.info == nil {
				r.addTo(&change)
			}
		}
		outcomes, err := commit(now, change)
		if err != nil {
			failAll(rs, rs[0], err)
			return
		}
		if outcomes[0] == nil {
			for _, r := range rs {
				if r.info == nil {
					c.stored(now, r)
				}
			}
			return
		}
		if of, err := c.adjustAll(now, rs, outcomes[0]); err != nil {
			failAll(rs, of, err)
			return
		}
	}
	failAll(rs, rs[0], fmt.Errorf("others were faster %d times: %w", maxTries, ErrDuplicateTask))
}

// adjustAll adjusts those of rs that outcome concerns. An error is why they cannot
// be stored, and of the request that is at fault.
func (c *Client) adjustAll(now time.Time, rs []*request, outcome error) (of *request, err error) {
	known := false
	for _, r := range rs {
		if r.info != nil || !r.concerns(outcome) {
			continue
		}
		known = true
		if c.adjust(now, r, outcome); r.err != nil {
			return r, errors.Unwrap(r.err)
		}
	}
	if !known {
		return rs[0], outcome
	}
	return nil, nil
}

// failAll fails all of rs with err, which is the fault of one of them, or of none.
func failAll(rs []*request, of *request, err error) {
	for _, r := range rs {
		r.info = nil
		if r == of {
			r.fail(err)
		} else {
			r.fail(fmt.Errorf("%w: %w", errAside, err))
		}
	}
}

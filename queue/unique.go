package queue

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// claimOf returns what makes t unique. See docs/unique.md for what that means,
// mode by mode.
func claimOf(now time.Time, t *task.Task, s task.Settings) broker.Claim {
	u := s.Unique
	claim := broker.Claim{Key: u.Key}
	if claim.Key == "" {
		claim.Key = defaultKey(t, u.Mode)
	}
	switch u.Mode {
	case task.UntilTTL:
		claim.TTL = u.For
		if !s.ProcessAt.IsZero() { // from when it is due
			claim.TTL += min(s.ProcessAt.Sub(now), math.MaxInt64-u.For)
		}
	case task.UntilDone:
	case task.UntilStart:
		claim.UntilStart = true
	case task.ForPeriod:
		claim.Hold = broker.CeilMilli(now.Add(u.For))
	case task.Debounced:
		claim.UntilStart, claim.Since = true, now
	case task.RunAgain:
		claim.Behind = true
	default:
		return broker.Claim{}
	}
	return claim
}

// defaultKey returns asynq's key of t, or its type where every one of a type is
// to be the same. A task without payload and one with an empty payload are two.
func defaultKey(t *task.Task, m task.UniqueMode) string {
	switch {
	case m == task.Debounced || m == task.RunAgain:
		return t.Type()
	case t.Payload() == nil:
		return t.Type() + ":"
	default:
		sum := md5.Sum(t.Payload())
		return t.Type() + ":" + hex.EncodeToString(sum[:])
	}
}

// maxTries is how often a request is sent while others, or workers, are always
// faster.
const maxTries = 16

// insist has r stored as its uniqueness asks for, now that its first try had the
// given outcome, and notes what became of it.
func (c *Client) insist(now time.Time, r *request, outcome error) {
	for range maxTries {
		if outcome == nil {
			c.stored(now, r)
			return
		}
		if c.adjust(now, r, outcome); r.info != nil || r.err != nil {
			return
		}
		outcomes, err := apply(r.ctx, c.broker, now, []broker.Change{r.change()})
		if err != nil {
			r.fail(err)
			return
		}
		outcome = outcomes[0]
	}
	if outcome == nil {
		c.stored(now, r)
		return
	}
	r.fail(enqueueError(r.entry, outcome))
}

// adjust says what to try next, now that r was refused with outcome: r is another
// then. Or it notes what became of it.
func (c *Client) adjust(now time.Time, r *request, outcome error) {
	if r.replaces && r.concerns(outcome) {
		r.asNew() // the one to be replaced has begun, or ended
		return
	}
	claimed, ok := errors.AsType[*broker.ClaimedError](outcome)
	if !ok || r.unique.OnConflict == task.Reject {
		r.fail(enqueueError(r.entry, outcome))
		return
	}
	holder, err := c.broker.Entry(r.ctx, broker.EntryRef{Queue: r.entry.Queue, ID: claimed.Holder})
	gone := errors.Is(err, broker.ErrNotFound)
	switch {
	case err != nil && !gone:
		r.fail(fmt.Errorf("read task %s, which holds key %s: %w", claimed.Holder, claimed.Key, err))
	case !gone && r.unique.OnConflict == task.Ignore:
		r.info = InfoOf(now, holder)
	case !gone && waits(holder):
		r.take(now, holder)
	default:
		r.missed(now, claimed, holder, gone)
	}
}

// missed deals with a holder that does not wait. It may have begun, or ended,
// after the claim was checked, and then the next try goes better. One that is
// gone may also be one that the caller's own transaction has enqueued.
func (r *request) missed(now time.Time, claimed *broker.ClaimedError, holder broker.Stored, gone bool) {
	r.misses++
	lasting := r.unique.Mode == task.UntilTTL || r.unique.Mode == task.UntilDone || r.unique.Mode == task.ForPeriod
	switch {
	case lasting && (r.misses > 2 || holder.State == task.Active):
		if r.unique.OnConflict == task.Ignore {
			r.info = &task.Info{ID: claimed.Holder, Queue: r.entry.Queue, UniqueKey: claimed.Key}
			return
		}
		r.fail(enqueueError(r.entry, claimed))
	case gone && r.misses%2 == 0 && r.unique.OnConflict == task.Replace:
		unread := broker.Stored{State: task.Pending}
		unread.ID = claimed.Holder
		r.take(now, unread)
	}
}

// waits reports whether an entry can be replaced.
func waits(s broker.Stored) bool {
	switch s.State {
	case task.Pending, task.Scheduled, task.Retry, task.Aggregating:
		return true
	default:
		return false
	}
}

// take has r take the place of holder.
func (r *request) take(now time.Time, holder broker.Stored) {
	r.fresh = r.entry
	r.replaces, r.held, r.entry.ID = true, holder.State, holder.ID
	switch {
	case r.unique.Mode == task.Debounced:
		r.entry.DueAt = debounced(now, r.unique, holder.Claim.Since)
		if !holder.Claim.Since.IsZero() {
			r.entry.Claim.Since = holder.Claim.Since
		}
	case r.unique.Mode == task.RunAgain:
	case r.entry.DueAt.IsZero() && (holder.State == task.Scheduled || holder.State == task.Retry):
		r.entry.DueAt = now
	}
}

// asNew takes back that r replaces another.
func (r *request) asNew() { r.replaces, r.entry = false, r.fresh }

// debounced returns when a task is due that was enqueued anew at now, the first
// time at since. It is zero if it may wait no longer: then it keeps its place.
func debounced(now time.Time, u task.Uniqueness, since time.Time) time.Time {
	due := now.Add(u.For)
	if u.MaxWait == 0 || since.IsZero() {
		return due
	}
	if limit := since.Add(u.MaxWait); due.After(limit) {
		due = limit
	}
	if !due.After(now) {
		return time.Time{}
	}
	return due
}

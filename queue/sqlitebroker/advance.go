package sqlitebroker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectNext = prepared(`SELECT at FROM leat_entry WHERE queue = ? AND state = ? ORDER BY at LIMIT 1`)

	selectClosing = prepared(`SELECT num, id FROM leat_home
		WHERE queue = ? AND close <= ? ORDER BY close, id LIMIT ?`)
	selectNextClose = prepared(`SELECT close FROM leat_home WHERE queue = ? AND close IS NOT NULL ORDER BY close LIMIT 1`)
	selectNextGone  = prepared(`SELECT until FROM leat_claim WHERE queue = ? AND gone IS NOT NULL ORDER BY until LIMIT 1`)
)

// Advance implements [broker.Broker]. It only reads if nothing is due and nothing
// leased, and deletes at most a thousand rows of homes that are closed; while
// more of them are left, Next is not after now.
func (b *Broker) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	if err := r.Check(); err != nil {
		return broker.Advanced{}, fmt.Errorf("advance: %w", err)
	}
	var a broker.Advanced
	var write bool
	err := b.read(ctx, func(c *conn) {
		a.Next = c.nextDue(now, r)
		write = !a.Next.IsZero() && !a.Next.After(now) || c.mustWrite(now, r)
	})
	if err == nil && write {
		err = b.writer.write(ctx, func(t *tx) { a = t.advance(now, r) })
	}
	if err != nil {
		return broker.Advanced{}, fmt.Errorf("advance: %w", err)
	}
	return a, nil
}

func (t *tx) advance(now time.Time, r broker.AdvanceRequest) broker.Advanced {
	var a broker.Advanced
	left := func() int { return r.Limit - a.Total() }
	for _, name := range r.Queues {
		q := t.queue(name)
		if q != nil {
			t.observe(q, now)
			a.Due += t.makeDue(q, now, left())
			t.recover(q, now, left(), &a)
			a.Expired += t.expire(q, now, left())
			t.forgetDays(q, now)
			t.forgetClaims(q, now)
		}
		a.Closed += t.closeHomes(name, now, left())
		if q != nil {
			a.Returned += t.returnBatches(q, now, left())
			a.Trimmed += t.trim(q, now, r.Keep, left())
		}
	}
	t.drain(now)
	t.purge()
	t.flush()
	a.Next = t.nextDue(now, r)
	if a.Total() == r.Limit {
		a.Next = now
	}
	return a
}

// makeDue makes ready what is due, in order of the due times. What waits behind a
// claim that is held waits on.
func (t *tx) makeDue(q *queue, now time.Time, most int) (ready int) {
	for ready < most && t.err == nil {
		due := append(t.due(q, task.Scheduled, now, most-ready), t.due(q, task.Retry, now, most-ready)...)
		if len(due) == 0 {
			break
		}
		slices.SortFunc(due, func(a, b known) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) })
		for i := range due[:min(len(due), most-ready)] {
			k := &due[i]
			if !k.claim.behind {
				t.makeReady(now, k)
			} else if !t.stepOrWait(now, k) {
				continue
			}
			ready++
		}
	}
	return ready
}

// recover puts entries whose leases have run out at the front, the one that did
// first before the others.
func (t *tx) recover(q *queue, now time.Time, most int, a *broker.Advanced) {
	if q.graceful(now) {
		return
	}
	ended := t.due(q, task.Active, now, most)
	place := q.front(len(ended))
	for i := range ended {
		if t.crashed(now, &ended[i], place+int64(i)) {
			a.Cancelled++
		} else {
			a.Recovered++
		}
	}
}

// expire deletes completed entries at the end of their retention.
func (t *tx) expire(q *queue, now time.Time, most int) int {
	past := t.due(q, task.Completed, now, most)
	for i := range past {
		t.remove(now, &past[i], true)
	}
	return len(past)
}

// closeHomes takes the names from homes whose time has come, which makes them
// homes that are not there.
func (t *tx) closeHomes(queue string, now time.Time, most int) int {
	if most <= 0 {
		return 0
	}
	var nums []int64
	t.on(selectClosing).text(queue).int(now.UnixMilli()).int(int64(most)).each(func(r *row) {
		nums = append(nums, r.int())
		delete(t.homes, broker.Home{Queue: queue, ID: r.text()})
	})
	for _, num := range nums {
		t.on(unnameHome).int(num).exec()
	}
	return len(nums)
}

// nextDue returns when something in queues is next due, at or before now if it
// is or if closed homes are left to purge, zero if nothing waits.
func (c *conn) nextDue(now time.Time, r broker.AdvanceRequest) time.Time {
	var next int64
	sooner := func(at int64) {
		if next == 0 || at < next {
			next = at
		}
	}
	for _, name := range r.Queues {
		if q := c.queue(name); q != nil {
			c.nextOf(q, now, r.Keep, sooner)
		}
		c.on(selectNextClose).text(name).first(func(r *row) { sooner(r.int()) })
	}
	if c.on(selectUnnamed).first(func(*row) {}) {
		return now
	}
	return fromMilli(next)
}

// nextOf gives to sooner when something in q is next due.
func (c *conn) nextOf(q *queue, now time.Time, keep broker.ArchiveLimits, sooner func(int64)) {
	c.nextIn(q, task.Scheduled, sooner)
	c.nextIn(q, task.Retry, sooner)
	c.nextIn(q, task.Completed, sooner)
	if q.count[task.Active] > 0 {
		c.on(selectNext).int(q.num).int(int64(task.Active)).first(func(r *row) { sooner(max(r.int(), q.grace)) })
	}
	if q.count[task.Aggregating] > 0 {
		c.on(selectNextBatch).int(q.num).first(func(r *row) { sooner(max(r.int(), q.grace)) })
	}
	if len(c.excess(q, now, keep, 1)) > 0 {
		sooner(now.UnixMilli())
	}
}

// nextIn gives to sooner when the first of the entries of q in a state is due.
func (c *conn) nextIn(q *queue, state task.State, sooner func(int64)) {
	if q.count[state] > 0 {
		c.on(selectNext).int(q.num).int(int64(state)).first(func(r *row) { sooner(r.int()) })
	}
}

// mustWrite reports whether there is something to write though nothing is due.
func (c *conn) mustWrite(now time.Time, r broker.AdvanceRequest) bool {
	return slices.ContainsFunc(r.Queues, func(name string) (must bool) {
		q := c.queue(name)
		if q == nil {
			return false
		}
		c.on(selectNextGone).int(q.num).first(func(r *row) { must = r.int() <= now.UnixMilli() })
		return must || c.leased(q)
	})
}

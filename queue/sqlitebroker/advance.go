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
	selectDue = prepared(`SELECT num, id, state, at FROM leat_entry
		WHERE queue = ? AND state = ? AND at <= ? ORDER BY at, id LIMIT ?`)
	selectNext = prepared(`SELECT at FROM leat_entry WHERE queue = ? AND state = ? ORDER BY at LIMIT 1`)

	selectClosing = prepared(`SELECT num, id FROM leat_home
		WHERE queue = ? AND close <= ? ORDER BY close, id LIMIT ?`)
	selectNextClose = prepared(`SELECT close FROM leat_home WHERE queue = ? AND close IS NOT NULL ORDER BY close LIMIT 1`)
)

// timed are the states that end by themselves.
var timed = [...]task.State{task.Scheduled, task.Retry, task.Active, task.Completed}

// Advance implements [broker.Broker]. It only reads unless something is due, and
// deletes at most a thousand rows of homes that are closed; while more of them
// are left, Next is not after now.
func (b *Broker) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	if err := r.Check(); err != nil {
		return broker.Advanced{}, fmt.Errorf("advance: %w", err)
	}
	var a broker.Advanced
	err := b.read(ctx, func(c *conn) { a.Next = c.nextDue(now, r.Queues) })
	if err == nil && !a.Next.IsZero() && !a.Next.After(now) {
		err = b.writer.write(ctx, func(t *tx) { a = t.advance(now, r) })
	}
	if err != nil {
		return broker.Advanced{}, fmt.Errorf("advance: %w", err)
	}
	return a, nil
}

func (t *tx) advance(now time.Time, r broker.AdvanceRequest) broker.Advanced {
	var a broker.Advanced
	for _, name := range r.Queues {
		if q := t.queue(name); q != nil {
			a.Due += t.makeDue(q, now, r.Limit-a.Total())
			a.Recovered += t.recover(q, now, r.Limit-a.Total())
			a.Expired += t.expire(q, now, r.Limit-a.Total())
			t.forgetDays(q, now)
		}
		a.Closed += t.closeHomes(name, now, r.Limit-a.Total())
	}
	t.purge()
	a.Next = t.nextDue(now, r.Queues)
	if a.Total() == r.Limit {
		a.Next = now
	}
	return a
}

// A dueEntry is one whose time has come.
type dueEntry struct {
	num   int64
	id    string
	state task.State
	at    int64
}

// due returns at most most entries of q whose state ends by now, in order.
func (t *tx) due(q *queue, state task.State, now time.Time, most int) []dueEntry {
	var found []dueEntry
	if most > 0 {
		t.on(selectDue).int(q.num).int(int64(state)).int(now.UnixMilli()).int(int64(most)).each(func(r *row) {
			found = append(found, dueEntry{r.int(), r.text(), task.State(r.int()), r.int()})
		})
	}
	return found
}

// makeDue puts what is due at the back, in order of the due times.
func (t *tx) makeDue(q *queue, now time.Time, most int) int {
	due := append(t.due(q, task.Scheduled, now, most), t.due(q, task.Retry, now, most)...)
	slices.SortFunc(due, func(a, b dueEntry) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) })
	due = due[:min(len(due), max(most, 0))]
	for _, e := range due {
		t.on(moveEntry).int(e.num).int(int64(task.Pending)).int(q.back()).int(milli(now)).exec()
		q.move(e.state, task.Pending, 1)
	}
	return len(due)
}

// recover puts entries whose leases have run out at the front, the one that did
// first before the others.
func (t *tx) recover(q *queue, now time.Time, most int) int {
	ended := t.due(q, task.Active, now, most)
	place := q.front(len(ended))
	for i, e := range ended {
		t.on(moveEntry).int(e.num).int(int64(task.Pending)).int(place + int64(i)).int(milli(now)).exec()
	}
	q.move(task.Active, task.Pending, len(ended))
	return len(ended)
}

// expire deletes completed entries at the end of their retention.
func (t *tx) expire(q *queue, now time.Time, most int) int {
	past := t.due(q, task.Completed, now, most)
	for _, e := range past {
		t.on(deleteEntry).int(e.num).exec()
	}
	q.add(task.Completed, -len(past))
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
func (c *conn) nextDue(now time.Time, queues []string) time.Time {
	var next int64
	sooner := func(r *row) {
		if at := r.int(); next == 0 || at < next {
			next = at
		}
	}
	for _, name := range queues {
		num := c.queueNum(name)
		for _, state := range timed {
			c.on(selectNext).int(num).int(int64(state)).first(sooner)
		}
		c.on(selectNextClose).text(name).first(sooner)
	}
	if c.on(selectUnnamed).first(func(*row) {}) {
		return now
	}
	return fromMilli(next)
}

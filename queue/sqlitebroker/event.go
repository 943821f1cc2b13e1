package sqlitebroker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	insertEvent  = prepared(`INSERT INTO leat_event (at, queue, entry, state) VALUES (?, ?, ?, ?)`)
	deleteEvents = prepared(`DELETE FROM leat_event WHERE num IN (SELECT num FROM leat_event WHERE num <= ? ORDER BY num LIMIT 2)`)
	selectEvents = prepared(`SELECT num, at, queue, entry, state FROM leat_event WHERE num > ? ORDER BY num LIMIT ?`)
	selectAny    = prepared(`SELECT 1 FROM leat_event WHERE num > 0 LIMIT 1`)
	selectEvent  = prepared(`SELECT 1 FROM leat_event WHERE num = ?`)
)

// errNoEvents is what a broker says that was opened without Options.Events, of a file
// in which no other broker keeps any.
var errNoEvents = fmt.Errorf("%w: no events are kept: set Options.Events", errors.ErrUnsupported)

// event notes that an entry has come into a state. The oldest two are forgotten
// when there are too many, so that a smaller number is reached in time.
func (t *tx) event(now time.Time, q *queue, id string, state task.State) {
	t.on(insertEvent).int(milli(now)).text(q.name).text(id).int(int64(state)).exec()
	t.on(deleteEvents).int(t.db.LastInsertRowID() - int64(t.events)).exec()
}

// Events implements [broker.Streamer]. Where Options.Events is not set, it returns those
// that other brokers keep, and refuses if there are none.
func (b *Broker) Events(ctx context.Context, after string, limit int) ([]broker.Event, error) {
	var all []broker.Event
	kept := b.options.Events > 0
	err := b.read(ctx, func(c *conn) {
		kept = c.on(selectAny).first(func(*row) {}) || kept
		c.on(selectEvents).int(c.cursor(after)).int(int64(max(limit, 0))).each(func(r *row) {
			all = append(all, broker.Event{
				Cursor: strconv.FormatInt(r.int(), 10), At: r.milli(),
				Entry: broker.EntryRef{Queue: r.text(), ID: r.text()}, State: task.State(r.int()),
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("events after %q: %w", after, err)
	}
	if !kept {
		return nil, fmt.Errorf("events: %w", refused(errNoEvents))
	}
	return all, nil
}

// cursor returns the number of the event that after names, 0 if that is not
// kept.
func (c *conn) cursor(after string) int64 {
	num, err := strconv.ParseInt(after, 10, 64)
	if err != nil || !c.on(selectEvent).int(num).first(func(*row) {}) {
		return 0
	}
	return num
}

package sqlitebroker

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A latch is a row of leat_latch.
type latch struct {
	num                      int64
	window, stopAt, tolerate int
	broker.LatchState
	changed bool
}

const latchColumns = `num, id, total, window, stop_at, tolerate, fed, released, arrived, marked, complete`

var (
	selectLatch = prepared(`SELECT ` + latchColumns + ` FROM leat_latch WHERE home = ? AND id = ?`)
	insertLatch = prepared(`INSERT INTO leat_latch (home, id, total, window, stop_at, tolerate) VALUES (?, ?, ?, ?, ?, ?)`)
	updateLatch = prepared(`UPDATE leat_latch SET fed = ?2, released = ?3, arrived = ?4, marked = ?5, complete = ?6
		WHERE num = ?1`)

	insertPart = prepared(`INSERT INTO leat_part (latch, body) VALUES (?, ?)`)
	selectPart = prepared(`SELECT body FROM leat_part WHERE latch = ?`)

	// setBit changes no row if the bit is set already.
	setBit = prepared(`INSERT INTO leat_arrival (latch, word, bits) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET bits = bits | excluded.bits WHERE bits & excluded.bits = 0`)

	insertFed = prepared(`INSERT INTO leat_feed (latch, place, entry) VALUES (?, ?, ?)`)
	selectFed = prepared(`SELECT entry FROM leat_feed WHERE latch = ? AND place >= ? ORDER BY place LIMIT ?`)
	deleteFed = prepared(`DELETE FROM leat_feed WHERE latch = ? AND place < ?`)
)

// latch reads latchColumns.
func (r *row) latch() *latch {
	l := &latch{num: r.int()}
	l.ID, l.Total = r.text(), int(r.int())
	l.window, l.stopAt, l.tolerate = int(r.int()), int(r.int()), int(r.int())
	l.Fed, l.Released, l.Arrived, l.Marked = int(r.int()), int(r.int()), int(r.int()), int(r.int())
	l.Complete = r.int() != 0
	l.Stopped = l.stopAt > 0 && l.Marked >= l.stopAt
	return l
}

// latch returns a latch of h, or nil.
func (c *conn) latch(h *home, id string) (l *latch) {
	c.on(selectLatch).int(h.num).text(id).first(func(r *row) { l = r.latch() })
	return l
}

// latch returns a latch of h, which may be nil, as t has left it, or nil.
func (t *tx) latch(h *home, id string) *latch {
	if h == nil {
		return nil
	}
	l, known := h.latches[id]
	if !known {
		l = t.conn.latch(h, id)
		h.latches[id] = l
	}
	return l
}

func (t *tx) flushLatch(l *latch) {
	if l == nil || !l.changed {
		return
	}
	complete := int64(0)
	if l.Complete {
		complete = 1
	}
	t.on(updateLatch).int(l.num).int(int64(l.Fed)).int(int64(l.Released)).
		int(int64(l.Arrived)).int(int64(l.Marked)).int(complete).exec()
	l.changed = false
}

// checkLatches says whether the latches that c is about are there, and those
// that it opens are not.
func (t *tx) checkLatches(c *broker.Change) error {
	if len(c.Open)+len(c.Feed)+len(c.Arrive) == 0 {
		return nil
	}
	h := t.home(c.Home)
	total := func(id string) int { // of a latch that is there or is opened by c; -1: of none
		if l := t.latch(h, id); l != nil {
			return l.Total
		}
		for i := range c.Open {
			if c.Open[i].ID == id {
				return c.Open[i].Total
			}
		}
		return -1
	}
	arrivals := func(arrive []broker.Arrival) error {
		for _, a := range arrive {
			if a.Member >= total(a.Latch) {
				return broker.LatchNotFound(c.Home, a.Latch)
			}
		}
		return nil
	}
	for i := range c.Open {
		l := &c.Open[i]
		if t.latch(h, l.ID) != nil {
			return &broker.ExistsError{Latch: l.ID}
		}
		if err := arrivals(l.Then.Arrive); err != nil {
			return err
		}
		if err := arrivals(l.Else.Arrive); err != nil {
			return err
		}
	}
	for _, f := range c.Feed {
		if total(f.Latch) < 0 {
			return broker.LatchNotFound(c.Home, f.Latch)
		}
	}
	return arrivals(c.Arrive)
}

// writeLatches opens, feeds and reaches latches of c's home. Arrivals that
// latches make as they complete wait behind those that wait already.
func (t *tx) writeLatches(now time.Time, c *broker.Change) {
	if len(c.Open)+len(c.Feed)+len(c.Arrive) == 0 {
		return
	}
	h := t.madeHome(c.Home)
	for i := range c.Open {
		t.open(h, &c.Open[i])
	}
	var arrivals []broker.Arrival
	for i := range c.Open {
		arrivals = append(arrivals, t.complete(now, t.latch(h, c.Open[i].ID))...)
	}
	for _, f := range c.Feed {
		t.feed(now, t.latch(h, f.Latch), f.Entries)
	}
	arrivals = append(arrivals, c.Arrive...)
	for i := 0; i < len(arrivals) && t.err == nil; i++ {
		a := arrivals[i]
		l := t.latch(h, a.Latch)
		if l == nil { // it was there when the latch that arrives was opened
			t.note(broker.LatchNotFound(c.Home, a.Latch))
			return
		}
		arrivals = append(arrivals, t.arrive(now, l, a)...)
	}
}

// open adds l to h.
func (t *tx) open(h *home, l *broker.Latch) {
	t.on(insertLatch).int(h.num).text(l.ID).int(int64(l.Total)).
		int(int64(l.Window)).int(int64(l.StopAt)).int(int64(l.Tolerate)).exec()
	opened := &latch{
		num:        t.db.LastInsertRowID(),
		window:     l.Window,
		stopAt:     l.StopAt,
		tolerate:   l.Tolerate,
		LatchState: broker.LatchState{ID: l.ID, Total: l.Total},
	}
	h.latches[l.ID] = opened
	if parts := record(l.Then, l.Else); !parts.empty() {
		t.on(insertPart).int(opened.num).text(t.json(1, parts)).exec()
	}
}

// arrive reports a member to l, and returns the arrivals that l makes if it
// completes by that.
func (t *tx) arrive(now time.Time, l *latch, a broker.Arrival) []broker.Arrival {
	if l.Complete || !t.setBit(l, a.Member) {
		return nil
	}
	l.changed = true
	l.Arrived++
	if a.Mark {
		l.Marked++
		l.Stopped = l.Stopped || l.Marked == l.stopAt
	}
	made := t.complete(now, l)
	t.release(now, l)
	return made
}

// setBit notes a member of l, and says whether it was the first time.
func (t *tx) setBit(l *latch, member int) bool {
	const bits = 64
	t.on(setBit).int(l.num).int(int64(member / bits)).int(int64(uint64(1) << (member % bits))).exec()
	return t.changed()
}

// complete completes l if nothing is missing: it adds the entries of Then or
// Else, and returns their arrivals.
func (t *tx) complete(now time.Time, l *latch) []broker.Arrival {
	all := l.Arrived == l.Total || l.Stopped && l.Arrived >= l.Released
	if !all {
		return nil
	}
	l.Complete, l.changed = true, true
	part := t.part(l)
	for i := range part.Enqueue {
		t.enqueue(now, &part.Enqueue[i])
	}
	return part.Arrive
}

// part returns what l does now that it is complete.
func (t *tx) part(l *latch) broker.Part {
	var parts recordedParts
	t.on(selectPart).int(l.num).first(func(r *row) { t.note(r.json("body", &parts)) })
	if l.Marked > l.tolerate {
		return parts.Else.part()
	}
	return parts.Then.part()
}

// feed gives l entries to release, and releases what its window lets through.
func (t *tx) feed(now time.Time, l *latch, entries []broker.Entry) {
	if l.Stopped || l.Complete {
		return
	}
	l.changed = l.changed || len(entries) > 0
	for i := range entries {
		if l.room() > 0 && l.Released == l.Fed {
			t.enqueue(now, &entries[i])
			l.Released++
		} else {
			t.on(insertFed).int(l.num).int(int64(l.Fed)).text(t.json(1, recordEntry(&entries[i]))).exec()
		}
		l.Fed++
	}
}

// release enqueues what waits in l, as much as its window lets through.
func (t *tx) release(now time.Time, l *latch) {
	n := min(l.room(), l.Fed-l.Released)
	if n <= 0 || l.Stopped || l.Complete {
		return
	}
	var freed []broker.Entry
	t.on(selectFed).int(l.num).int(int64(l.Released)).int(int64(n)).each(func(r *row) {
		var e recordedEntry
		t.note(r.json("entry", &e))
		freed = append(freed, e.entry())
	})
	for i := range freed {
		t.enqueue(now, &freed[i])
	}
	l.Released += len(freed)
	t.on(deleteFed).int(l.num).int(int64(l.Released)).exec()
}

// room returns how many entries l may release now.
func (l *latch) room() int {
	if l.window == 0 {
		return broker.MaxParts
	}
	return l.window - (l.Released - l.Arrived)
}

// Latches implements [broker.Broker].
func (b *Broker) Latches(ctx context.Context, name broker.Home, ids ...string) ([]broker.LatchState, error) {
	if err := broker.CheckLatches(name, ids); err != nil {
		return nil, fmt.Errorf("latches of %s: %w", name, err)
	}
	found := make([]broker.LatchState, 0, len(ids))
	var missing error
	err := b.read(ctx, func(c *conn) {
		h := c.home(name)
		for _, id := range ids {
			var l *latch
			if h != nil {
				l = c.latch(h, id)
			}
			if l == nil {
				missing = broker.LatchNotFound(name, id)
				return
			}
			found = append(found, l.LatchState)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("latches of %s: %w", name, err)
	}
	if missing != nil {
		return nil, missing
	}
	return found, nil
}

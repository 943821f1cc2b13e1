package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A home is a row of leat_home, and those of its latches that were looked at.
type home struct {
	num     int64
	version int64
	bytes   int64 // of the bodies of its documents
	changed bool
	latches map[string]*latch
}

var (
	selectHome = prepared(`SELECT num, version, bytes FROM leat_home WHERE queue = ? AND id = ?`)
	insertHome = prepared(`INSERT INTO leat_home (queue, id) VALUES (?, ?)`)
	updateHome = prepared(`UPDATE leat_home SET version = ?, bytes = ? WHERE num = ?`)
	closeHome  = prepared(`UPDATE leat_home SET close = ? WHERE num = ?`)
)

// home returns the home of that name, or nil.
func (c *conn) home(name broker.Home) (h *home) {
	c.on(selectHome).text(name.Queue).text(name.ID).first(func(r *row) {
		h = &home{num: r.int(), version: r.int(), bytes: r.int(), latches: make(map[string]*latch)}
	})
	return h
}

// home returns the home of that name as t has left it, or nil.
func (t *tx) home(name broker.Home) *home {
	h, known := t.homes[name]
	if !known {
		h = t.conn.home(name)
		t.homes[name] = h
	}
	return h
}

// madeHome returns the home of that name, which comes into being by that.
func (t *tx) madeHome(name broker.Home) *home {
	h := t.home(name)
	if h == nil {
		t.on(insertHome).text(name.Queue).text(name.ID).exec()
		h = &home{num: t.db.LastInsertRowID(), latches: make(map[string]*latch)}
		t.homes[name] = h
	}
	return h
}

// closeAt notes when h is to be deleted.
func (t *tx) closeAt(h *home, at time.Time) {
	t.on(closeHome).int(milli(at)).int(h.num).exec()
}

func (t *tx) flushHome(h *home) {
	if h == nil {
		return
	}
	if h.changed {
		t.on(updateHome).int(h.version).int(h.bytes).int(h.num).exec()
		h.changed = false
	}
	for _, l := range h.latches {
		t.flushLatch(l)
	}
}

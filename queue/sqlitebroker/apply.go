package sqlitebroker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	selectPages = prepared(`PRAGMA page_count`)
	selectFree  = prepared(`PRAGMA freelist_count`)
)

// Apply implements [broker.Broker]: changes and leases are one commit.
func (b *Broker) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if err := want.Check(); err != nil {
		return broker.Applied{}, fmt.Errorf("apply: %w", err)
	}
	malformed := checkAll(changes)
	var applied broker.Applied
	err := b.writer.write(ctx, func(t *tx) {
		applied = broker.Applied{Outcomes: t.applyAll(now, changes, malformed)}
		t.lease(now, want, &applied)
		t.passOn(want.Pass)
	})
	if err != nil {
		return broker.Applied{}, fmt.Errorf("apply: %w", err)
	}
	return applied, nil
}

// checkAll returns what is malformed in each of changes.
func checkAll(changes []broker.Change) []error {
	malformed := make([]error, len(changes))
	for i := range changes {
		malformed[i] = changes[i].Check()
	}
	return malformed
}

// applyAll applies those changes that are not malformed, and returns the outcome
// of each.
func (t *tx) applyAll(now time.Time, changes []broker.Change, malformed []error) []error {
	if t.capacity > 0 && !slices.ContainsFunc(changes, frees) {
		t.demandRoom(changes)
	}
	outcomes := slices.Clone(malformed)
	for i := range changes {
		if malformed[i] == nil {
			outcomes[i] = t.apply(now, &changes[i])
		}
	}
	return outcomes
}

// frees reports whether c may be what makes room.
func frees(c broker.Change) bool { return len(c.Settle)+len(c.Move) > 0 }

// demandRoom refuses changes if they would fill the database to more than its
// capacity. Those that settle or move entries are let into what lies beyond.
func (t *tx) demandRoom(changes []broker.Change) {
	var pages, free, bytes int64
	t.on(selectPages).first(func(r *row) { pages = r.int() })
	t.on(selectFree).first(func(r *row) { free = r.int() })
	for i := range changes {
		bytes += int64(changes[i].Bytes())
	}
	if used := (pages - free) * pageSize; bytes > 0 && used+bytes > t.capacity {
		t.note(fmt.Errorf("database in memory is full: it holds %d of %d bytes", used, t.capacity))
	}
}

// apply makes every check of c, and then every write of it.
func (t *tx) apply(now time.Time, c *broker.Change) error {
	if lone(c) { // the most frequent change, in half the time
		if e := &c.Enqueue[0]; !t.enqueue(now, e) {
			return &broker.ExistsError{Entry: e.EntryRef}
		}
		return nil
	}
	if loneDone(c) && t.donePlain(now, &c.Settle[0]) {
		return nil
	}
	if err := t.check(now, c); err != nil {
		return err
	}
	for i := range c.Settle {
		t.settle(now, &c.Settle[i], &t.held[i])
	}
	for _, m := range c.Move {
		t.move(now, m)
	}
	for i := range c.Replace {
		t.replace(now, &c.Replace[i])
	}
	for _, ref := range c.Watch {
		t.watch(ref)
	}
	if len(c.Put) > 0 {
		t.put(t.madeHome(c.Home), c.Put)
	}
	for i := range c.Enqueue {
		t.enqueue(now, &c.Enqueue[i])
	}
	t.writeLatches(now, c)
	if len(c.Drain) > 0 {
		t.drainWith(c.Home, c.Drain)
	}
	if c.List != nil {
		t.list(c.Home, c.List)
	}
	if !c.Close.IsZero() {
		t.closeAt(t.madeHome(c.Home), c.Close)
	}
	t.drain(now)
	return nil
}

// lone reports whether c is but one entry without a claim: to add it is to check it.
func lone(c *broker.Change) bool {
	return len(c.Enqueue) == 1 && c.Enqueue[0].Claim.Key == "" && c.Parts() == 1 && c.List == nil && c.Close.IsZero()
}

// loneDone reports whether c is but the end of one entry: to delete it is to check it.
func loneDone(c *broker.Change) bool {
	return len(c.Settle) == 1 && c.Settle[0].To == broker.Done && c.Parts() == 1 && c.List == nil && c.Close.IsZero()
}

// check returns the first reason against c in what is there.
func (t *tx) check(now time.Time, c *broker.Change) error {
	if err := t.checkSettle(c.Settle); err != nil {
		return err
	}
	if err := t.checkMoves(now, c.Move); err != nil {
		return err
	}
	if err := t.checkReplace(now, c.Replace); err != nil {
		return err
	}
	if err := t.checkWatch(c.Watch); err != nil {
		return err
	}
	if err := t.checkDocuments(c); err != nil {
		return err
	}
	if err := t.checkEnqueue(now, c.Enqueue); err != nil {
		return err
	}
	return t.checkLatches(c)
}

package history

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

const (
	// maxTries is how often a document is written that others write, too.
	maxTries = 10

	// maxLate is how long what was counted waits for a storage that does not answer.
	maxLate = time.Hour

	// How much is written in one call.
	maxChanges = 100
	maxBytes   = 1 << 20

	// tidyInterval is how often what is kept no longer is deleted while nothing is begun.
	tidyInterval = day
)

// Write writes what was taken, with the gauges of the queues unless another server has
// looked at them before. It makes up to four trips, and another once an hour to delete what
// is kept no longer; none but that, once a day, if nothing was taken and the server is not
// busy. What certainly was not written is written with what is taken within the next hour;
// what may have been is not written again.
func (k *Keeper) Write(ctx context.Context, now time.Time, busy bool) error {
	var err error
	if busy || len(k.drafts) > 0 {
		err = k.write(ctx, now)
	}
	maps.DeleteFunc(k.drafts, func(_ place, d *draft) bool { return now.Sub(d.since) > maxLate })
	if k.fresh || now.Sub(k.tidied) >= tidyInterval {
		err = errors.Join(err, k.tidy(ctx, now))
	}
	return err
}

// tidy deletes what is kept no longer.
func (k *Keeper) tidy(ctx context.Context, now time.Time) error {
	_, err := k.broker.Advance(ctx, now, broker.AdvanceRequest{Queues: []string{homes}, Limit: broker.MaxParts})
	k.fresh, k.tidied = false, now
	return err
}

func (k *Keeper) write(ctx context.Context, now time.Time) error {
	var blind error // one queue that cannot be counted has no other lose its history
	if !k.led || len(k.drafts) == 0 {
		blind = k.look(ctx, now)
	}
	if err := k.read(ctx); err != nil {
		return errors.Join(blind, err)
	}
	k.led = k.isLed()
	for range maxTries {
		for rest := k.sorted(); len(rest) > 0; {
			var err error
			if rest, err = k.commit(ctx, now, rest); err != nil {
				return errors.Join(blind, err)
			}
		}
	}
	return blind
}

// look has the gauges written of queues in which anything was done or waits.
func (k *Keeper) look(ctx context.Context, now time.Time) error {
	served := k.tally.served()
	if len(served) == 0 {
		return nil
	}
	counts, err := k.broker.Counts(ctx, now, served...)
	if err != nil {
		return err
	}
	for _, c := range counts {
		p, _ := minutes.place(c.Queue, k.minute)
		waits := c.Size()-c.Archived-c.Completed > 0
		if k.drafts[p] != nil || waits {
			k.draft(c.Queue, &slot{gauges: gaugesOf(c, now)})
		}
	}
	return nil
}

func gaugesOf(c broker.Counts, now time.Time) Gauges {
	g := Gauges{
		Known:       true,
		Pending:     int64(c.Pending),
		Active:      int64(c.Active),
		Scheduled:   int64(c.Scheduled),
		Retry:       int64(c.Retry),
		Archived:    int64(c.Archived),
		Completed:   int64(c.Completed),
		Aggregating: int64(c.Aggregating),
	}
	if !c.ReadySince.IsZero() {
		g.Oldest = max(now.Sub(c.ReadySince), 0)
	}
	return g
}

// isLed reports whether somebody else has looked at all the queues that there is anything
// to write of.
func (k *Keeper) isLed() bool {
	for _, q := range k.tally.served() {
		p, i := minutes.place(q, k.minute)
		if d := k.drafts[p]; d != nil && (d.there.slots[i] == nil || !d.there.slots[i].gauges.Known) {
			return false
		}
	}
	return len(k.drafts) > 0
}

// read reads the documents that are to be written.
func (k *Keeper) read(ctx context.Context) error {
	all := k.sorted()
	for len(all) > 0 {
		n := 1
		for n < min(len(all), atOnce) && all[n].home == all[0].home {
			n++
		}
		some := all[:n]
		all = all[n:]
		keys := make([]string, n)
		for i, d := range some {
			keys[i] = d.key
		}
		docs, err := k.broker.Documents(ctx, some[0].home, keys...)
		if err != nil {
			return err
		}
		for i, d := range some {
			k.found(d, docs[i])
		}
	}
	return nil
}

// found notes what there is of a document. One that is damaged is begun anew, and one that
// a newer program has written is left alone.
func (k *Keeper) found(d *draft, doc broker.Document) {
	there, err := decode(d.home, doc, d.by.slots())
	if damage, ok := errors.AsType[*DocumentError](err); ok {
		if there = newSheet(); damage.Newer {
			delete(k.drafts, d.place)
		}
	}
	d.there, d.version = there, doc.Version
}

// sorted returns the drafts, those of one home together.
func (k *Keeper) sorted() []*draft {
	return slices.SortedFunc(maps.Values(k.drafts), func(a, b *draft) int {
		return cmp.Or(cmp.Compare(a.home.ID, b.home.ID), cmp.Compare(a.key, b.key))
	})
}

// commit makes one try to write drafts, of which it takes as many as travel in one call,
// and returns the others. Those that somebody else has written meanwhile stay, with what
// is there now.
func (k *Keeper) commit(ctx context.Context, now time.Time, drafts []*draft) (rest []*draft, err error) {
	var changes []broker.Change
	for bytes := 0; len(changes) < min(len(drafts), maxChanges) && bytes < maxBytes; {
		c := drafts[len(changes)].change()
		bytes += len(c.Put[0].Body)
		changes = append(changes, c)
	}
	applied, err := k.broker.Apply(ctx, now, changes, broker.LeaseRequest{})
	if errors.Is(err, broker.ErrRefused) {
		return nil, err
	}
	for i, d := range drafts[:len(changes)] {
		var outcome error
		if i < len(applied.Outcomes) {
			outcome = applied.Outcomes[i]
		}
		if conflict, ok := errors.AsType[*broker.ConflictError](outcome); ok {
			k.found(d, conflict.Document)
			continue
		}
		delete(k.drafts, d.place)
		k.fresh = k.fresh || d.version == 0
	}
	return drafts[len(changes):], err
}

// change returns the change that writes d.
func (d *draft) change() broker.Change {
	sum := d.there
	for _, i := range slices.Sorted(maps.Keys(d.adds.slots)) {
		sum.add(i, d.adds.slots[i])
	}
	c := broker.Change{Home: d.home, Put: []broker.Put{{Key: d.key, Body: sum.encode(), If: d.version}}}
	if d.version == 0 {
		c.Close = d.goes
	}
	return c
}

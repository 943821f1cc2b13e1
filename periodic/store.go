package periodic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// errSame says that there is nothing to change.
var errSame = errors.New("nothing to change")

// change changes the record of an entry that exists.
func (i *Inspector) change(ctx context.Context, verb, name string, f func(d *document, now time.Time) error) error {
	return i.write(ctx, verb, name, func(d *document, now time.Time) (broker.Change, error) {
		if !d.exists() {
			return broker.Change{}, ErrEntryNotFound
		}
		return broker.Change{}, f(d, now)
	})
}

// write changes the record of an entry to what f makes of it, and announces that. The
// change that f returns is made with it. If somebody else was faster f is called again.
func (i *Inspector) write(ctx context.Context, verb, name string, f func(d *document, now time.Time) (broker.Change, error)) error {
	d, err := i.read(ctx, name)
	for err == nil {
		now := broker.CeilMilli(i.clock()).UTC()
		next := d
		var c broker.Change
		if c, err = f(&next, now); err != nil {
			break
		}
		var lost *broker.Document
		if lost, err = i.put(ctx, name, next, c, now); err == nil && lost == nil {
			return nil
		}
		if err == nil {
			d, err = read(*lost)
		}
	}
	if errors.Is(err, errSame) {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, name, err)
}

// put writes d with c, or returns what somebody else has written meanwhile.
func (i *Inspector) put(ctx context.Context, name string, d document, c broker.Change, now time.Time) (*broker.Document, error) {
	c.List = d.listing(now)
	d.Listed = c.List.At
	c.Home, c.Put = homeOf(name), []broker.Put{d.put(d.version)}
	outcome, err := apply(ctx, i.broker, now, c)
	if err != nil {
		return nil, err
	}
	if conflict, ok := errors.AsType[*broker.ConflictError](outcome); ok {
		return &conflict.Document, nil
	}
	if outcome == nil {
		i.told(name, broker.Document{Key: recordKey, Version: d.version + 1, Body: c.Put[0].Body})
	}
	return nil, outcome
}

// Add stores an entry, which every scheduler of the storage runs from then on. Its
// payload must be data and its options ones that [task.ParseOption] reads. If there is
// one of that name the error is an [ExistsError]; by is told in its history.
func (i *Inspector) Add(ctx context.Context, e Entry, by string) error {
	p, err := e.compileStored()
	if err != nil {
		return fmt.Errorf("add: %w", err)
	}
	return i.write(ctx, "add", e.Name, func(d *document, now time.Time) (broker.Change, error) {
		if d.exists() {
			return broker.Change{}, &ExistsError{Entry: e.Name, Source: d.Source}
		}
		fresh := record{Source: FromStore, Spec: p.spec, Known: now, Last: now, Listed: d.Listed}
		d.record = fresh.noted(Event{Tick: now, At: now, What: EntryAdded, By: cut(by)})
		return broker.Change{Close: now.Add(keepStored)}, nil
	})
}

// Change stores e in place of the stored entry that has its name, which keeps its
// history, and is paused if that was. If its ticks are others they begin now. An entry
// from elsewhere is refused with a [SourceError].
func (i *Inspector) Change(ctx context.Context, e Entry, by string) error {
	p, err := e.compileStored()
	if err != nil {
		return fmt.Errorf("change: %w", err)
	}
	return i.change(ctx, "change", e.Name, func(d *document, now time.Time) error {
		if d.Source != FromStore {
			return &SourceError{Entry: e.Name, Source: d.Source}
		}
		if d.Spec.equal(&p.spec) {
			return errSame
		}
		d.Last = p.base(d.record, now)
		d.Spec = p.spec
		d.record = d.noted(Event{Tick: now, At: now, What: EntryChanged, By: cut(by)})
		return nil
	})
}

// Remove removes an entry that is stored, or that no living scheduler runs any more:
// then code or a provider had it once. Tasks of it that are enqueued stay, those that
// wait for others to end included. An entry from elsewhere that is run is refused with a
// [SourceError].
func (i *Inspector) Remove(ctx context.Context, name, by string) error {
	run := []Info{{Entry: Entry{Name: name}}}
	if err := i.fillRunBy(ctx, run); err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	err := i.write(ctx, "remove", name, func(d *document, now time.Time) (broker.Change, error) {
		switch {
		case !d.exists():
			return broker.Change{}, ErrEntryNotFound
		case d.Source != FromStore && len(run[0].RunBy) > 0:
			return broker.Change{}, &SourceError{Entry: name, Source: d.Source}
		}
		d.Source, d.Removed = FromStore, now
		d.record = d.noted(Event{Tick: now, At: now, What: EntryRemoved, By: cut(by)})
		return broker.Change{Close: now.Add(keepRemoved)}, nil
	})
	if err == nil {
		_ = i.broker.ForgetTicks(ctx, name) // which are there to be looked at, and few
	}
	return err
}

func (e Entry) compileStored() (*plan, error) {
	if err := e.storedFaults(); err != nil {
		return nil, err
	}
	return e.compile(FromStore)
}

var _ queue.Runner = (*Scheduler)(nil)

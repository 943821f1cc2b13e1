package gather

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

const (
	// settleTogether is how many parts are settled in one call.
	settleTogether = 100

	// settleTries is how often a part may be refused.
	settleTries = 5
)

// A Part is a change that settles members of a batch.
type Part interface {
	// Change returns what to commit: refused is nil at first, and then why what it
	// returned last was not taken.
	Change(refused error) broker.Change

	// Settled is told what became of it: nil if it was committed, an error that matches
	// [broker.ErrLeaseLost] if the members are somebody else's now, or why it is not
	// known, or never was.
	Settled(err error)
}

// Settle commits parts, many in one call, each on its own. The lease is extended no more
// from then on.
func (b *Batch) Settle(parts ...Part) {
	b.stop()
	b.watch.settle(context.WithoutCancel(b.ctx), parts)
}

// Release has members go back to their group.
func (b *Batch) Release(members []broker.Lease) { b.Settle(released(members)) }

func (w *watch) release(b *Batch, members []broker.Lease) {
	w.settle(context.WithoutCancel(b.ctx), []Part{released(members)})
}

func (w *watch) settle(ctx context.Context, parts []Part) {
	ctx, cancel := context.WithTimeout(ctx, w.Lease)
	defer cancel()
	for some := range slices.Chunk(parts, settleTogether) {
		w.settleSome(ctx, some)
	}
}

// settleSome commits parts, those again that were refused.
func (w *watch) settleSome(ctx context.Context, parts []Part) {
	refused := make([]error, len(parts))
	for range settleTries {
		changes := make([]broker.Change, len(parts))
		for i, p := range parts {
			changes[i] = p.Change(refused[i])
		}
		outcomes, doubt, err := w.commit(ctx, changes)
		if err != nil {
			w.Log.WarnContext(ctx, "members of a batch were not settled", "err", err)
			for _, p := range parts {
				p.Settled(err)
			}
			return
		}
		var again []Part
		refused = nil
		for i, p := range parts {
			switch lost := errors.Is(outcomes[i], broker.ErrLeaseLost); {
			case outcomes[i] == nil, lost && doubt:
				p.Settled(nil)
			case lost:
				p.Settled(outcomes[i])
			default:
				again, refused = append(again, p), append(refused, outcomes[i])
			}
		}
		if parts = again; len(parts) == 0 {
			return
		}
	}
	for i, p := range parts {
		p.Settled(fmt.Errorf("refused %d times: %w", settleTries, refused[i]))
	}
}

// commit makes changes, again if the storage does not answer: then there is doubt
// whether they were made before.
func (w *watch) commit(ctx context.Context, changes []broker.Change) (outcomes []error, doubt bool, err error) {
	backoff := loop.Backoff{Min: askRetry, Max: askRest}
	for {
		applied, err := w.Broker.Apply(ctx, time.Now(), changes, broker.LeaseRequest{})
		if err == nil && len(applied.Outcomes) != len(changes) {
			err = fmt.Errorf("broker answered about %d of %d changes", len(applied.Outcomes), len(changes))
		}
		if err == nil {
			return applied.Outcomes, doubt, nil
		}
		doubt = doubt || !errors.Is(err, broker.ErrRefused)
		if loop.Sleep(ctx, backoff.Next()); ctx.Err() != nil {
			return nil, doubt, err
		}
	}
}

// released returns the part that has members go back to their group.
func released(members []broker.Lease) Part {
	r := new(release)
	for _, m := range members {
		r.Settle = append(r.Settle, broker.Settlement{Token: m.Token, Entry: m.Entry, To: broker.Released})
	}
	return r
}

// A release is members that go back to their group.
type release broker.Change

// Change implements [Part].
func (r *release) Change(error) broker.Change { return broker.Change(*r) }

// Settled implements [Part].
func (r *release) Settled(error) {}

// A single is one member that is settled by itself.
type single struct {
	broker.Settlement
	settled func(error)
}

// Change implements [Part].
func (s *single) Change(error) broker.Change {
	return broker.Change{Settle: []broker.Settlement{s.Settlement}}
}

// Settled implements [Part].
func (s *single) Settled(err error) { s.settled(err) }

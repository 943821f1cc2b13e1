package shard

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A call is what one world is asked for by a call of Apply.
type call struct {
	of      []int // which of the caller's changes these are
	changes []broker.Change
	want    broker.LeaseRequest
	got     int // so many leases
}

// Apply implements [broker.Broker]. Changes go to their worlds at once, and the
// first leases that are asked for with them.
func (b *Broker) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if err := want.Check(); err != nil {
		return broker.Applied{}, fmt.Errorf("apply: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return broker.Applied{}, fmt.Errorf("apply: %w: %w", broker.ErrRefused, err)
	}
	a := &applying{b: b, ctx: ctx, now: now, outcomes: make([]error, len(changes)), want: want}
	calls := a.divide(changes)
	lessor := a.lessor()
	lessor.first(calls)
	err := a.make(calls)
	if err == nil {
		a.follow(changes)
		lessor.rest()
	}
	if err == nil && len(changes) == 0 && len(a.leases) == 0 {
		err = a.silent
	}
	if err != nil {
		a.giveBack()
		return broker.Applied{}, fmt.Errorf("apply: %w", err)
	}
	return broker.Applied{Outcomes: a.outcomes, Leases: a.leases, Parked: a.parked}, nil
}

// An applying is a call of Apply while it goes on.
type applying struct {
	b    *Broker
	ctx  context.Context
	now  time.Time
	want broker.LeaseRequest

	outcomes []error
	routes   []*route
	leases   []broker.Lease
	parked   []broker.Parked
	silent   error // of a world that was to give leases and did not answer
}

// divide sorts changes by their worlds. Some get their outcome here.
func (a *applying) divide(changes []broker.Change) map[string]*call {
	calls := make(map[string]*call)
	a.routes = make([]*route, len(changes))
	for i, c := range changes {
		if a.outcomes[i] = c.Check(); a.outcomes[i] != nil {
			continue
		}
		r, c := a.b.route(c)
		if a.outcomes[i] = r.apart; r.apart != nil || r.name == "" {
			continue
		}
		a.routes[i] = r
		to := calls[r.name]
		if to == nil {
			to = &call{}
			calls[r.name] = to
		}
		to.of = append(to.of, i)
		to.changes = append(to.changes, c)
	}
	return calls
}

// make makes calls at once and takes in what they did. It returns an error if
// one that changes something failed: a world that only was to give leases may be
// away, as long as others are there.
func (a *applying) make(calls map[string]*call) error {
	names := slices.Sorted(maps.Keys(calls))
	all, errs := parallel(names, func(name string) (broker.Applied, error) {
		c := calls[name]
		return a.b.layout.World(name).Apply(a.ctx, a.now, c.changes, c.want)
	})
	failed, done := error(nil), false
	for i, name := range names {
		c := calls[name]
		switch {
		case errs[i] == nil:
			done = done || len(c.changes) > 0
			a.take(name, c, all[i])
		case len(c.changes) > 0:
			failed = errs[i]
		default:
			a.silent = errs[i]
		}
	}
	if failed != nil && done {
		return fmt.Errorf("after a part of it took effect: %v", failed) //nolint:errorlint // not refused as a whole
	}
	return failed
}

// take takes in what the world named name did.
func (a *applying) take(name string, c *call, done broker.Applied) {
	for i, of := range c.of {
		a.outcomes[of] = done.Outcomes[i]
	}
	c.got = len(done.Leases)
	for _, l := range done.Leases {
		l.Token = a.b.layout.Mark(name, l.Token)
		if l.Lost != nil {
			l.Lost.Token = a.b.layout.Mark(name, l.Lost.Token) // batches are told by batches only
		}
		a.leases = append(a.leases, l)
	}
	a.parked = append(a.parked, done.Parked...)
}

// giveBack releases what was leased by a call that has failed: nobody hears of
// it. What cannot be given back is recovered when its lease has run out.
func (a *applying) giveBack() {
	changes := make([]broker.Change, 0, len(a.leases))
	for _, l := range slices.Backward(a.leases) {
		s := broker.Settlement{Token: l.Token, Entry: l.Entry, To: broker.Released}
		changes = append(changes, broker.Change{Settle: []broker.Settlement{s}})
	}
	if len(changes) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), giveBackTime)
	defer cancel()
	back := &applying{b: a.b, ctx: ctx, now: a.now, outcomes: make([]error, len(changes))}
	if err := back.make(back.divide(changes)); err != nil {
		return
	}
}

const giveBackTime = 5 * time.Second

// follow makes those changes again that did not find what they are about, where
// that lies.
func (a *applying) follow(changes []broker.Change) {
	for i, outcome := range a.outcomes {
		r := a.routes[i]
		if r == nil || len(r.unsure) == 0 || !errors.Is(outcome, broker.ErrNotFound) && !errors.Is(outcome, broker.ErrLeaseLost) {
			continue
		}
		name, err := a.b.whereAll(a.ctx, r)
		switch {
		case err != nil:
			a.outcomes[i] = err
		case name != "" && name != r.name:
			_, c := a.b.route(changes[i])
			calls := map[string]*call{name: {of: []int{i}, changes: []broker.Change{c}}}
			if err := a.make(calls); err != nil {
				a.outcomes[i] = fmt.Errorf("in another shard: %w", err)
			}
		}
	}
}

// whereAll names the world in which all lie that r is unsure of, or "" if one of
// them lies nowhere.
func (b *Broker) whereAll(ctx context.Context, r *route) (string, error) {
	all := ""
	for _, ref := range r.unsure {
		name, _, err := b.find(ctx, ref)
		switch {
		case errors.Is(err, broker.ErrNotFound):
			return "", nil
		case err != nil:
			return "", err
		case r.fixed && name != r.name:
			return "", &broker.ApartError{One: r.because, Other: "entry " + ref.String(), Rule: b.layout.Rule()}
		case all != "" && all != name:
			return "", &broker.ApartError{One: "entry " + r.unsure[0].String(), Other: "entry " + ref.String(), Rule: b.layout.Rule()}
		}
		all = name
	}
	return all, nil
}

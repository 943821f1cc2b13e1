package brokertest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// What a storage keeps apart ([Storage].OneQueue) cannot change together. A case
// that begins to change it ends there: the refusal must have changed nothing, so
// that what the case did before is sound and can be worked off. Random changes of
// that kind are given to the broker alone, and the model does not hear of them.

// overQueues reports whether c, which is well-formed, is about more than one queue.
func overQueues(c broker.Change) bool {
	var queues []string
	add := func(queue string) {
		if queue != "" && !slices.Contains(queues, queue) {
			queues = append(queues, queue)
		}
	}
	add(c.Home.Queue)
	var adds func(entries []broker.Entry)
	adds = func(entries []broker.Entry) {
		for _, e := range entries {
			add(e.Queue)
			if add(e.Home.Queue); e.Exit != nil {
				adds([]broker.Entry{*e.Exit})
			}
		}
	}
	for _, s := range c.Settle {
		add(s.Entry.Queue)
	}
	for _, m := range c.Move {
		add(m.Queue)
	}
	for _, r := range c.Replace {
		add(r.Entry.Queue)
	}
	for _, ref := range c.Watch {
		add(ref.Queue)
	}
	adds(c.Enqueue)
	adds(c.Drain)
	for _, l := range c.Open {
		adds(l.Then.Enqueue)
		adds(l.Else.Enqueue)
	}
	for _, f := range c.Feed {
		adds(f.Entries)
	}
	return len(queues) > 1
}

// keptApart is what a case panics with that cannot go on.
type keptApart struct{ outcome error }

// unlessApart runs a case, and reports whether it came to its end.
func unlessApart(t *testing.T, keep func()) (ended bool) {
	defer func() {
		if v := recover(); v != nil {
			refusal, ok := v.(keptApart)
			if !ok {
				panic(v)
			}
			t.Logf("the case ends here: %v", refusal.outcome)
		}
	}()
	keep()
	return true
}

// endIfApart ends the case if one of outcomes is the refusal of a change over
// several queues.
func endIfApart(changes []broker.Change, outcomes []error) {
	for i, outcome := range outcomes {
		if errors.Is(outcome, broker.ErrApart) && i < len(changes) && overQueues(changes[i]) {
			panic(keptApart{outcome})
		}
	}
}

// refuseApart gives the broker those of changes that its storage keeps apart, and
// demands that it refuses them. It returns the others, as each of the two gets
// them.
func (p *pair) refuseApart(toModel, toReal []broker.Change) (model, real []broker.Change) {
	var apart []broker.Change
	for i, c := range toReal {
		if c.Check() == nil && overQueues(c) {
			apart = append(apart, c)
			continue
		}
		model, real = append(model, toModel[i]), append(real, c)
	}
	if len(apart) == 0 {
		return model, real
	}
	applied, err := p.real.Apply(p.ctx, time.Now(), apart, broker.LeaseRequest{})
	if p.both("Apply of what lies apart", err, nil) {
		for _, outcome := range applied.Outcomes {
			if !errors.Is(outcome, broker.ErrApart) {
				p.faults = append(p.faults, "a change over several queues was not refused as that: "+brief(apart))
			}
		}
	}
	return model, real
}

package workflow

import (
	"context"
	"strconv"

	"github.com/leatwork/leat/queue/broker"
)

// choose takes an arm: what is on it begins, and what is on the others is skipped.
func (v *visit) choose(ctx context.Context) (broker.Change, error) {
	c, n := v.writes(), v.node
	if state, _, err := v.values.outcome(ctx, n); err != nil || state != StepWaiting {
		return c, err
	}
	b, err := v.values.of(ctx, n.Deps[0])
	if err != nil {
		return c, err
	}
	arm, err := n.Take(b)
	if err != nil {
		return c, err
	}
	r := doneRecord(strconv.AppendInt(nil, int64(arm), 10))
	c.Put = append(c.Put, broker.Put{Key: v.key(n), Body: r.encode()})
	skipped, p := v.take(n, arm)
	for _, s := range skipped {
		c.Put = append(c.Put, broker.Put{Key: v.key(s), Body: skippedRecord().encode()})
	}
	add(&c, p)
	return c, nil
}

// findFirst records which of several was done first, or that none will be: unless it is
// not known yet, because what n needs besides has not ended, or none of them is done and
// not all have ended. Each of all that n waits for has this looked at when it ends.
func (v *visit) findFirst(ctx context.Context) (broker.Change, error) {
	c, n := v.writes(), v.node
	if state, _, err := v.values.outcome(ctx, n); err != nil || state != StepWaiting {
		return c, err
	}
	state, failure, err := v.values.taken(ctx, n)
	if err == nil && state == StepDone {
		state, failure, err = v.values.worst(ctx, n.After)
	}
	switch {
	case err != nil || state == StepWaiting:
		return c, err
	case state == StepSkipped:
		v.record(&c, n, skippedRecord())
		return c, nil
	case state.bad():
		v.record(&c, n, failedRecord(StepFailed, because(n, failure)))
		return c, nil
	}
	winner, all, err := v.winner(ctx)
	switch {
	case err != nil || winner < 0 && !all:
		return c, err
	case winner < 0:
		v.record(&c, n, failedRecord(StepFailed, StepError{Step: n.Name, Item: -1, Message: "none of them was done"}))
		return c, nil
	}
	v.record(&c, n, doneRecord(strconv.AppendInt(nil, int64(winner), 10)))
	if n.Losers {
		err = v.dropLosers(ctx, v.source(n.Deps[winner]))
	}
	return c, err
}

// winner returns which of several is done: the one that the decide tells of, or else
// the first in their order; -1: none is. All reports whether all have ended.
func (v *visit) winner(ctx context.Context) (winner int, all bool, err error) {
	winner, all = -1, true
	for i, d := range v.node.Deps {
		state, _, err := v.values.verdict(ctx, d)
		if err != nil {
			return -1, false, err
		}
		told := v.item >= 0 && v.node.Sources[v.item].Node == v.source(d)
		if state == StepDone && (winner < 0 || told) {
			winner = i
		}
		all = all && state != StepWaiting
	}
	return winner, all, nil
}

// source returns the node that settles from which alone the value of node i is
// computed.
func (v *visit) source(i int) int {
	for _, e := range v.node.Sources {
		if v.leads(i, e.Node) {
			return e.Node
		}
	}
	return i
}

// leads reports whether the value of node i is computed from that of another.
func (v *visit) leads(i, from int) bool {
	if i == from {
		return true
	}
	if v.Nodes[i].Kind.Settles() {
		return false
	}
	for _, d := range v.Nodes[i].Deps {
		if v.leads(d, from) {
			return true
		}
	}
	return false
}

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

// winFirst records which of several was done first. The one that is told first wins.
func (v *visit) winFirst(ctx context.Context) (broker.Change, error) {
	c, n := v.writes(), v.node
	if state, _, err := v.values.outcome(ctx, n); err != nil || state != StepWaiting {
		return c, err
	}
	winner := v.Nodes[n.Sources[v.item].Node]
	for i, d := range n.Deps {
		if v.leads(d, winner.Index) {
			v.record(&c, n, doneRecord(strconv.AppendInt(nil, int64(i), 10)))
			break
		}
	}
	if !n.Losers {
		return c, nil
	}
	return c, v.dropLosers(ctx, winner.Index)
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

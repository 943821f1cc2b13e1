package queue

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/leatwork/leat/queue/broker"
)

// A picker decides which queues the next tasks come from. It is used by one
// goroutine.
type picker struct {
	rand   *rand.Rand // nil: priorities are strict
	queues []weighted // in order of priority if that is strict, in any order otherwise
	total  int64      // of the weights
	shares []broker.Share
}

type weighted struct {
	queue  string
	weight int64
	part   int   // of the fetch that is being made
	owed   int64 // what its parts so far fall short, in tasks times the total of the weights
}

// newPicker returns a picker for queues, which maps their names to their
// priorities: shares, with an order by chance from r for what they leave over, or
// strict ones if r is nil.
func newPicker(queues map[string]int, r *rand.Rand) *picker {
	p := &picker{rand: r, shares: make([]broker.Share, len(queues))}
	for _, name := range slices.Sorted(maps.Keys(queues)) {
		weight := int64(queues[name])
		p.queues = append(p.queues, weighted{queue: name, weight: weight})
		p.total += weight
	}
	slices.SortStableFunc(p.queues, func(a, b weighted) int { return cmp.Compare(b.weight, a.weight) })
	return p
}

// pick returns which queues to ask for n tasks: in which order, and for how
// many first of all. The slice is overwritten by the next call.
func (p *picker) pick(n int) []broker.Share {
	if p.rand == nil || len(p.queues) == 1 {
		for i, q := range p.queues {
			p.shares[i] = broker.Share{Queue: q.queue, First: n}
		}
		return p.shares
	}
	p.divide(n)
	p.shuffle()
	for i, q := range p.queues {
		p.shares[i] = broker.Share{Queue: q.queue, First: q.part}
	}
	return p.shares
}

// divide gives each queue its part of n, as far as whole tasks go. What a part has
// been cut or rounded up by is made good later, so that the shares are exact over
// time.
func (p *picker) divide(n int) {
	left := n
	for i := range p.queues {
		q := &p.queues[i]
		q.owed += int64(n) * q.weight
		q.part = min(max(int(q.owed/p.total), 0), left)
		q.owed -= int64(q.part) * p.total
		left -= q.part
	}
	for ; left > 0; left-- {
		most := 0
		for i := range p.queues {
			if p.queues[i].owed > p.queues[most].owed {
				most = i
			}
		}
		p.queues[most].part++
		p.queues[most].owed -= p.total
	}
}

// shuffle puts the queues in an order by chance, drawing one after another by
// weight. What a queue cannot use of its share goes to the others in that order,
// so that over time they share it by their weights, too.
func (p *picker) shuffle() {
	left := p.total
	for i := range p.queues {
		j := i + p.draw(p.queues[i:], left)
		p.queues[i], p.queues[j] = p.queues[j], p.queues[i]
		left -= p.queues[i].weight
	}
}

// draw returns the index of one of queues, whose weights add up to total. The
// chance of each is its weight.
func (p *picker) draw(queues []weighted, total int64) int {
	x := p.rand.Int64N(total)
	for i, q := range queues {
		if x -= q.weight; x < 0 {
			return i
		}
	}
	panic("queue: weights do not add up")
}

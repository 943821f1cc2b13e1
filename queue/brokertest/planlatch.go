package brokertest

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/leatwork/leat/queue/broker"
)

// reachable says which latches the parts of a change may be about: those that
// its home has and those that it opens, but for one.
type reachable struct {
	home   broker.Home
	opened []broker.Latch
	but    string
}

// latch returns one of the latches that have members, and how many, or a name
// that may be none's; and whether there is any.
func (r reachable) latch(p *pair, index int, wild bool) (id string, total int, ok bool) {
	if wild {
		return planLatches[index%len(planLatches)], index + 1, true
	}
	var all []broker.LatchState
	for _, id := range planLatches {
		if l, ok := p.latch(r.home, id); ok {
			all = append(all, l)
		}
	}
	for _, l := range r.opened {
		all = append(all, broker.LatchState{ID: l.ID, Total: l.Total})
	}
	all = slices.DeleteFunc(all, func(l broker.LatchState) bool { return l.ID == r.but || l.Total == 0 })
	if len(all) == 0 {
		return "", 0, false
	}
	l := all[index%len(all)]
	return l.ID, l.Total, true
}

// A latchPlan is a latch under an id that is free, or that may be taken.
type latchPlan struct {
	id      int
	collide bool
	latch   broker.Latch
	then    partPlan
	// otherwise is the latch's Else.
	otherwise partPlan
}

func drawLatch(t *rapid.T) latchPlan {
	return latchPlan{
		id:      rapid.IntRange(0, len(planLatches)-1).Draw(t, "id"),
		collide: rapid.IntRange(0, 9).Draw(t, "collide") == 9,
		latch: broker.Latch{
			Total:    rapid.SampledFrom([]int{3, 2, 1, 0, 4, 70}).Draw(t, "total"),
			Window:   rapid.IntRange(0, 2).Draw(t, "window"),
			StopAt:   rapid.IntRange(0, 2).Draw(t, "stop"),
			Tolerate: rapid.IntRange(0, 2).Draw(t, "tolerate"),
		},
		then:      drawPart(t),
		otherwise: drawPart(t),
	}
}

// latches returns the latches that c opens, without their parts.
func (c changePlan) latches(p *pair) []broker.Latch {
	var open []broker.Latch
	opens := func(id string) bool {
		for _, l := range open {
			if l.ID == id {
				return true
			}
		}
		return false
	}
	for _, plan := range c.open {
		l := plan.latch
		l.ID = unused(planLatches, plan.id, plan.collide, func(id string) bool {
			_, there := p.latch(c.home, id)
			return there || opens(id)
		})
		open = append(open, l)
	}
	return open
}

// A partPlan is what a latch does.
type partPlan struct {
	enqueue []entryPlan
	arrive  []arrivalPlan
}

func drawPart(t *rapid.T) partPlan {
	return partPlan{
		enqueue: rapid.SliceOfN(rapid.Custom(drawEntry), 0, 2).Draw(t, "enqueue"),
		arrive:  rapid.SliceOfN(rapid.Custom(drawArrival), 0, 2).Draw(t, "arrive"),
	}
}

func (f partPlan) part(p *pair, reach reachable) broker.Part {
	var part broker.Part
	for _, e := range f.enqueue {
		part.Enqueue = append(part.Enqueue, e.unclaimed(p, part.Enqueue))
	}
	part.Arrive = arrivals(p, f.arrive, reach)
	return part
}

// A feedPlan feeds a latch.
type feedPlan struct {
	latch   int
	wild    bool
	entries []entryPlan
}

func drawFeed(t *rapid.T) feedPlan {
	return feedPlan{
		latch:   rapid.IntRange(0, 7).Draw(t, "latch"),
		wild:    rapid.IntRange(0, 9).Draw(t, "wild") == 9,
		entries: rapid.SliceOfN(rapid.Custom(drawEntry), 0, 4).Draw(t, "entries"),
	}
}

// feeds returns what is fed to latches that there are.
func feeds(p *pair, plans []feedPlan, reach reachable) []broker.Feed {
	var all []broker.Feed
	for _, f := range plans {
		id, _, ok := reach.latch(p, f.latch, f.wild)
		if !ok {
			continue
		}
		fed := broker.Feed{Latch: id}
		for _, plan := range f.entries {
			plan.home = reach.home
			fed.Entries = append(fed.Entries, plan.unclaimed(p, fed.Entries))
		}
		all = append(all, fed)
	}
	return all
}

// An arrivalPlan reaches a latch with a member that it has, or may not have.
type arrivalPlan struct {
	latch, member int
	wild, mark    bool
}

func drawArrival(t *rapid.T) arrivalPlan {
	return arrivalPlan{
		latch:  rapid.IntRange(0, 7).Draw(t, "latch"),
		member: rapid.IntRange(0, 70).Draw(t, "member"),
		wild:   rapid.IntRange(0, 19).Draw(t, "wild") == 19,
		mark:   rapid.IntRange(0, 2).Draw(t, "mark") == 2,
	}
}

// arrivals returns arrivals at latches that there are.
func arrivals(p *pair, plans []arrivalPlan, reach reachable) []broker.Arrival {
	var all []broker.Arrival
	for _, a := range plans {
		if id, total, ok := reach.latch(p, a.latch, a.wild); ok {
			all = append(all, broker.Arrival{Latch: id, Member: a.member % total, Mark: a.mark})
		}
	}
	return all
}

package brokertest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/leatwork/leat/queue/broker"
)

// planListed is when homes are listed, or a little later.
var planListed = time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)

// planTerms are what homes are listed by and looked for by.
var planTerms = [][]string{nil, {"t1"}, {"t2"}, {"t1", "t2"}, {"t2", "t3", "t1"}}

// drained returns the drain of c.
func (c changePlan) drained(p *pair) []broker.Entry {
	var all []broker.Entry
	for _, plan := range c.drain {
		plan.home = c.home
		all = append(all, plan.unclaimed(p, all))
	}
	return all
}

// A listPlan is a listing.
type listPlan struct {
	after time.Duration // planListed
	terms []string
}

func drawList(t *rapid.T) *listPlan {
	return &listPlan{after: drawListed(t), terms: rapid.SampledFrom(planTerms).Draw(t, "terms")}
}

func drawListed(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{0, 1, time.Millisecond, 1500 * time.Microsecond, time.Second}).Draw(t, "listed")
}

// listing returns the listing of l, which may be nil.
func (l *listPlan) listing() *broker.Listing {
	if l == nil {
		return nil
	}
	return &broker.Listing{At: planListed.Add(l.after), Terms: l.terms}
}

// A findPlan reads homes, in pages.
type findPlan struct {
	request broker.HomesRequest
}

func drawFind(t *rapid.T) operation {
	r := broker.HomesRequest{
		Queue:  rapid.SampledFrom(planQueues).Draw(t, "queue"),
		Terms:  rapid.SampledFrom(planTerms).Draw(t, "terms"),
		Newest: rapid.Bool().Draw(t, "newest"),
		Limit:  rapid.SampledFrom([]int{1, 2, broker.MaxParts}).Draw(t, "limit"),
	}
	if rapid.Bool().Draw(t, "from") {
		r.From = planListed.Add(drawListed(t))
	}
	if rapid.Bool().Draw(t, "to") {
		r.To = planListed.Add(drawListed(t))
	}
	return findPlan{r}
}

func (f findPlan) play(p *pair) {
	p.note("Homes %s", brief(f.request))
	theirs, theirErr := homesOf(p.ctx, p.model, f.request)
	ours, ourErr := homesOf(p.ctx, p.real, f.request)
	if p.both("Homes", ourErr, theirErr) {
		p.same("homes", ours, theirs)
	}
}

// lookAtOpen compares what is open of home, and the homes beside the same queue.
func (p *pair) lookAtOpen(home broker.Home) {
	for _, limit := range []int{1, broker.MaxParts} {
		theirs, theirErr := openOf(p.ctx, p.model, home, limit)
		ours, ourErr := openOf(p.ctx, p.real, home, limit)
		if p.both("OpenEntries", ourErr, theirErr) {
			p.same(fmt.Sprintf("open of %s", home), ours, theirs)
		}
	}
	findPlan{broker.HomesRequest{Queue: home.Queue, Limit: 2}}.play(p)
}

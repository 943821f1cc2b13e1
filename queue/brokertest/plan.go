package brokertest

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// What random operations are about: few names, so that they meet.
var (
	planQueues  = []string{"a", "b"}
	planHomes   = []broker.Home{{Queue: "a", ID: "run"}, {Queue: "b", ID: "run"}}
	planKeys    = []string{"k1", "k2", "k3"}
	planClaims  = []string{"", "", "c1", "c2"}
	planLatches = []string{"l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8"}
)

// drawStep draws an operation and the time before it. What depends on the state
// of the brokers, such as a token or a version, is drawn as a choice that is
// made when the step is played.
func drawStep(t *rapid.T) step {
	waits := []time.Duration{
		0, 0, 0, 0, time.Millisecond, 400 * time.Microsecond, 998 * time.Millisecond, time.Second,
		2500 * time.Millisecond, 10 * time.Second, time.Minute, 13 * time.Hour,
	}
	return step{
		wait:      rapid.SampledFrom(waits).Draw(t, "wait"),
		operation: drawOperation(t),
	}
}

func drawOperation(t *rapid.T) operation {
	switch n := rapid.IntRange(0, 19).Draw(t, "operation"); {
	case n < 12:
		return applyPlan{rapid.SliceOfN(rapid.Custom(drawChange), 1, 4).Draw(t, "changes"), drawWant(t)}
	case n < 14:
		return applyPlan{want: drawWant(t)}
	case n < 15:
		return drawExtend(t)
	case n < 18:
		return advancePlan{
			queues: rapid.SampledFrom([][]string{{"a", "b"}, {"a", "b"}, {"b", "a"}, {"a"}, {"b"}, {"none", "b"}}).Draw(t, "queues"),
			limit:  rapid.SampledFrom([]int{1000, 1000, 1, 2, 3}).Draw(t, "limit"),
		}
	case n < 19:
		return pagePlan{
			queue:  rapid.SampledFrom(planQueues).Draw(t, "queue"),
			state:  rapid.SampledFrom(task.States()[:6]).Draw(t, "state"),
			offset: rapid.IntRange(0, 4).Draw(t, "offset"),
			limit:  rapid.IntRange(1, 3).Draw(t, "limit"),
		}
	default:
		return look{}
	}
}

// An applyPlan is a call of Apply.
type applyPlan struct {
	changes []changePlan
	want    wantPlan
}

func (a applyPlan) play(p *pair) {
	var toModel, toReal []broker.Change
	for _, c := range a.changes {
		model, real := c.change(p)
		toModel, toReal = append(toModel, model), append(toReal, real)
	}
	p.apply(toModel, toReal, a.want.request())
}

// A wantPlan is a request to lease, until a time from now.
type wantPlan struct {
	queues []broker.Share
	most   int
	last   time.Duration
}

func drawWant(t *rapid.T) wantPlan {
	order := rapid.SampledFrom([][]string{{"a", "b"}, {"b", "a"}, {"a"}, {"b"}, {"none", "a"}}).Draw(t, "queues")
	w := wantPlan{
		most: rapid.IntRange(0, 4).Draw(t, "most"),
		last: rapid.SampledFrom([]time.Duration{10 * time.Second, time.Millisecond, 1500 * time.Millisecond, time.Hour}).Draw(t, "last"),
	}
	for _, queue := range order {
		w.queues = append(w.queues, broker.Share{Queue: queue, First: rapid.IntRange(0, 3).Draw(t, "first")})
	}
	return w
}

func (w wantPlan) request() broker.LeaseRequest {
	return broker.LeaseRequest{Queues: w.queues, Max: w.most, Until: time.Now().Add(w.last)}
}

// An extendPlan is a call of Extend.
type extendPlan struct {
	leases []leasePick
	last   time.Duration
}

func drawExtend(t *rapid.T) operation {
	return extendPlan{
		leases: rapid.SliceOfN(rapid.Custom(drawLease), 0, 4).Draw(t, "leases"),
		last:   rapid.SampledFrom([]time.Duration{10 * time.Second, time.Millisecond, time.Minute}).Draw(t, "last"),
	}
}

func (e extendPlan) play(p *pair) {
	var toModel, toReal []broker.LeaseRef
	for _, pick := range e.leases {
		if l, ok := pick.from(p); ok {
			toModel, toReal = append(toModel, l.model.Ref()), append(toReal, l.real.Ref())
		}
	}
	now := time.Now()
	p.note("Extend %s for %v", brief(toModel), e.last)
	theirs, theirErr := p.model.Extend(p.ctx, now, now.Add(e.last), toModel...)
	ours, ourErr := p.real.Extend(p.ctx, now, now.Add(e.last), toReal...)
	if p.both("Extend", ourErr, theirErr) {
		p.same("held", ours, theirs)
	}
}

// An advancePlan is a call of Advance.
type advancePlan struct {
	queues []string
	limit  int
}

func (a advancePlan) play(p *pair) {
	now, r := time.Now(), broker.AdvanceRequest{Queues: a.queues, Limit: a.limit}
	p.note("Advance %s", brief(r))
	theirs, theirErr := p.model.Advance(p.ctx, now, r)
	ours, ourErr := p.real.Advance(p.ctx, now, r)
	if !p.both("Advance", ourErr, theirErr) {
		return
	}
	if theirs.Total() == a.limit && !ours.Next.IsZero() && !ours.Next.After(now) {
		ours.Next = theirs.Next // any time up to now says it
	}
	p.same("advanced", ours, theirs)
}

// A pagePlan reads a page of a list, and each entry on it.
type pagePlan struct {
	queue         string
	state         task.State
	offset, limit int
}

func (g pagePlan) play(p *pair) {
	r := broker.ListRequest{Queue: g.queue, State: g.state, Offset: g.offset, Limit: g.limit}
	p.note("List %s", brief(r))
	theirs, theirErr := p.model.List(p.ctx, r)
	ours, ourErr := p.real.List(p.ctx, r)
	if !p.both("List", ourErr, theirErr) {
		return
	}
	p.same("page", ours, theirs)
	for _, listed := range theirs {
		want, theirErr := p.model.Entry(p.ctx, listed.EntryRef)
		got, ourErr := p.real.Entry(p.ctx, listed.EntryRef)
		if p.both("Entry", ourErr, theirErr) {
			p.same("entry "+want.EntryRef.String(), got, want)
		}
	}
}

// A leasePick chooses one of the leases there have been: a live one, unless
// stale or wrong is set, by which its token is another.
type leasePick struct {
	index        int
	stale, wrong bool
}

func drawLease(t *rapid.T) leasePick {
	n := rapid.IntRange(0, 9).Draw(t, "kind")
	return leasePick{index: rapid.IntRange(0, 20).Draw(t, "index"), stale: n == 9, wrong: n == 8}
}

// from makes the choice, or reports that there is no lease to choose.
func (l leasePick) from(p *pair) (lease pairedLease, ok bool) {
	var all []pairedLease
	for _, lease := range p.leases {
		if p.model.Holds(lease.model.Ref()) || l.stale {
			all = append(all, lease)
		}
	}
	if len(all) == 0 {
		return pairedLease{}, false
	}
	lease = all[l.index%len(all)]
	if l.wrong {
		token := []string{"", "wrong"}[l.index%2]
		lease.model.Token, lease.real.Token = token, token
	}
	return lease, true
}

// unused returns the first of names from start on that is not used, or start if
// all are or the plan is to run into one that may be.
func unused(names []string, start int, collide bool, used func(string) bool) string {
	start %= len(names)
	if collide {
		return names[start]
	}
	for _, name := range slices.Concat(names[start:], names[:start]) {
		if !used(name) {
			return name
		}
	}
	return names[start]
}

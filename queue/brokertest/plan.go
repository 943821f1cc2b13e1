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
	planHomes   = []broker.Home{{Queue: "a", ID: "run"}, {Queue: "b", ID: "run"}, {Queue: "a", ID: "another"}}
	planKeys    = []string{"k1", "k2", "k3"}
	planGroups  = []string{"", "", "", "g1", "g2"}
	planClaims  = []string{"", "", "", "", "ttl1", "ttl2", "life1", "life2", "start", "hold"}
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
	switch n := rapid.IntRange(0, 30).Draw(t, "operation"); {
	case n < 14:
		return applyPlan{rapid.SliceOfN(rapid.Custom(drawChange), 1, 4).Draw(t, "changes"), drawWant(t)}
	case n < 16:
		return applyPlan{want: drawWant(t)}
	case n < 17:
		return drawExtend(t)
	case n < 21:
		return drawAdvance(t)
	case n < 22:
		return drawPage(t)
	case n < 25:
		return drawGather(t)
	case n < 29:
		return drawOperate(t)
	case n < 30:
		return drawFind(t)
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
	for i, c := range a.changes {
		if i > 0 {
			c.replace = nil // a change before it may have made another version, or not
		}
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
	keep   broker.ArchiveLimits
}

func drawAdvance(t *rapid.T) operation {
	return advancePlan{
		queues: rapid.SampledFrom([][]string{{"a", "b"}, {"a", "b"}, {"b", "a"}, {"a"}, {"b"}, {"none", "b"}}).Draw(t, "queues"),
		limit:  rapid.SampledFrom([]int{1000, 1000, 1, 2, 3}).Draw(t, "limit"),
		keep: rapid.SampledFrom([]broker.ArchiveLimits{
			{}, {}, {}, {Count: 1}, {Count: 3}, {Age: 10 * time.Second}, {Age: time.Hour, Count: 2},
		}).Draw(t, "keep"),
	}
}

// limited returns the limit of a, or none that matters where the order of what is
// done first is not promised: among batches that end together, and because what
// waits on behind a claim is not counted.
func (a advancePlan) limited(p *pair) int {
	if len(p.batches()) > 1 || p.waitsBehind() {
		return 1000
	}
	return a.limit
}

func (a advancePlan) play(p *pair) {
	if p.apart && len(a.queues) > 1 { // see Storage.OneQueue
		for _, queue := range a.queues {
			advancePlan{queues: []string{queue}, limit: a.limit, keep: a.keep}.play(p)
		}
		return
	}
	now, r := time.Now(), broker.AdvanceRequest{Queues: a.queues, Limit: a.limited(p), Keep: a.keep}
	p.note("Advance %s", brief(r))
	theirs, theirErr := p.model.Advance(p.ctx, now, r)
	ours, ourErr := p.real.Advance(p.ctx, now, r)
	if !p.both("Advance", ourErr, theirErr) {
		return
	}
	if theirs.Total() == r.Limit && !ours.Next.IsZero() && !ours.Next.After(now) {
		ours.Next = theirs.Next // any time up to now says it
	}
	p.same("advanced", ours, theirs)
}

// A pagePlan reads a page of a list, and each entry on it.
type pagePlan struct {
	queue         string
	state         task.State
	group         string
	newest        bool
	offset, limit int
	after         int // which entry it is after; negative: none
}

func drawPage(t *rapid.T) operation {
	g := pagePlan{
		queue:  rapid.SampledFrom(planQueues).Draw(t, "queue"),
		state:  rapid.SampledFrom(task.States()).Draw(t, "state"),
		newest: rapid.Bool().Draw(t, "newest"),
		offset: rapid.IntRange(0, 2).Draw(t, "offset"),
		limit:  rapid.IntRange(1, 3).Draw(t, "limit"),
		after:  rapid.IntRange(-3, 3).Draw(t, "after"),
	}
	if g.state == task.Aggregating {
		g.group = rapid.SampledFrom([]string{"g1", "g2"}).Draw(t, "group")
	}
	return g
}

// list returns the page that b has after the entry that is to be before it.
func (g pagePlan) list(p *pair, b broker.Broker) ([]broker.Stored, error) {
	r := broker.ListRequest{Queue: g.queue, State: g.state, Group: g.group, Newest: g.newest, Limit: 1000}
	if g.after >= 0 {
		all, err := b.List(p.ctx, r)
		if err != nil {
			return nil, err
		}
		if g.after < len(all) {
			r.After = all[g.after].Place
		}
	}
	r.Offset, r.Limit = g.offset, g.limit
	return b.List(p.ctx, r)
}

func (g pagePlan) play(p *pair) {
	p.note("List %+v", g)
	theirs, theirErr := g.list(p, p.model)
	ours, ourErr := g.list(p, p.real)
	if !p.both("List", ourErr, theirErr) {
		return
	}
	p.same("page", ours, theirs)
	for _, listed := range theirs {
		p.lookAtEntry(listed.EntryRef)
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

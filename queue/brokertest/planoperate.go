package brokertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A gatherPlan is a call of Gather, with a new token or that of a batch.
type gatherPlan struct {
	request broker.GatherRequest
	last    time.Duration
	again   bool
}

func drawGather(t *rapid.T) operation {
	return gatherPlan{
		request: broker.GatherRequest{
			Queue:    rapid.SampledFrom(planQueues).Draw(t, "queue"),
			Group:    rapid.SampledFrom([]string{"g1", "g2"}).Draw(t, "group"),
			Grace:    rapid.SampledFrom([]time.Duration{0, 0, time.Second, 2500 * time.Millisecond}).Draw(t, "grace"),
			MaxDelay: rapid.SampledFrom([]time.Duration{0, time.Second, 10 * time.Second}).Draw(t, "delay"),
			MaxSize:  rapid.IntRange(1, 3).Draw(t, "size"),
			MaxBytes: rapid.SampledFrom([]int64{0, 0, 1, 15, 30}).Draw(t, "bytes"),
		},
		last:  rapid.SampledFrom([]time.Duration{10 * time.Second, time.Millisecond, 1500 * time.Millisecond, time.Hour}).Draw(t, "last"),
		again: rapid.IntRange(0, 4).Draw(t, "again") == 4,
	}
}

func (g gatherPlan) play(p *pair) {
	now, r := time.Now(), g.request
	r.Until = now.Add(g.last)
	p.gathers++
	r.Token = fmt.Sprintf("batch-%03d", p.gathers)
	if held := p.batches(); g.again && len(held) > 0 {
		r.Token = held[0].model.Token
		r.Queue, r.Group = held[0].model.Entry.Queue, held[0].model.Entry.Group
	}
	p.note("Gather %s", brief(r))
	theirs, theirErr := p.model.Gather(p.ctx, now, r)
	ours, ourErr := p.real.Gather(p.ctx, now, r)
	if !p.both("Gather", ourErr, theirErr) {
		return
	}
	if theirs.Token == "" && ours.Token == "" {
		p.same("next time", ours.Next, theirs.Next)
		return // what else it says, it says of nothing
	}
	likened := ours
	likened.Members = p.likened(ours.Members, theirs.Members)
	p.same("batch", likened, theirs)
	if p.tokens[r.Token] || len(ours.Members) != len(theirs.Members) {
		return
	}
	p.tokens[r.Token] = true
	for i, l := range theirs.Members {
		p.leases = append(p.leases, pairedLease{model: l, real: ours.Members[i], batch: true})
	}
}

// batches returns a lease of each batch that is held.
func (p *pair) batches() []pairedLease {
	var held []pairedLease
	for _, l := range p.leases {
		known := slices.ContainsFunc(held, func(h pairedLease) bool { return h.model.Token == l.model.Token })
		if l.batch && !known && p.model.Holds(l.model.Ref()) {
			held = append(held, l)
		}
	}
	return held
}

// waitsBehind reports whether something waits behind a claim.
func (p *pair) waitsBehind() bool {
	for _, queue := range planQueues {
		found, err := p.model.List(p.ctx, broker.ListRequest{Queue: queue, State: task.Scheduled, Limit: 1000})
		if err == nil && slices.ContainsFunc(found, func(s broker.Stored) bool { return s.Claim.Behind }) {
			return true
		}
	}
	return false
}

// drawOperate draws a call that only an operator has.
func drawOperate(t *rapid.T) operation {
	queue := rapid.SampledFrom(append([]string{"none"}, planQueues...)).Draw(t, "queue")
	switch n := rapid.IntRange(0, 9).Draw(t, "operator"); {
	case n < 4:
		return reportPlan{
			leases: rapid.SliceOfN(rapid.Custom(drawLease), 1, 3).Draw(t, "leases"),
			data:   rapid.SampledFrom([]string{"half", "done", ""}).Draw(t, "data"),
		}
	case n < 7:
		return drawSweep(t, queue)
	case n < 9:
		return pausePlan{queue, rapid.IntRange(0, 2).Draw(t, "paused") == 0}
	default:
		return removePlan{queue, rapid.Bool().Draw(t, "force")}
	}
}

// A reportPlan is a call of Report.
type reportPlan struct {
	leases []leasePick
	data   string
}

func (r reportPlan) play(p *pair) {
	now := time.Now()
	var toModel, toReal []broker.Progress
	for _, pick := range r.leases {
		if l, ok := pick.from(p); ok {
			toModel = append(toModel, broker.Progress{LeaseRef: l.model.Ref(), Data: []byte(r.data)})
			toReal = append(toReal, broker.Progress{LeaseRef: l.real.Ref(), Data: []byte(r.data)})
		}
	}
	p.note("Report %s", brief(toModel))
	theirs, theirErr := p.model.Report(p.ctx, now, toModel...)
	ours, ourErr := p.real.Report(p.ctx, now, toReal...)
	if p.both("Report", ourErr, theirErr) {
		p.same("held", ours, theirs)
	}
}

// A sweepPlan is a call of Sweep.
type sweepPlan struct{ request broker.SweepRequest }

func drawSweep(t *rapid.T, queue string) operation {
	r := broker.SweepRequest{
		Queue: queue,
		State: rapid.SampledFrom(task.States()).Draw(t, "state"),
		Do:    rapid.SampledFrom(acts).Draw(t, "act"),
		Limit: rapid.IntRange(1, 3).Draw(t, "limit"),
	}
	if r.State == task.Aggregating {
		r.Group = rapid.SampledFrom([]string{"g1", "g2"}).Draw(t, "group")
	}
	return sweepPlan{r}
}

func (s sweepPlan) play(p *pair) {
	now := time.Now()
	p.note("Sweep %s", brief(s.request))
	if p.waitsBehind() && s.request.Limit > 1 {
		s.request.Limit = 1 // as with moves
	}
	theirs, theirErr := p.model.Sweep(p.ctx, now, s.request)
	ours, ourErr := p.real.Sweep(p.ctx, now, s.request)
	if p.both("Sweep", ourErr, theirErr) {
		p.same("swept", ours, theirs)
	}
}

// A pausePlan is a call of Pause.
type pausePlan struct {
	queue  string
	paused bool
}

func (s pausePlan) play(p *pair) {
	now := time.Now()
	p.note("Pause %s %t", s.queue, s.paused)
	theirs, theirErr := p.model.Pause(p.ctx, now, s.queue, s.paused)
	ours, ourErr := p.real.Pause(p.ctx, now, s.queue, s.paused)
	if p.both("Pause", ourErr, theirErr) {
		p.same("new", ours, theirs)
	}
}

// A removePlan removes a queue.
type removePlan struct {
	queue string
	force bool
}

func (r removePlan) play(p *pair) {
	now := time.Now()
	p.note("Remove %s %t", r.queue, r.force)
	want := p.model.Remove(p.ctx, now, r.queue, r.force)
	got := p.real.Remove(p.ctx, now, r.queue, r.force)
	for range 10 {
		if got == nil || errors.Is(got, broker.ErrNotFound) || errors.Is(got, broker.ErrNotEmpty) {
			break
		}
		got = p.real.Remove(p.ctx, now, r.queue, r.force)
	}
	for _, sentinel := range []error{broker.ErrNotFound, broker.ErrNotEmpty} {
		if (got == nil) != (want == nil) || errors.Is(got, sentinel) != errors.Is(want, sentinel) {
			p.faults = append(p.faults, fmt.Sprintf("Remove: the broker says %v, the model %v", got, want))
			return
		}
	}
}

// lookAtEntry compares one entry.
func (p *pair) lookAtEntry(ref broker.EntryRef) {
	want, theirErr := p.model.Entry(p.ctx, ref)
	got, ourErr := p.real.Entry(p.ctx, ref)
	if p.both("Entry", ourErr, theirErr) {
		p.same("entry "+ref.String(), got, want)
	}
}

// lookAtQueue compares what is only told of a queue by name.
func (p *pair) lookAtQueue(now time.Time, queue string) {
	theirs, theirErr := p.model.Groups(p.ctx, queue)
	ours, ourErr := p.real.Groups(p.ctx, queue)
	if p.both("Groups", ourErr, theirErr) {
		p.same("groups of "+queue, waitingOnly(ours), waitingOnly(theirs))
	}
	joined, theirErr := everJoined(p.ctx, p.model, queue, 1000)
	ourJoined, ourErr := everJoined(p.ctx, p.real, queue, 1)
	if p.both("Joined", ourErr, theirErr) {
		p.same("joined groups of "+queue, ourJoined, joined)
	}
	days, theirErr := p.model.History(p.ctx, now, queue, 3)
	ourDays, ourErr := p.real.History(p.ctx, now, queue, 3)
	if p.both("History", ourErr, theirErr) {
		p.same("history of "+queue, ourDays, days)
	}
}

// withoutGroups returns ours with the numbers of groups of theirs, where it may be
// so: a group of which all is frozen may be told or not.
func (p *pair) withoutGroups(ours, theirs []broker.Counts) []broker.Counts {
	for i := range min(len(ours), len(theirs)) {
		groups, err := p.model.Groups(p.ctx, theirs[i].Queue)
		if least := len(waitingOnly(groups)); err == nil && ours[i].Groups >= least && ours[i].Groups <= len(groups) {
			ours[i].Groups = theirs[i].Groups
		}
	}
	return ours
}

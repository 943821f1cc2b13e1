package brokertest

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// listings asks for all entries of a queue, but those that are frozen in batches.
func listings(queue string) []broker.ListRequest {
	var all []broker.ListRequest
	for _, state := range task.States() {
		r := broker.ListRequest{Queue: queue, State: state, Limit: 1000}
		if state != task.Aggregating {
			all = append(all, r)
			continue
		}
		for _, group := range []string{"g1", "g2"} {
			r.Group = group
			all = append(all, r)
		}
	}
	return all
}

// An entryPick chooses one of the entries of a queue, or one that may not be.
type entryPick struct {
	queue string
	index int
	wild  bool
}

func drawPick(t *rapid.T) entryPick {
	return entryPick{
		queue: rapid.SampledFrom(planQueues).Draw(t, "queue"),
		index: rapid.IntRange(0, 30).Draw(t, "index"),
		wild:  rapid.IntRange(0, 9).Draw(t, "wild") == 9,
	}
}

// from makes the choice, or reports that there is no entry to choose.
func (k entryPick) from(p *pair) (broker.Stored, bool) {
	if k.wild {
		ref := broker.EntryRef{Queue: k.queue, ID: planIDs[k.index%len(planIDs)]}
		s, err := p.model.Entry(p.ctx, ref)
		if err != nil {
			s.EntryRef = ref
		}
		return s, true
	}
	var all []broker.Stored
	for _, r := range listings(k.queue) {
		found, err := p.model.List(p.ctx, r)
		if err == nil {
			all = append(all, found...)
		}
	}
	if len(all) == 0 {
		return broker.Stored{}, false
	}
	return all[k.index%len(all)], true
}

// picks returns the names of the entries that are chosen.
func picks(p *pair, chosen []entryPick) []broker.EntryRef {
	var refs []broker.EntryRef
	for _, k := range chosen {
		if s, ok := k.from(p); ok {
			refs = append(refs, s.EntryRef)
		}
	}
	return refs
}

// A movePlan moves an entry.
type movePlan struct {
	entry entryPick
	do    broker.Act
	in    time.Duration
}

func drawMove(t *rapid.T) movePlan {
	return movePlan{
		entry: drawPick(t),
		do:    rapid.SampledFrom(acts).Draw(t, "act"),
		in:    rapid.SampledFrom([]time.Duration{time.Second, 1500 * time.Millisecond, 0, -time.Second, time.Microsecond, time.Minute}).Draw(t, "in"),
	}
}

// moves returns the moves. One that lets another go on, which waits behind its
// claim, is not made together with one of that.
func moves(p *pair, plans []movePlan) []broker.Move {
	var all []broker.Move
	for _, plan := range plans {
		s, ok := plan.entry.from(p)
		waits := s.Claim.Behind
		known := slices.ContainsFunc(all, func(m broker.Move) bool { return m.EntryRef == s.EntryRef })
		if !ok || known || waits && len(all) > 0 {
			continue
		}
		all = append(all, broker.Move{EntryRef: s.EntryRef, Do: plan.do, At: time.Now().Add(plan.in)})
		if waits {
			break
		}
	}
	return all
}

// A replacePlan replaces an entry, by its version, by its claim, or by a version
// that it does not have.
type replacePlan struct {
	entry   entryPick
	by      entryPlan
	claim   bool
	version string // that is asked for; "": the one that is there
}

func drawReplace(t *rapid.T) replacePlan {
	return replacePlan{
		entry:   drawPick(t),
		by:      drawEntry(t),
		claim:   rapid.Bool().Draw(t, "by claim"),
		version: rapid.SampledFrom([]string{"", "", "", "nonsense"}).Draw(t, "version"),
	}
}

// replacement returns the replacement for the model and for the broker: they
// differ in the versions.
func (r replacePlan) replacement(p *pair) (toModel, toReal broker.Replacement, ok bool) {
	now := time.Now()
	theirs, ok := r.entry.from(p)
	if !ok {
		return toModel, toReal, false
	}
	e := r.by.entry(p, nil, now)
	e.EntryRef, e.Claim = theirs.EntryRef, r.by.claimed(theirs.Claim.Key, now)
	toModel.Entry, toReal.Entry = e, e
	if r.claim && theirs.Claim.Key != "" {
		return toModel, toReal, true
	}
	toModel.If, toReal.If = r.version, r.version
	if r.version == "" {
		ours, err := p.real.Entry(p.ctx, e.EntryRef)
		if err != nil {
			ours.Version = "none"
		}
		toModel.If, toReal.If = theirs.Version, ours.Version
		if toModel.If == "" {
			toModel.If = "none"
		}
	}
	return toModel, toReal, true
}

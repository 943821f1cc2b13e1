package brokertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// randomOperations plays random sequences of operations on a broker and on the
// model, side by side, and demands that every answer is the same. Rapid's flags
// say how many sequences, and from which seed on; it makes failing ones short.
func randomOperations(t *testing.T, open func(testing.TB) Storage) {
	rapid.Check(t, func(r *rapid.T) {
		bursts := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawStep), 1, 20), 1, 20).Draw(r, "bursts") // 36 steps on average
		steps := slices.Concat(bursts...)
		var faults []string
		synctest.Test(t, func(t *testing.T) { faults = play(t, open(t), steps) })
		if len(faults) > 0 {
			r.Fatal(strings.Join(faults, "\n"))
		}
	})
}

// play plays steps on a storage and on a new model, and returns what it did up
// to the first difference and what that is; or nil.
func play(t *testing.T, s Storage, steps []step) []string {
	p := &pair{ctx: t.Context(), model: NewModel(), seen: newSightings(), apart: s.OneQueue, tokens: make(map[string]bool)}
	b := s.Open(t)
	defer b.Close()
	p.real = p.seen.watch(b)
	for _, step := range steps {
		time.Sleep(step.wait)
		step.operation.play(p)
		if len(p.faults) > 0 {
			return append(p.history, p.faults...)
		}
	}
	look{}.play(p)
	if len(p.faults) == 0 {
		p.faults = p.seen.residue(t, p.real, s.Leftovers)
	}
	if len(p.faults) == 0 {
		return nil
	}
	return append(p.history, p.faults...)
}

// A step is an operation and the time that passes before it.
type step struct {
	wait time.Duration
	operation
}

// GoString is how rapid prints a step: the history tells what it came to.
func (s step) GoString() string { return fmt.Sprintf("%T", s.operation) }

// An operation is done to both brokers of a pair.
type operation interface{ play(*pair) }

// A pair is a broker and the model, to which the same happens.
type pair struct {
	ctx     context.Context
	model   *Model
	real    broker.Broker
	seen    *sightings
	apart   bool          // see Storage.OneQueue
	leases  []pairedLease // every lease there ever was
	gathers int           // how many batches were asked for
	tokens  map[string]bool
	history []string
	faults  []string
}

// A pairedLease is one lease as each of the two gave it: the tokens differ, other
// than those of batches.
type pairedLease struct {
	model, real broker.Lease
	batch       bool
}

// What the model has, on which choices depend.

func (p *pair) has(ref broker.EntryRef) bool {
	_, err := p.model.Entry(p.ctx, ref)
	return err == nil
}

func (p *pair) document(home broker.Home, key string) broker.Document {
	found, err := p.model.Documents(p.ctx, home, key)
	if err != nil {
		return broker.Document{}
	}
	return found[0]
}

func (p *pair) latch(home broker.Home, id string) (broker.LatchState, bool) {
	found, err := p.model.Latches(p.ctx, home, id)
	if err != nil {
		return broker.LatchState{}, false
	}
	return found[0], true
}

// note adds a call to the history.
func (p *pair) note(format string, args ...any) {
	at := time.Now().UTC().Format("02T15:04:05.000000")
	p.history = append(p.history, fmt.Sprintf("%s  %s", at, fmt.Sprintf(format, args...)))
}

// same compares what the broker answered with what the model did.
func (p *pair) same(what string, got, want any) {
	if diff := cmp.Diff(want, got, same); diff != "" {
		p.faults = append(p.faults, fmt.Sprintf("%s (-model +broker):\n%s", what, diff))
	}
}

// both notes faults unless both calls were answered, or refused alike.
func (p *pair) both(what string, got, want error) bool {
	if difference := differ(got, want); difference != "" {
		p.faults = append(p.faults, fmt.Sprintf("%s: %s", what, difference))
	}
	return got == nil && want == nil
}

// differ returns how an error or outcome of a broker differs from the model's,
// or "". The broker's may say more.
func differ(got, want error) string {
	sentinels := []error{task.ErrInvalid, broker.ErrNotFound, broker.ErrExists, broker.ErrClaimed, broker.ErrLeaseLost, broker.ErrConflict, broker.ErrState, broker.ErrChanged, broker.ErrNotEmpty, broker.ErrQuota, broker.ErrRefused}
	told := fmt.Sprintf("the broker says %v, the model %v", got, want)
	if (got == nil) != (want == nil) {
		return told
	}
	for _, s := range sentinels {
		if errors.Is(got, s) != errors.Is(want, s) {
			return told
		}
	}
	for _, diff := range []string{
		diffAs[*broker.ExistsError](got, want),
		diffAs[*broker.ClaimedError](got, want),
		diffAs[*broker.ConflictError](got, want),
		diffAs[*broker.StateError](got, want),
		diffAs[*broker.QuotaError](got, want),
	} {
		if diff != "" {
			return told + diff
		}
	}
	named := errors.Is(want, broker.ErrLeaseLost) || errors.Is(want, broker.ErrNotFound) || errors.Is(want, broker.ErrChanged)
	if named && !strings.Contains(got.Error(), want.Error()) {
		return told
	}
	return ""
}

func diffAs[E error](got, want error) string {
	g, _ := errors.AsType[E](got)
	w, _ := errors.AsType[E](want)
	return cmp.Diff(w, g, same)
}

// apply applies the same changes to both; they differ in the tokens.
func (p *pair) apply(toModel, toReal []broker.Change, want broker.LeaseRequest) {
	now := time.Now()
	if p.apart {
		toModel, toReal = p.refuseApart(toModel, toReal)
	}
	p.note("Apply %s, lease %s", brief(toModel), brief(want))
	theirs, theirErr := p.model.Apply(p.ctx, now, toModel, want)
	ours, ourErr := p.real.Apply(p.ctx, now, toReal, want)
	if !p.both("Apply", ourErr, theirErr) {
		return
	}
	if len(ours.Outcomes) != len(toReal) {
		p.faults = append(p.faults, fmt.Sprintf("Apply of %d changes returned %d outcomes", len(toReal), len(ours.Outcomes)))
		return
	}
	for i, outcome := range ours.Outcomes {
		p.both(fmt.Sprintf("outcome of change %d", i), outcome, theirs.Outcomes[i])
	}
	p.same("parked", ours.Parked, theirs.Parked)
	p.same("leases", p.likened(ours.Leases, theirs.Leases), theirs.Leases)
	if len(ours.Leases) != len(theirs.Leases) {
		return
	}
	for i, l := range ours.Leases {
		if l.Token == "" || p.tokens[l.Token] {
			p.faults = append(p.faults, fmt.Sprintf("the token %q of %s is empty or was used before", l.Token, l.Entry))
		}
		p.tokens[l.Token] = true
		p.leases = append(p.leases, pairedLease{model: theirs.Leases[i], real: l})
	}
}

// likened returns ours with the tokens of theirs, and without what the broker may
// know or not.
func (p *pair) likened(ours, theirs []broker.Lease) []broker.Lease {
	ours = slices.Clone(ours)
	for i := range min(len(ours), len(theirs)) {
		l := &ours[i]
		l.Token = theirs[i].Token
		if theirs[i].Ready.IsZero() {
			l.Ready = time.Time{}
		}
		if l.Lost != nil {
			l.Lost = &broker.LostLease{Token: p.theirs(l.Lost.Token), Began: l.Lost.Began}
		}
	}
	return ours
}

// theirs returns the model's token of a lease.
func (p *pair) theirs(ours string) string {
	for _, l := range p.leases {
		if l.real.Token == ours {
			return l.model.Token
		}
	}
	return "none: " + ours
}

// look compares everything that can be read.
type look struct{}

func (look) play(p *pair) {
	now := time.Now()
	p.note("look")
	theirs, theirErr := p.model.Counts(p.ctx, now)
	ours, ourErr := p.real.Counts(p.ctx, now)
	if p.both("Counts", ourErr, theirErr) {
		p.same("counts", p.withoutGroups(withoutReadySince(ours, theirs), theirs), theirs)
	}
	for _, queue := range append([]string{planExits}, planQueues...) {
		for _, r := range listings(queue) {
			theirs, theirErr := p.model.List(p.ctx, r)
			ours, ourErr := p.real.List(p.ctx, r)
			if p.both("List", ourErr, theirErr) {
				p.same(fmt.Sprintf("%s entries of %s %s", r.State, queue, r.Group), ours, theirs)
			}
			for _, e := range theirs {
				p.lookAtEntry(e.EntryRef)
			}
		}
		p.lookAtQueue(now, queue)
	}
	for _, lease := range p.leases {
		if p.model.Holds(lease.model.Ref()) {
			p.lookAtEntry(lease.model.Entry.EntryRef)
		}
	}
	for _, home := range planHomes {
		p.lookAt(home)
	}
}

// withoutReadySince returns ours with the times of theirs where the two agree
// to the millisecond, or the broker does not know, as it need not.
func withoutReadySince(ours, theirs []broker.Counts) []broker.Counts {
	ours = slices.Clone(ours)
	for i := range min(len(ours), len(theirs)) {
		apart := ours[i].ReadySince.Sub(theirs[i].ReadySince).Abs()
		if !theirs[i].ReadySince.IsZero() && (ours[i].ReadySince.IsZero() || apart < time.Millisecond) {
			ours[i].ReadySince = theirs[i].ReadySince
		}
	}
	return ours
}

func (p *pair) lookAt(home broker.Home) {
	theirs, theirErr := p.model.Documents(p.ctx, home, planKeys...)
	ours, ourErr := p.real.Documents(p.ctx, home, planKeys...)
	if p.both("Documents", ourErr, theirErr) {
		p.same(fmt.Sprintf("documents of %s", home), ours, theirs)
	}
	for _, id := range planLatches {
		theirs, theirErr := p.model.Latches(p.ctx, home, id)
		ours, ourErr := p.real.Latches(p.ctx, home, id)
		if p.both("Latches", ourErr, theirErr) {
			p.same(fmt.Sprintf("latch %s of %s", id, home), ours, theirs)
		}
	}
	p.lookAtOpen(home)
}

package periodic

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

const (
	// fillPause is how long a runner waits before it looks again at a backfill.
	fillPause = time.Second

	// maxAsks is how many runs that were asked for, and how many backfills, may wait.
	maxAsks = 32

	// maxEndedFills and maxSpans are how many backfills that have ended, and spans of
	// what they have covered, a record keeps.
	maxEndedFills = 8
	maxSpans      = 64

	// maxWalk is how many ticks of a backfill are looked at in one decision.
	maxWalk = 10_000
)

// An ask is a run that was asked for.
type ask struct {
	At time.Time `json:"at"`
	By string    `json:"by,omitempty"`
}

// A Backfill is a time whose ticks are run although it has passed.
type Backfill struct {
	ID       string    `json:"id"`
	From     time.Time `json:"from"` // the first tick is not before it
	To       time.Time `json:"to"`   // and the last not after it
	Cap      int       `json:"cap"`  // how many of their tasks are open at once
	Force    bool      `json:"force,omitempty"`
	By       string    `json:"by,omitempty"`
	Begun    time.Time `json:"begun"`
	Done     time.Time `json:"done"`           // what is enqueued or left out: all ticks until then
	Enqueued int       `json:"enqueued"`       // tasks
	Skipped  int       `json:"skipped"`        // ticks that were left out because they had been run
	Ended    time.Time `json:"ended,omitzero"` // when the last task had ended
}

// backfill is the name of one in a record.
type backfill = Backfill

// A span is a time, its ends included.
type span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func (s span) has(at time.Time) bool { return !at.Before(s.From) && !at.After(s.To) }

// with returns spans and one more, those that meet joined; the oldest are forgotten if
// there are too many.
func with(spans []span, one span) []span {
	all := append(slices.Clone(spans), one)
	slices.SortFunc(all, func(a, b span) int { return a.From.Compare(b.From) })
	joined := all[:1]
	for _, s := range all[1:] {
		last := &joined[len(joined)-1]
		if s.From.After(last.To) {
			joined = append(joined, s)
			continue
		}
		last.To = later(last.To, s.To)
	}
	return joined[max(0, len(joined)-maxSpans):]
}

// wasRun reports whether a tick is known to have been run by its schedule, or in a
// backfill other than the i-th.
func (r record) wasRun(at time.Time, i int) bool {
	for _, b := range r.Backfills[:i] {
		if (span{b.From, b.To}).has(at) {
			return true
		}
	}
	return slices.ContainsFunc(r.Covered, func(s span) bool { return s.has(at) }) ||
		slices.ContainsFunc(r.History, func(e Event) bool {
			return e.Tick.Equal(at) && (e.What == TickFired || e.What == TickWaits)
		})
}

// decideFill says which ticks of the i-th backfill of r are enqueued while so many of its
// tasks are open, and returns r after that. It is ended once there are none left.
func (p *plan) decideFill(r record, i, open int, m moment) (record, []firing) {
	b := r.Backfills[i]
	var fire []firing
	most := min(b.Cap-open, m.most)
	for walked := 0; len(fire) < most && walked < maxWalk; walked++ {
		at := p.timetable.Next(b.Done)
		if at.IsZero() || at.After(b.To) {
			b.Done = b.To
			break
		}
		if r.Paused == nil && at.After(r.Last) {
			break // it is to come by itself
		}
		b.Done = at.UTC()
		if !b.Force && r.wasRun(at, i) {
			b.Skipped++
			continue
		}
		fire = append(fire, firing{at: at, due: m.now, backfill: b.ID, by: b.By})
	}
	b.Enqueued += len(fire)
	r.Backfills = slices.Clone(r.Backfills)
	if b.Done.Equal(b.To) && len(fire) == 0 && open == 0 {
		b.Ended = m.now.UTC()
		if !b.To.Before(b.From) { // it was cut short before its first tick
			r.Covered = with(r.Covered, span{b.From, b.To})
		}
		r = r.noted(Event{Tick: b.From, Until: b.To, At: b.Ended, What: BackfillEnded, By: b.By})
	}
	r.Backfills[i] = b
	r.Backfills = trimFills(r.Backfills)
	return r, fire
}

// trimFills forgets the oldest of the backfills that have ended, if they are many.
func trimFills(fills []backfill) []backfill {
	ended := slices.DeleteFunc(slices.Clone(fills), func(b backfill) bool { return b.Ended.IsZero() })
	if len(ended) <= maxEndedFills {
		return fills
	}
	oldest := slices.MinFunc(ended, func(a, b backfill) int {
		return cmp.Or(a.Ended.Compare(b.Ended), cmp.Compare(a.ID, b.ID))
	})
	return slices.DeleteFunc(fills, func(b backfill) bool { return b.ID == oldest.ID })
}

// fill goes on with the backfills that are under way, one a turn. It reports whether
// there is one.
func (r *runner) fill(ctx context.Context, p *plan, doc *document) (wait time.Duration, under bool, err error) {
	m := moment{now: r.s.now(), most: r.most}
	for i, b := range doc.Backfills {
		if !b.Ended.IsZero() {
			continue
		}
		under = true
		open, err := r.open(ctx, backfillHome(r.name, b.ID), b.Cap)
		if err != nil {
			return 0, true, err
		}
		next, fire := p.decideFill(doc.record, i, len(open), m)
		if len(fire) == 0 && next.Backfills[min(i, len(next.Backfills)-1)] == b {
			continue
		}
		shots := r.aimAll(ctx, p, fire, nil)
		if again := r.failed(ctx, shots); again > 0 {
			return again, true, nil
		}
		return 0, true, r.shoot(ctx, p, doc, next, broker.Change{}, shots)
	}
	return fillPause, under, nil
}

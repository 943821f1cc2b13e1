package periodic

import "time"

// maxFirings is how many tasks one decision enqueues at most.
const maxFirings = 100

// A moment is what a decision depends on beside what is stored.
type moment struct {
	now   time.Time
	since time.Time // this process knows the entry as it is
	most  int       // tasks to enqueue
}

// A firing is a task that is to be enqueued: of a tick, or of a run that was asked for.
type firing struct {
	at       time.Time // the tick
	due      time.Time // when its task is ready
	asked    bool
	by       string // who asked for it
	backfill string // of which it is
	waits    bool   // for what is open
}

// A verdict is what is decided of an entry.
type verdict struct {
	fire  []firing  // in order
	notes []Event   // what else has become of ticks
	last  time.Time // up to which ticks are decided
	next  time.Time // when there is more to decide, if nothing is now; zero: never by itself
	asks  int       // how many of those that wait are answered
}

// decide says what becomes of the ticks of an entry after the last one that was
// decided, and of the runs that were asked for.
func (p *plan) decide(r record, m moment) verdict {
	v := verdict{last: p.base(r, m.since)}
	if r.Paused == nil {
		p.decideTicks(&v, m)
	}
	for _, a := range r.Asks {
		if len(v.fire) < m.most {
			v.fire = append(v.fire, firing{at: a.At, due: a.At, asked: true, by: a.By})
			v.asks++
		}
	}
	return v
}

// idle reports whether there is nothing to do.
func (v verdict) idle() bool { return len(v.fire)+len(v.notes) == 0 }

// wait returns how long to wait until there is more to decide.
func (v verdict) wait(now time.Time) time.Duration {
	if v.next.IsZero() {
		return longestSleep
	}
	return min(v.next.Sub(now), longestSleep)
}

// base returns up to when the ticks of p are decided. What another schedule has left
// undecided before this one was known is nobody's tick.
func (p *plan) base(r record, since time.Time) time.Time {
	if r.Spec.ticks() != p.spec.ticks() {
		return later(r.Last, since)
	}
	return r.Last
}

// decideTicks adds to v the ticks that are due.
func (p *plan) decideTicks(v *verdict, m moment) {
	t := p.timetable
	base, until := v.last, t.reached(m.now)
	first := t.Next(base)
	switch {
	case first.IsZero():
		return
	case first.After(until):
		v.next = t.due(first)
		return
	}
	late := later(base, t.reached(m.now.Add(-p.Window-1))) // until then they are missed
	fire := t.Between(late, until, MaxMissed)
	if !first.After(late) {
		made := p.makeUp(base, late, m.now, len(fire))
		v.noteMissed(first, t.Last(late), made, m.now)
		v.last, fire = t.Last(late), append(made, fire...)
	}
	for _, at := range fire[:min(len(fire), m.most)] {
		v.last = at
		v.fire = append(v.fire, firing{at: at, due: t.due(at)})
	}
}

// reached returns a time such that all ticks until then are due at now, and none after
// it.
func (t timetable) reached(now time.Time) time.Time {
	if t.jitter == 0 {
		return now
	}
	if last := t.Last(now); t.due(last).After(now) {
		return last.Add(-1)
	}
	return now
}

// makeUp returns the missed ticks, of those until late, that are enqueued although
// there are so many on time.
func (p *plan) makeUp(base, late, now time.Time, onTime int) []time.Time {
	switch p.Missed.do {
	case runOnce:
		return p.timetable.LastBetween(base, late, max(0, 1-onTime))
	case runAll:
		return p.timetable.LastBetween(later(base, now.Add(-p.Missed.within-1)), late, max(0, p.Missed.max-onTime))
	}
	return nil
}

// noteMissed notes the missed ticks, from the first to the last, that were not made up
// for.
func (v *verdict) noteMissed(first, last time.Time, made []time.Time, now time.Time) {
	note := Event{Tick: first, Until: last, At: now, What: TickMissed, Why: "later than the window"}
	switch {
	case len(made) == 0:
	case made[0].Equal(first):
		return
	default:
		note.Until = made[0].Add(-1)
	}
	v.notes = append(v.notes, note)
}

// needsOpen reports whether it must be known what is open of an entry.
func (o Overlap) needsOpen(fire []firing) bool {
	switch o {
	case SkipOverlap, CancelPrevious:
		return len(fire) > 0
	case QueueOne:
		return len(fire) > 1
	}
	return false
}

// overlap says what becomes of the firings of v by the policy o, now that tasks are open,
// each of which is told in words.
func (o Overlap) overlap(v verdict, open []string, now time.Time) verdict {
	n := len(v.fire)
	if n == 0 || o == Allow {
		return v
	}
	all := v.fire
	switch {
	case o == SkipOverlap && len(open) > 0:
		v.skip(all, open[0], now)
		v.fire = nil
	case o == SkipOverlap:
		v.skip(all[1:], "one before it has just begun", now)
		v.fire = all[:1]
	case o == CancelPrevious:
		v.skip(all[:n-1], "one after it is due", now)
		v.fire = all[n-1:]
	case n == 1 || len(open) > 0:
		v.skip(all[:n-1], "one after it takes its place", now)
		v.fire = all[n-1:]
		v.fire[0].waits = true
	default:
		v.skip(all[1:n-1], "one after it takes its place", now)
		v.fire = []firing{all[0], all[n-1]}
		v.fire[1].waits = true
	}
	return v
}

// skip notes that firings are left out.
func (v *verdict) skip(left []firing, why string, now time.Time) {
	for _, f := range left {
		v.notes = append(v.notes, Event{Tick: f.at, At: now, What: TickSkipped, Why: why, By: f.by})
	}
}

// apply returns r after v, without what is told of its firings: that is known once
// their tasks are made.
func (v verdict) apply(r record) record {
	r.Last = later(r.Last, v.last)
	r.Asks = r.Asks[v.asks:]
	return r.noted(v.notes...)
}

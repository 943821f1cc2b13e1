package periodic

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// noon is a tick of all entries below.
var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// compiled returns an entry that ticks each minute as a plan.
func compiled(t *testing.T, change func(*Entry)) *plan {
	t.Helper()
	e := Entry{Name: "e", Schedule: "* * * * *", Type: "t"}
	if change != nil {
		change(&e)
	}
	p, err := e.compile(FromCode)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// text writes a verdict down, in minutes and seconds after noon: what is fired, what is
// noted, and up to when ticks are decided.
func (v verdict) text() string {
	var parts []string
	for _, f := range v.fire {
		part := "fire " + f.at.Sub(noon).String()
		if f.asked {
			part = "run " + f.at.Sub(noon).String()
		}
		if f.waits {
			part += " later"
		}
		if !f.due.Equal(f.at) {
			part += " at " + f.due.Sub(noon).String()
		}
		parts = append(parts, part)
	}
	for _, e := range v.notes {
		part := fmt.Sprintf("%s %v", e.What, e.Tick.Sub(noon))
		if !e.Until.IsZero() {
			part += fmt.Sprintf(" to %v", e.Until.Sub(noon))
		}
		parts = append(parts, part)
	}
	return strings.Join(append(parts, "decided "+v.last.Sub(noon).String()), ", ")
}

func TestDecide(t *testing.T) {
	missed := func(m Missed) func(*Entry) { return func(e *Entry) { e.Missed = m } }
	of := func(last time.Duration) record { return record{Last: noon.Add(last)} }
	paused := of(0)
	paused.Paused = &Pause{}
	asked := of(0)
	asked.Asks = []ask{{At: noon.Add(10 * time.Second)}, {At: noon.Add(20 * time.Second)}}
	other := of(0)
	other.Spec.Schedule = "@hourly"
	cases := []struct {
		name   string
		change func(*Entry)
		record record
		now    time.Duration // since noon
		want   string
	}{
		{"nothing is due", nil, of(0), 59 * time.Second, "decided 0s"},
		{"a tick is due", nil, of(0), time.Minute, "fire 1m0s, decided 1m0s"},
		{"one that is decided is not due again", nil, of(time.Minute), time.Minute, "decided 1m0s"},
		{"those in the window are on time", nil, of(0), 2*time.Minute + 30*time.Second, "fire 2m0s, missed 1m0s to 1m0s, decided 2m0s"},
		{"a tick as late as the window is on time", nil, of(0), 2 * time.Minute, "fire 1m0s, fire 2m0s, decided 2m0s"},
		{"a tick that is later is missed", nil, of(0), 2*time.Minute + time.Millisecond, "fire 2m0s, missed 1m0s to 1m0s, decided 2m0s"},
		{"with a larger window all are on time", func(e *Entry) { e.Window = time.Hour }, of(0), 3 * time.Minute, "fire 1m0s, fire 2m0s, fire 3m0s, decided 3m0s"},
		{"missed ones are skipped", missed(Skip()), of(0), 9*time.Minute + 30*time.Second, "fire 9m0s, missed 1m0s to 8m0s, decided 9m0s"},
		{"none is missed by a run once", missed(RunOnce()), of(0), 9*time.Minute + 30*time.Second, "fire 9m0s, missed 1m0s to 8m0s, decided 9m0s"},
		{"missed ones are run, with those on time", missed(RunAll(3, time.Hour)), of(0), 9*time.Minute + 30*time.Second, "fire 7m0s, fire 8m0s, fire 9m0s, missed 1m0s to 6m59.999999999s, decided 9m0s"},
		{"within a time", missed(RunAll(9, 3*time.Minute)), of(0), 9*time.Minute + 30*time.Second, "fire 7m0s, fire 8m0s, fire 9m0s, missed 1m0s to 6m59.999999999s, decided 9m0s"},
		{"all of them", missed(RunAll(9, time.Hour)), of(0), 3*time.Minute + 30*time.Second, "fire 1m0s, fire 2m0s, fire 3m0s, decided 3m0s"},
		{"a clock that is behind decides nothing", nil, of(time.Hour), time.Minute, "decided 1h0m0s"},
		{"a paused entry has no ticks", nil, paused, time.Hour, "decided 0s"},
		{"runs that were asked for come after ticks", nil, asked, time.Minute, "fire 1m0s, run 10s, run 20s, decided 1m0s"},
		{"what another schedule left undecided is nobody's", func(e *Entry) { e.Window = time.Hour }, other, 31 * time.Minute, "fire 31m0s, decided 31m0s"},
		{"after the end there is nothing", func(e *Entry) { e.End = noon }, of(0), time.Hour, "decided 0s"},
		{"jitter has a tick wait", func(e *Entry) { e.Jitter = time.Minute }, of(0), time.Minute, "decided 0s"},
		{"and then it is due", func(e *Entry) { e.Jitter = time.Minute }, of(0), 2*time.Minute - 1, "fire 1m0s at 1m27.194s, decided 1m0s"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := compiled(t, c.change)
			r := c.record
			if r.Spec.Schedule == "" {
				r.Spec = p.spec
			}
			v := p.decide(r, moment{now: noon.Add(c.now), since: noon.Add(30 * time.Minute), most: maxFirings})
			if got := v.text(); got != c.want {
				t.Errorf("decide() = %s\nwant       %s", got, c.want)
			}
		})
	}
}

func TestMuchIsDecidedInParts(t *testing.T) {
	p := compiled(t, func(e *Entry) { e.Missed = RunAll(500, 24*time.Hour) })
	r := record{Last: noon, Spec: p.spec}
	now := noon.Add(1000*time.Minute + time.Second)
	var got []time.Time
	for range 10 {
		v := p.decide(r, moment{now: now, since: noon, most: maxFirings})
		for _, f := range v.fire {
			got = append(got, f.at)
		}
		r = v.apply(r)
		if v.idle() {
			break
		}
	}
	if len(got) != 500 || !got[0].Equal(noon.Add(501*time.Minute)) || !slices.IsSortedFunc(got, time.Time.Compare) {
		t.Errorf("%d ticks are fired, from %v on; want the last 500", len(got), got[0])
	}
	if missed := r.History; len(missed) != 1 || !missed[0].Until.Before(got[0]) {
		t.Errorf("the history is %+v, want what was missed, once", missed)
	}
}

func TestOverlap(t *testing.T) {
	cases := []struct {
		overlap Overlap
		due     int
		open    []string
		want    string
	}{
		{Allow, 2, []string{"x"}, "fire 1m0s, fire 2m0s"},
		{SkipOverlap, 0, []string{"x"}, ""},
		{SkipOverlap, 1, nil, "fire 1m0s"},
		{SkipOverlap, 2, nil, "fire 1m0s, skipped 2m0s"},
		{SkipOverlap, 2, []string{"x"}, "skipped 1m0s, skipped 2m0s"},
		{QueueOne, 1, nil, "fire 1m0s later"},
		{QueueOne, 2, nil, "fire 1m0s, fire 2m0s later"},
		{QueueOne, 4, nil, "fire 1m0s, fire 4m0s later, skipped 2m0s, skipped 3m0s"},
		{QueueOne, 3, []string{"x"}, "fire 3m0s later, skipped 1m0s, skipped 2m0s"},
		{CancelPrevious, 1, []string{"x"}, "fire 1m0s"},
		{CancelPrevious, 3, nil, "fire 3m0s, skipped 1m0s, skipped 2m0s"},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%v of %d while %v", c.overlap, c.due, c.open), func(t *testing.T) {
			v := verdict{last: noon}
			for i := range c.due {
				at := noon.Add(time.Duration(i+1) * time.Minute)
				v.fire = append(v.fire, firing{at: at, due: at})
			}
			got := c.overlap.overlap(v, c.open, noon)
			if want := strings.TrimPrefix(c.want+", decided 0s", ", "); got.text() != want {
				t.Errorf("overlap() = %s\nwant        %s", got.text(), want)
			}
			for _, e := range got.notes {
				if e.Why == "" || len(c.open) > 0 && c.overlap == SkipOverlap && e.Why != "x" {
					t.Errorf("%v is left out because %q", e.Tick, e.Why)
				}
			}
		})
	}
}

func TestSpansThatMeetAreJoined(t *testing.T) {
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	var spans []span
	for _, n := range [][2]int{{10, 20}, {30, 40}, {0, 5}, {15, 30}, {50, 60}, {5, 6}} {
		spans = with(spans, span{at(n[0]), at(n[1])})
	}
	want := []span{{at(0), at(6)}, {at(10), at(40)}, {at(50), at(60)}}
	if !slices.Equal(spans, want) {
		t.Errorf("spans are %v, want %v", spans, want)
	}
}

package cron_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic/internal/cron"
)

// TestSchedulesTickAsAWalkOverTheClockDoes compares schedules with the rule of
// the package's comment applied to each minute, near a switch of the clocks
// mostly.
func TestSchedulesTickAsAWalkOverTheClockDoes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	const specs = 10_000
	seen := map[string]int{}
	for range specs {
		w := randomWalk(rng)
		s, err := cron.Parse(w.spec(), cron.Options{Zone: w.zone.String()})
		if err != nil {
			t.Fatal(err)
		}
		want := w.ticks(seen)
		got := s.Between(w.from, w.to, len(want)+1)
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("%s from %v to %v ticks at\n%v, want\n%v", s, w.from, w.to, got, want)
		}
		if latest := want[max(0, len(want)-3):]; !slices.EqualFunc(s.LastBetween(w.from, w.to, 3), latest, time.Time.Equal) {
			t.Fatalf("%s from %v to %v ticks at last at\n%v, want\n%v", s, w.from, w.to, s.LastBetween(w.from, w.to, 3), latest)
		}
		if first := s.Next(w.from); first.IsZero() || !first.After(w.from) {
			t.Fatalf("%s: after %v comes %v", s, w.from, first)
		}
	}
	t.Logf("of %d specs: %v", specs, seen)
	for what, least := range map[string]int{"ticks": specs, "made up after a gap": 50, "left out of a repeat": 500, "ticked again in a repeat": 500, "left out of a long gap": 10} {
		if seen[what] < least {
			t.Errorf("%d %s, want at least %d for the walk to show anything", seen[what], what, least)
		}
	}
}

// A walk is a spec, a zone and a time, to be gone through minute by minute.
type walk struct {
	second, minute, hour, day, month, weekday field
	withSeconds                               bool
	zone                                      *time.Location
	from, to                                  time.Time
}

func (w walk) spec() string {
	texts := []string{w.minute.text, w.hour.text, w.day.text, w.month.text, w.weekday.text}
	if w.withSeconds {
		texts = slices.Insert(texts, 0, w.second.text)
	}
	return strings.Join(texts, " ")
}

// ticks returns when the spec ticks, by the rule, and counts in seen what it
// met.
func (w walk) ticks(seen map[string]int) (ticks []time.Time) {
	tick := func(at time.Time) {
		if at.After(w.from) && !at.After(w.to) && (len(ticks) == 0 || !ticks[len(ticks)-1].Equal(at)) {
			ticks = append(ticks, at)
			seen["ticks"]++
		}
	}
	byWallClock := !w.minute.star && !w.hour.star
	start := w.from.Truncate(time.Minute).Add(-3 * time.Hour) // clocks are set back by less
	before := shows(start.Add(-time.Minute), w.zone)
	latest := before
	for at := start; !at.After(w.to); at = at.Add(time.Minute) {
		now := shows(at, w.zone)
		if skipped := now.Sub(before) - time.Minute; byWallClock && skipped > 0 && w.matchesBetween(before, now) {
			if skipped <= 3*time.Hour {
				seen["made up after a gap"]++
				tick(at)
			} else {
				seen["left out of a long gap"]++
			}
		}
		again := !now.After(latest)
		switch {
		case !w.matches(now):
		case again && byWallClock:
			seen["left out of a repeat"]++
		default:
			if again {
				seen["ticked again in a repeat"]++
			}
			for second := range 60 {
				if w.second.has[second] {
					tick(at.Add(time.Duration(second) * time.Second))
				}
			}
		}
		before = now
		if !again {
			latest = now
		}
	}
	return ticks
}

// shows returns what the clocks of zone show at a time.
func shows(at time.Time, zone *time.Location) time.Time {
	l := at.In(zone)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
}

func (w walk) matchesBetween(before, now time.Time) bool {
	for m := before.Add(time.Minute); m.Before(now); m = m.Add(time.Minute) {
		if w.matches(m) {
			return true
		}
	}
	return false
}

func (w walk) matches(now time.Time) bool {
	day, weekday := w.day.has[now.Day()], w.weekday.has[int(now.Weekday())]
	if w.day.all || w.weekday.all {
		day = day && weekday
	} else {
		day = day || weekday
	}
	return day && w.minute.has[now.Minute()] && w.hour.has[now.Hour()] && w.month.has[int(now.Month())]
}

var walkedZones = []string{
	"UTC", "America/New_York", "America/Sao_Paulo", "America/St_Johns", "America/Santiago", "America/Havana",
	"Europe/Berlin", "Europe/Dublin", "Africa/Casablanca", "Africa/Cairo", "Asia/Beirut", "Asia/Gaza", "Asia/Tehran",
	"Asia/Kolkata", "Asia/Kathmandu", "Asia/Pyongyang", "Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia",
	"Pacific/Kwajalein", "Pacific/Chatham",
}

// randomWalk returns a walk over a few hours or days, three times of four
// with a switch of the clocks if the zone has any.
func randomWalk(rng *rand.Rand) walk {
	zone, err := time.LoadLocation(walkedZones[rng.IntN(len(walkedZones))])
	if err != nil {
		panic(err)
	}
	begin, end := time.Date(1973, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2110, 1, 1, 0, 0, 0, 0, time.UTC)
	at := begin.Add(time.Duration(rng.Int64N(int64(end.Sub(begin)))))
	if _, to := at.In(zone).ZoneBounds(); !to.IsZero() && rng.IntN(4) > 0 {
		at = to
	}
	shown := shows(at, zone)
	if zone.String() == "Pacific/Apia" && rng.IntN(2) > 0 { // the day that it left out
		at, shown = time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC), time.Date(2011, 12, 30, 12, 0, 0, 0, time.UTC)
	}
	w := walk{zone: zone, withSeconds: rng.IntN(4) == 0, second: field{has: map[int]bool{0: true}}}
	long := 6 * time.Hour
	if w.withSeconds {
		w.second, long = randomField(rng, 0, 59, nil), 90*time.Minute
	}
	w.from = at.Add(-time.Duration(rng.Int64N(int64(long))))
	w.to = w.from.Add(long)
	w.minute = randomField(rng, 0, 59, nil)
	w.hour = nearby(rng, (shown.Hour()+22+rng.IntN(4))%24, randomField(rng, 0, 23, nil))
	w.day = nearby(rng, shown.Day(), randomField(rng, 1, 31, nil))
	w.month = nearby(rng, int(shown.Month()), randomField(rng, 1, 12, []string{"", "jan", "FEB", "Mar"}))
	w.weekday = nearby(rng, int(shown.Weekday()), randomField(rng, 0, 6, []string{"sun", "MON", "Tue"}))
	for month := range w.month.has { // a day that no month has would be refused
		if !w.day.has[29] && !w.day.has[30] && !w.day.has[31] || month != 2 && month != 4 && month != 6 && month != 9 && month != 11 {
			return w
		}
	}
	w.month = star("*", 1, 12)
	return w
}

// A field is the text of a field and what it means.
type field struct {
	text string
	has  map[int]bool
	star bool // it begins with one
	all  bool // it restricts nothing
}

func star(text string, low, high int) field {
	f := field{text: text, star: true, all: true, has: map[int]bool{}}
	f.add(low, high, 1)
	return f
}

func (f field) add(from, to, step int) {
	for n := from; n <= to; n += step {
		f.has[n] = true
	}
}

// nearby returns, two times of five, a field of one value instead of f, and once
// a star.
func nearby(rng *rand.Rand, value int, f field) field {
	switch rng.IntN(5) {
	case 0, 1:
		return field{text: fmt.Sprint(value), has: map[int]bool{value: true}}
	case 2:
		return star("*", 0, 59)
	default:
		return f
	}
}

// randomField returns a field of one to three items.
func randomField(rng *rand.Rand, low, high int, names []string) field {
	f := field{has: map[int]bool{}}
	write := func(n int) string {
		if n < len(names) && names[n] != "" && rng.IntN(2) == 0 {
			return names[n]
		}
		return fmt.Sprint(n)
	}
	for i := range 1 + rng.IntN(5)/2 {
		from := low + rng.IntN(high-low+1)
		to, step := from+rng.IntN(high-from+1), 1+rng.IntN(high)
		var item string
		switch rng.IntN(6) {
		case 0:
			item, from, to, step = []string{"*", "?", "*/1"}[rng.IntN(3)], low, high, 1
		case 1:
			item, from, to = fmt.Sprintf("*/%d", step), low, high
		case 2:
			item, to = fmt.Sprintf("%s/%d", write(from), step), high
		case 3:
			item = fmt.Sprintf("%s-%s/%d", write(from), write(to), step)
		case 4:
			item, step = write(from)+"-"+write(to), 1
		default:
			item, to = write(from), from
		}
		isStar := strings.ContainsAny(item[:1], "*?")
		f.star = f.star || i == 0 && isStar
		f.all = f.all || isStar && step == 1
		f.add(from, to, step)
		if i > 0 {
			f.text += ","
		}
		f.text += item
	}
	return f
}

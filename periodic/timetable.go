package periodic

import (
	"hash/fnv"
	"time"

	"github.com/leatwork/leat/periodic/internal/cron"
	"github.com/leatwork/leat/queue/broker"
)

// A timetable says when the ticks of an entry are, and when they are enqueued.
type timetable struct {
	cron.Schedule
	name   string // of the entry
	jitter time.Duration
}

// readTimetable returns e's timetable.
func (e Entry) readTimetable() (timetable, error) {
	s, err := cron.Parse(e.Schedule, cron.Options{Zone: e.Zone, Start: e.Start, End: e.End})
	return timetable{Schedule: s, name: e.Name, jitter: e.Jitter}, err
}

// Upcoming returns the next n ticks after a time, in order: by Schedule, Zone, Start and
// End alone, whether the entry is paused or not, and without Jitter. There are fewer if
// its ticks end. It fails as [Entry.Check] does if these make no sense.
func (e Entry) Upcoming(after time.Time, n int) ([]time.Time, error) {
	e.Start, e.End = broker.CeilMilli(e.Start), broker.CeilMilli(e.End)
	t, err := e.readTimetable()
	if err != nil {
		return nil, &EntryError{Entry: e.Name, Err: err}
	}
	var ticks []time.Time
	for at := t.Next(after); !at.IsZero() && len(ticks) < n; at = t.Next(at) {
		ticks = append(ticks, at)
	}
	return ticks, nil
}

// due returns when the tick at a time is to be enqueued: by its jitter later, but
// before the tick after it.
func (t timetable) due(at time.Time) time.Time {
	room := t.jitter
	if room == 0 {
		return at
	}
	if next := t.Next(at); !next.IsZero() {
		room = min(room, next.Sub(at))
	}
	return at.Add(time.Duration(float64(room) * draw(t.name, at))).Truncate(time.Millisecond)
}

// draw returns a number from 0 to 1, and less than 1, that is always the same of one
// tick.
func draw(name string, at time.Time) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(tickID(name, at))) // a hash never fails
	x := h.Sum64()
	x ^= x >> 33 // the last bytes reach all bits
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

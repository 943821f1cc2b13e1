package periodic

import (
	"hash/fnv"
	"time"

	"github.com/leatwork/leat/periodic/internal/cron"
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

package query

import (
	"strings"
	"time"
)

const day = 24 * time.Hour

// A moment is a time in a query: one that is written out, or one that lies so much before
// or after the time at which is asked.
type moment struct {
	at   time.Time
	span time.Duration // how long what was written lasts: a day, a second
	away time.Duration // if at is zero
}

// parseMoment reads RFC 3339, a date in the zone of the machine, or a duration.
func parseMoment(text string) (m moment, ok bool) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return moment{at: t, span: time.Second}, true
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return moment{at: t, span: t.AddDate(0, 0, 1).Sub(t)}, true
	}
	m.away, ok = parseSpan(text)
	return m, ok
}

// parseSpan reads a duration as Go has it, and with days and weeks: "7d", "1d12h", "2w".
func parseSpan(text string) (time.Duration, bool) {
	var days time.Duration
	rest := text
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		number, behind, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := time.ParseDuration(number + "h")
		if err != nil || strings.Trim(number, "0123456789.") != "" || n > 1<<61/(unit.is/time.Hour) {
			return 0, false
		}
		days += n * (unit.is / time.Hour)
		rest = behind
	}
	if rest == "" {
		return days, text != ""
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || days+d < 0 {
		return 0, false
	}
	return days + d, true
}

// before returns m as a time, where a duration is so long ago.
func (m moment) before(now time.Time) time.Time { return m.from(now, -1) }

// after returns m as a time, where a duration is so long ahead.
func (m moment) after(now time.Time) time.Time { return m.from(now, 1) }

func (m moment) from(now time.Time, direction time.Duration) time.Time {
	if m.at.IsZero() {
		return now.Add(direction * m.away)
	}
	return m.at
}

package prom

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// rateWindow is over how long rates are taken, or over a step if that is longer: so
// nothing falls between two points.
const rateWindow = 5 * time.Minute

// Step returns how far apart the points of a range are.
func Step(window time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, s := range []struct{ window, step time.Duration }{
		{6 * time.Hour, 10 * time.Second}, {day, time.Minute}, {8 * day, 3 * time.Minute}, {30 * day, 10 * time.Minute},
	} {
		if window <= s.window {
			return s.step
		}
	}
	return (window / mostPoints).Truncate(time.Second)
}

// mostPoints is how many points a series has of a long range.
const mostPoints = 3000

// matcher returns what selects the series of some queues, whatever their names are.
func matcher(queues []string) string {
	if len(queues) == 0 {
		return `queue=~".+"`
	}
	quoted := make([]string, len(queues))
	for i, q := range queues {
		quoted[i] = regexp.QuoteMeta(q)
	}
	return "queue=~" + strconv.Quote(strings.Join(quoted, "|"))
}

func promDuration(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) + "s" }

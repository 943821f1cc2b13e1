package redisbroker

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// nanos returns t in Unix nanoseconds, and day its date, as scripts take them.
func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }
func day(t time.Time) string   { return t.UTC().Format(time.DateOnly) }

// millis returns t in Unix milliseconds, rounded up.
func millis(t time.Time) int64 { return broker.CeilMilli(t).UnixMilli() }

// days keeps the date that was asked for last.
type days struct{ last atomic.Pointer[date] }

type date struct {
	number int64 // of days since 1970
	name   any   // what day returns, as an argument
}

// of returns day(t), as an argument of a script.
func (d *days) of(t time.Time) any {
	const secondsOfADay = 24 * 60 * 60
	s := t.Unix()
	if s < 0 {
		return day(t) // division rounds these up
	}
	last := d.last.Load()
	if last == nil || last.number != s/secondsOfADay {
		last = &date{s / secondsOfADay, day(t)}
		d.last.Store(last)
	}
	return last.name
}

package history

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// homes is beside which the homes of the history are kept. No task is ever in a queue of
// that name.
const homes = "leat~history"

const day = 24 * time.Hour

// When a server writes what a minute came to.
const (
	Lag      = time.Second      // how long after its end at the earliest
	Spread   = 20 * time.Second // over how long servers of one fleet spread out
	Patience = 10 * time.Second // how long it may take
)

// A resolution is how finely time is divided, and where what is of it lies.
type resolution struct {
	slot  time.Duration // of what a figure is
	sheet time.Duration // of what a document is
	kept  time.Duration // for how long at least
	home  func(t time.Time) (id string, ends time.Time)
}

var (
	minutes = &resolution{slot: time.Minute, sheet: time.Hour, kept: 2 * day, home: func(t time.Time) (string, time.Time) {
		return t.Format("minutes-20060102"), t.Truncate(day).Add(day)
	}}
	hours = &resolution{slot: time.Hour, sheet: day, kept: 90 * day, home: func(t time.Time) (string, time.Time) {
		return t.Format("hours-200601"), time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	}}
)

// A place is that of a document. It lies in home until goes.
type place struct {
	home broker.Home
	key  string
	goes time.Time
}

// place returns where what a queue did at t is to be found, and which slot it is there.
func (r *resolution) place(queue string, t time.Time) (place, int) {
	t = t.UTC()
	begins := t.Truncate(r.sheet)
	n := begins.Hour()
	if r.sheet == day {
		n = begins.Day()
	}
	id, ends := r.home(t)
	p := place{home: broker.Home{Queue: homes, ID: id}, key: fmt.Sprintf("%s~%02d", queue, n), goes: ends.Add(r.kept)}
	return p, int(t.Sub(begins) / r.slot)
}

// slots is how many slots a document may have.
func (r *resolution) slots() int { return int(r.sheet / r.slot) }

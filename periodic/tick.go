package periodic

import (
	"context"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/tick"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Tick is one firing of an entry.
type Tick struct {
	Entry string // the entry's name

	// Time is when the tick is due by the schedule, whatever the jitter and however
	// late it is; of a run that was asked for ([Inspector.RunNow]), when it was. A
	// payload is made from the time in the entry's zone, a handler gets it in UTC.
	Time time.Time

	Backfill string // the id of the backfill that it is part of; "": of none

	Overlap Overlap  // the entry's policy
	Cancels []string // ids of tasks of earlier ticks that were cancelled for this one, some if there are many
}

// The headers that tell a handler which tick its task is of.
const (
	HeaderEntry   = tick.Entry
	HeaderTick    = tick.Time    // RFC 3339 in UTC
	HeaderOverlap = tick.Overlap // as [Overlap.String] has it
	HeaderCancels = tick.Cancels // ids of tasks, comma separated

	HeaderBackfill = tick.Backfill // the id of the backfill that it is part of, if it is
)

// TickFromContext returns the tick whose handler has ctx, and whether it is that of
// one.
func TickFromContext(ctx context.Context) (Tick, bool) {
	running, ok := queue.FromContext(ctx)
	if !ok {
		return Tick{}, false
	}
	return tickOf(running.Lease().Entry.Headers)
}

// TickOf returns the tick that t is the task of, as a handler receives it, and
// whether it is of one.
func TickOf(t *task.Task) (Tick, bool) { return tickOf(t.Headers()) }

func tickOf(headers map[string]string) (Tick, bool) {
	at, err := time.Parse(time.RFC3339Nano, headers[HeaderTick])
	if headers[HeaderEntry] == "" || err != nil {
		return Tick{}, false
	}
	t := Tick{Entry: headers[HeaderEntry], Time: at, Backfill: headers[HeaderBackfill], Cancels: tick.Cancelled(headers)}
	if o, err := ParseOverlap(headers[HeaderOverlap]); err == nil {
		t.Overlap = o
	}
	return t, true
}

// headers returns t as options of its task.
func (t Tick) headers() []task.Option {
	options := []task.Option{
		task.Header(HeaderEntry, t.Entry),
		task.Header(HeaderTick, t.Time.UTC().Format(time.RFC3339Nano)),
		task.Header(HeaderOverlap, t.Overlap.String()),
	}
	if len(t.Cancels) > 0 {
		options = append(options, task.Header(HeaderCancels, strings.Join(t.Cancels, ",")))
	}
	if t.Backfill != "" {
		options = append(options, task.Header(HeaderBackfill, t.Backfill))
	}
	return options
}

// maxCancels is how many ids a tick names that were cancelled for it.
const maxCancels = 16

// homes is beside which the homes of entries are kept. No task is ever in a queue of
// that name.
const homes = "leat~periodic"

// joint joins the parts of ids. What stands before the first one decides in which
// shard a storage keeps them: all that is of one entry lies together.
const joint = string(task.Joint)

func homeOf(name string) broker.Home { return broker.Home{Queue: homes, ID: name} }

// backfillHome is that of the tasks of a backfill, which are no overlap of others.
func backfillHome(name, id string) broker.Home {
	return homeOf(name + joint + "back" + joint + id)
}

func tickID(name string, at time.Time) string { return name + joint + stamp(at) }

func askID(name string, at time.Time) string { return name + joint + "now" + joint + stamp(at) }

func backfillID(name, id string, at time.Time) string {
	return backfillHome(name, id).ID + joint + stamp(at)
}

// stamp writes a time as a name may have it: 20261129T020000Z, with milliseconds if
// it has any.
func stamp(at time.Time) string {
	at = at.UTC()
	if at.Nanosecond() >= int(time.Millisecond) {
		return at.Format("20060102T150405.000Z")
	}
	return at.Format("20060102T150405Z")
}

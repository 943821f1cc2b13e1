package brokertest

import (
	"context"
	"math"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var checkTimetablePromises = []promise{
	{"a malformed scheduler is invalid and refused", checkScheduler},
	{"malformed requests about ticks are invalid and refused", checkTicks},
}

// timetabling are calls of every method of a timetable that may be malformed, about
// entry and a scheduler of the same name.
func timetabling(t broker.Timetable, entry string) map[string]func(context.Context) error {
	now := time.Now()
	return map[string]func(context.Context) error{
		"BeatScheduler": func(ctx context.Context) error { return t.BeatScheduler(ctx, now, broker.Scheduler{ID: entry}) },
		"RecordTicks": func(ctx context.Context) error {
			return t.RecordTicks(ctx, tick("e", "beside", now), tick(entry, "a", now))
		},
		"Ticks":       func(ctx context.Context) error { _, err := t.Ticks(ctx, entry, 1); return err },
		"ForgetTicks": func(ctx context.Context) error { return t.ForgetTicks(ctx, "kept", entry) },
	}
}

func checkScheduler(x *trial) {
	of := func(f func(*broker.PeriodicEntry)) broker.Scheduler {
		s := scheduler("s")
		f(&s.Entries[1])
		return s
	}
	for what, s := range map[string]broker.Scheduler{
		"a host with braces":          {ID: "s", Host: "{host}"},
		"a host with a colon":         {ID: "s", Host: "host:1"},
		"a host that is not":          {ID: "s", Host: "\xff"},
		"a large number":              {ID: "s", PID: math.MaxInt32 + 1},
		"an entry of no id":           of(func(e *broker.PeriodicEntry) { e.ID = "" }),
		"an entry with a bad id":      of(func(e *broker.PeriodicEntry) { e.ID = "{e}" }),
		"an entry of no type":         of(func(e *broker.PeriodicEntry) { e.Type = "" }),
		"a bad spec":                  of(func(e *broker.PeriodicEntry) { e.Spec = "\xff" }),
		"a bad option":                of(func(e *broker.PeriodicEntry) { e.Options = []string{"Queue(\xff)"} }),
		"an option without a value":   of(func(e *broker.PeriodicEntry) { e.Options = []string{"MaxRetry(3)", "Queue"} }),
		"an option that does not end": of(func(e *broker.PeriodicEntry) { e.Options = []string{"Queue("} }),
		"an option that ends early":   of(func(e *broker.PeriodicEntry) { e.Options = []string{")Queue()"} }),
	} {
		err := x.b.BeatScheduler(x.Context(), time.Now(), s)
		x.invalid("BeatScheduler with "+what, err)
		x.refusal("BeatScheduler with "+what, err)
	}
	equal(x, "schedulers", x.schedulers(), nil)
}

func checkTicks(x *trial) {
	x.record(tick("kept", "a", second(0)))
	for _, name := range []string{"", "{e}", "e e"} {
		for method, call := range timetabling(x.b, name) {
			err := call(x.Context())
			x.invalid(method+" of "+name, err)
			x.refusal(method+" of "+name, err)
		}
	}
	for what, t := range map[string]broker.Tick{
		"no task":     tick("kept", "", second(0)),
		"a bad task":  tick("kept", "b b", second(0)),
		"no time":     tick("kept", "b", time.Time{}),
		"no contents": {},
	} {
		err := x.b.RecordTicks(x.Context(), tick("e", "beside", second(0)), t)
		x.invalid("RecordTicks of "+what, err)
		x.refusal("RecordTicks of "+what, err)
	}
	for _, limit := range []int{-1, 0, broker.MaxTicks + 1} {
		_, err := x.b.Ticks(x.Context(), "kept", limit)
		x.invalid("Ticks with a bad limit", err)
		x.refusal("Ticks with a bad limit", err)
	}
	equal(x, "schedulers", x.schedulers(), nil)
	equal(x, "ticks", x.ticks("e", 1), nil)
	equal(x, "how many ticks are kept", len(x.ticks("kept", 2)), 1)
}

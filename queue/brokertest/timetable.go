package brokertest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var timetablePromises = []promise{
	{"a scheduler that beats is listed as it said, times in whole seconds", schedulerRoundTrip},
	{"a later beat of a scheduler replaces an earlier one, wherever it ran", schedulerReplaced},
	{"a scheduler is forgotten when it has not beaten for SchedulerTTL", schedulerForgotten},
	{"a scheduler that has left is forgotten at once", schedulerGone},
	{"schedulers come in order of their ids, their entries in the order of the beat", schedulerOrder},
	{"a broker keeps nothing of a scheduler that it was given, and gives none of it away", schedulerOwned},
	{"what an entry has enqueued is told, the latest first, times in whole seconds", ticksRoundTrip},
	{"what an entry has enqueued is told up to a limit", ticksLimited},
	{"a tick that is recorded twice is kept once", ticksOnce},
	{"the last MaxTicks of an entry are kept, in whatever order they are recorded", ticksTrimmed},
	{"ticks outlast the scheduler that recorded them", ticksOutlast},
	{"what is recorded of entries is forgotten, that of others is not", ticksForgotten},
	{"to record and to forget nothing does nothing", ticksNone},
}

// second is a time in a whole second of UTC.
func second(after time.Duration) time.Time { return time.Now().Add(after).Truncate(time.Second).UTC() }

// scheduler returns the record of a scheduler that has two entries.
func scheduler(id string) broker.Scheduler {
	return broker.Scheduler{
		ID: id, Host: "host-1.example", PID: 4711,
		Entries: []broker.PeriodicEntry{
			{
				ID: "e-1", Spec: "CRON_TZ=Europe/Berlin */5 * * * *", Type: "mail:digest", Payload: []byte("\x00\xff"),
				Options: []string{`Queue("mail")`, "MaxRetry(3)"}, Next: second(time.Minute), Prev: second(-4 * time.Minute),
			},
			{ID: "e-2", Spec: "@every 1h", Type: "sms"},
		},
	}
}

func (x *trial) beatScheduler(s broker.Scheduler) {
	x.Helper()
	if err := x.b.BeatScheduler(x.Context(), time.Now(), s); err != nil {
		x.Fatalf("BeatScheduler() = %v, want nil", err)
	}
}

func (x *trial) schedulers() []broker.Scheduler {
	x.Helper()
	alive, err := x.b.Schedulers(x.Context(), time.Now())
	if err != nil {
		x.Fatalf("Schedulers() = %v, want nil", err)
	}
	return alive
}

func schedulerRoundTrip(x *trial) {
	equal(x, "schedulers at first", x.schedulers(), nil)
	want := scheduler("2f7c9b4e-0000-4000-8000-000000000001")
	s := scheduler(want.ID)
	s.Entries[0].Next = s.Entries[0].Next.Add(time.Second - time.Nanosecond)
	s.Entries[0].Prev = s.Entries[0].Prev.Add(time.Nanosecond)
	x.beatScheduler(s)
	equal(x, "schedulers", x.schedulers(), []broker.Scheduler{want})
	if e := x.schedulers()[0].Entries[1]; !e.Next.IsZero() || !e.Prev.IsZero() {
		x.Errorf("an entry whose times are not known has %v and %v, want them zero", e.Next, e.Prev)
	}
	idle := broker.Scheduler{ID: "2f7c9b4e-0000-4000-8000-000000000002", Host: "h", PID: 1}
	x.beatScheduler(idle)
	equal(x, "schedulers, one without entries", x.schedulers(), []broker.Scheduler{want, idle})
}

func schedulerReplaced(x *trial) {
	s := scheduler("s")
	x.beatScheduler(s)
	s.Entries = s.Entries[1:]
	x.beatScheduler(s)
	equal(x, "schedulers", x.schedulers(), []broker.Scheduler{s})
	s.Host, s.PID = "elsewhere", 1
	x.beatScheduler(s)
	equal(x, "schedulers when it runs elsewhere", x.schedulers(), []broker.Scheduler{s})
	s.Entries = nil
	x.beatScheduler(s)
	equal(x, "schedulers when it has nothing to do", x.schedulers(), []broker.Scheduler{s})
}

func schedulerForgotten(x *trial) {
	a, b := scheduler("a"), scheduler("b")
	x.beatScheduler(a)
	x.beatScheduler(b)
	x.pass(broker.SchedulerTTL / 2)
	x.beatScheduler(b)
	x.pass(broker.SchedulerTTL/2 + time.Second)
	equal(x, "schedulers when one has fallen silent", x.schedulers(), []broker.Scheduler{b})
	x.pass(broker.SchedulerTTL/2 + time.Second)
	equal(x, "schedulers when both have", x.schedulers(), nil)
	x.beatScheduler(a)
	equal(x, "schedulers when one is back", x.schedulers(), []broker.Scheduler{a})
}

func schedulerGone(x *trial) {
	a, b := scheduler("a:b"), scheduler("b")
	x.beatScheduler(a)
	x.beatScheduler(b)
	gone := broker.Scheduler{ID: "b", Gone: true}
	x.beatScheduler(gone)
	x.beatScheduler(gone)
	equal(x, "schedulers", x.schedulers(), []broker.Scheduler{a})
}

func schedulerOrder(x *trial) {
	var want []broker.Scheduler
	for _, id := range []string{"b", "c", "a:b", "B", "a"} {
		x.beatScheduler(scheduler(id))
	}
	for _, id := range []string{"B", "a", "a:b", "b", "c"} {
		want = append(want, scheduler(id))
	}
	equal(x, "schedulers", x.schedulers(), want)
	many := broker.Scheduler{ID: "d"}
	for i := range 100 {
		many.Entries = append(many.Entries, broker.PeriodicEntry{ID: fmt.Sprint(i * 7 % 100), Spec: "@daily", Type: "t"})
	}
	x.beatScheduler(many)
	equal(x, "schedulers", x.schedulers(), append(want, many))
}

func schedulerOwned(x *trial) {
	s := scheduler("s")
	x.beatScheduler(s)
	for range 2 {
		s.Entries[0].Payload[0], s.Entries[0].Options[0], s.Entries[1].Type = 'x', "Queue(x)", "x"
		s = x.schedulers()[0]
		equal(x, "scheduler", s, scheduler("s"))
	}
}

func tick(entry, id string, at time.Time) broker.Tick {
	return broker.Tick{Entry: entry, TaskID: id, At: at}
}

func (x *trial) record(ticks ...broker.Tick) {
	x.Helper()
	if err := x.b.RecordTicks(x.Context(), ticks...); err != nil {
		x.Fatalf("RecordTicks() = %v, want nil", err)
	}
}

func (x *trial) ticks(entry string, limit int) []broker.Tick {
	x.Helper()
	found, err := x.b.Ticks(x.Context(), entry, limit)
	if err != nil {
		x.Fatalf("Ticks(%s) = %v, want nil", entry, err)
	}
	return found
}

func ticksRoundTrip(x *trial) {
	equal(x, "ticks of an entry that there is not", x.ticks("e", broker.MaxTicks), nil)
	at := second(0)
	x.record(tick("e", "b", at.Add(-time.Minute)), tick("f", "z", at), tick("e", "c", at.Add(time.Nanosecond)))
	x.record(tick("e", "a", at.Add(-time.Minute-time.Nanosecond)))
	equal(x, "ticks", x.ticks("e", broker.MaxTicks), []broker.Tick{
		tick("e", "c", at), tick("e", "b", at.Add(-time.Minute)), tick("e", "a", at.Add(-time.Minute-time.Second)),
	})
	equal(x, "ticks of another entry", x.ticks("f", broker.MaxTicks), []broker.Tick{tick("f", "z", at)})
}

func ticksLimited(x *trial) {
	at := second(0)
	for i := range 5 {
		x.record(tick("e", fmt.Sprint(i), at.Add(time.Duration(i)*time.Hour)))
	}
	equal(x, "the last ticks", x.ticks("e", 2), []broker.Tick{tick("e", "4", at.Add(4*time.Hour)), tick("e", "3", at.Add(3*time.Hour))})
	equal(x, "how many there are", len(x.ticks("e", 6)), 5)
}

func ticksOnce(x *trial) {
	at := second(0)
	same := []broker.Tick{tick("e", "a", at), tick("e", "a", at.Add(time.Millisecond))}
	x.record(same...)
	x.record(same...)
	x.record(tick("e", "b", at), tick("e", "a", at.Add(time.Second)))
	found := x.ticks("e", broker.MaxTicks)
	slices.SortFunc(found, func(a, b broker.Tick) int { return cmp.Compare(a.TaskID, b.TaskID) })
	slices.SortStableFunc(found, func(a, b broker.Tick) int { return b.At.Compare(a.At) })
	equal(x, "ticks", found, []broker.Tick{tick("e", "a", at.Add(time.Second)), tick("e", "a", at), tick("e", "b", at)})
}

func ticksTrimmed(x *trial) {
	const more = 10
	var all, want []broker.Tick
	at := second(0)
	for i := range broker.MaxTicks + more {
		t := tick("e", fmt.Sprint(i), at.Add(time.Duration(i)*time.Second))
		all = append(all, t)
		if i >= more {
			want = append(want, t)
		}
	}
	slices.Reverse(want)
	x.record(tick("f", "z", at))
	x.record(all[more:]...)
	for _, t := range all[:more] { // too old to be kept
		x.record(t)
	}
	equal(x, "ticks", x.ticks("e", broker.MaxTicks), want)
	next := tick("e", "next", at.Add(24*time.Hour))
	x.record(next)
	equal(x, "ticks after the next one", x.ticks("e", broker.MaxTicks), append([]broker.Tick{next}, want[:broker.MaxTicks-1]...))
	equal(x, "ticks of another entry", x.ticks("f", 1), []broker.Tick{tick("f", "z", at)})
}

func ticksOutlast(x *trial) {
	x.beatScheduler(scheduler("s"))
	t := tick("e-1", "a", second(0))
	x.record(t)
	x.pass(100 * broker.SchedulerTTL)
	x.beatScheduler(broker.Scheduler{ID: "s", Gone: true})
	equal(x, "ticks", x.ticks("e-1", 1), []broker.Tick{t})
}

func ticksForgotten(x *trial) {
	at := second(0)
	for _, entry := range []string{"a", "b", "c"} {
		x.record(tick(entry, "1", at), tick(entry, "2", at.Add(time.Hour)))
	}
	for range 2 {
		if err := x.b.ForgetTicks(x.Context(), "a", "none", "c"); err != nil {
			x.Fatalf("ForgetTicks() = %v, want nil", err)
		}
	}
	for entry, want := range map[string]int{"a": 0, "b": 2, "c": 0} {
		equal(x, "how many of "+entry, len(x.ticks(entry, broker.MaxTicks)), want)
	}
	x.record(tick("a", "3", at))
	equal(x, "ticks of one that goes on", x.ticks("a", 2), []broker.Tick{tick("a", "3", at)})
}

func ticksNone(x *trial) {
	x.record(tick("e", "a", second(0)))
	x.record()
	if err := x.b.ForgetTicks(x.Context()); err != nil {
		x.Errorf("ForgetTicks() of no entry = %v, want nil", err)
	}
	equal(x, "how many", len(x.ticks("e", 2)), 1)
}

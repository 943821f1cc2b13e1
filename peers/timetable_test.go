package peers

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"github.com/leatwork/leat/queue/broker"
)

// printed returns options as they print.
func printed(options []asynq.Option) (texts []string) {
	for _, o := range options {
		texts = append(texts, o.String())
	}
	return texts
}

func TestAsynqsInspectorSeesLeatsSchedulersOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	now := time.Now().Truncate(time.Second).UTC()
	options := []asynq.Option{
		asynq.Queue("mail"), asynq.MaxRetry(3), asynq.Timeout(time.Minute), asynq.Deadline(now.Add(time.Hour)),
		asynq.Unique(time.Hour), asynq.ProcessAt(now.Add(time.Minute)), asynq.ProcessIn(time.Minute), asynq.Retention(time.Hour),
	}
	s := broker.Scheduler{
		ID: "3f1c1a3e-6f0d-4d28-9d2e-0d7a4f6b2c11", Host: "h", PID: 7,
		Entries: []broker.PeriodicEntry{
			{ID: "first", Spec: "*/5 * * * *", Type: "t", Payload: []byte("p"), Options: printed(options), Next: now.Add(time.Minute), Prev: now},
			{ID: "second", Spec: "@every 1h", Type: "u"},
		},
	}
	x.must(x.broker.BeatScheduler(t.Context(), time.Now(), s))
	entries, err := x.inspector.SchedulerEntries()
	if err != nil || len(entries) != 2 {
		t.Fatalf("SchedulerEntries() = %v, %v, want two", entries, err)
	}
	var got []broker.PeriodicEntry
	for _, e := range entries {
		got = append(got, broker.PeriodicEntry{
			ID: e.ID, Spec: e.Spec, Type: e.Task.Type(), Payload: e.Task.Payload(), Options: printed(e.Opts), Next: e.Next, Prev: e.Prev,
		})
	}
	if diff := cmp.Diff(s.Entries, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("SchedulerEntries() (-want +got):\n%s", diff)
	}
	if e := entries[1]; !e.Next.IsZero() || !e.Prev.IsZero() {
		t.Errorf("times that are not known are %v and %v for asynq, want them zero", e.Next, e.Prev)
	}
	x.must(x.broker.BeatScheduler(t.Context(), time.Now(), broker.Scheduler{ID: s.ID, Gone: true}))
	if entries, err := x.inspector.SchedulerEntries(); err != nil || len(entries) != 0 {
		t.Errorf("SchedulerEntries() after it has left = %v, %v, want none", entries, err)
	}
}

func TestAsynqsInspectorSeesLeatsTicksOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	now := time.Now().Truncate(time.Second).UTC()
	var want []asynq.SchedulerEnqueueEvent
	for i, id := range []string{"c", "b", "a"} {
		at := now.Add(-time.Duration(i) * time.Minute)
		x.must(x.broker.RecordTicks(t.Context(), broker.Tick{Entry: "e", TaskID: id, At: at.Add(time.Millisecond)}))
		want = append(want, asynq.SchedulerEnqueueEvent{TaskID: id, EnqueuedAt: at})
	}
	events, err := x.inspector.ListSchedulerEnqueueEvents("e")
	var got []asynq.SchedulerEnqueueEvent
	for _, e := range events {
		got = append(got, *e)
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("ListSchedulerEnqueueEvents() (-want +got):\n%s%v", diff, err)
	}
	x.must(x.broker.ForgetTicks(t.Context(), "e"))
	if events, err := x.inspector.ListSchedulerEnqueueEvents("e"); err != nil || len(events) != 0 {
		t.Errorf("ListSchedulerEnqueueEvents() of what is forgotten = %v, %v, want none", events, err)
	}
}

func TestLeatSeesAsynqsSchedulersAndTheirTicksOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	scheduler := asynq.NewScheduler(x.peer, &asynq.SchedulerOpts{
		HeartbeatInterval: time.Second, Logger: quietAsynq{}, LogLevel: asynq.FatalLevel,
	})
	often, err := scheduler.Register("@every 1s", asynq.NewTask("tick", []byte("p")), asynq.Queue("q"), asynq.MaxRetry(2))
	x.must(err)
	never, err := scheduler.Register("0 0 1 1 *", asynq.NewTask("year", nil))
	x.must(err)
	x.must(scheduler.Start())
	stop := once(x, scheduler.Shutdown)

	var found []broker.Scheduler
	x.eventually(soon, "the scheduler beats after it has ticked", func() bool {
		var err error
		found, err = x.broker.Schedulers(t.Context(), time.Now())
		x.must(err)
		return len(found) == 1 && slices.ContainsFunc(found[0].Entries, func(e broker.PeriodicEntry) bool { return !e.Prev.IsZero() })
	})
	s := found[0]
	if s.ID == "" || s.Host == "" || s.PID == 0 || len(s.Entries) != 2 {
		t.Fatalf("Leat sees %+v, want the scheduler with two entries", s)
	}
	want := []broker.PeriodicEntry{
		{ID: often, Spec: "@every 1s", Type: "tick", Payload: []byte("p"), Options: []string{`Queue("q")`, "MaxRetry(2)"}},
		{ID: never, Spec: "0 0 1 1 *", Type: "year"},
	}
	slices.SortFunc(s.Entries, func(a, b broker.PeriodicEntry) int { return strings.Compare(a.Type, b.Type) })
	if diff := cmp.Diff(want, s.Entries, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(broker.PeriodicEntry{}, "Next", "Prev")); diff != "" {
		t.Errorf("the entries (-want +got):\n%s", diff)
	}
	if e := s.Entries[0]; e.Next.Sub(e.Prev) < time.Second || time.Since(e.Prev).Abs() > soon {
		t.Errorf("it ticked at %v and does next at %v, want a second apart, just now", e.Prev, e.Next)
	}
	if e := s.Entries[1]; !e.Prev.IsZero() || !e.Next.After(time.Now()) {
		t.Errorf("the other ticked at %v and does next at %v, want never before", e.Prev, e.Next)
	}
	x.wantSameTicks(often)

	stop()
	if found, err := x.broker.Schedulers(t.Context(), time.Now()); err != nil || len(found) != 0 {
		t.Errorf("Schedulers() after the shutdown = %v, %v, want none", found, err)
	}
	if ticks, err := x.broker.Ticks(t.Context(), often, 1); err != nil || len(ticks) != 0 {
		t.Errorf("Ticks() after the shutdown = %v, %v, want none", ticks, err)
	}
}

// wantSameTicks has Leat and asynq tell the same of what an entry has enqueued so
// far, of which there must be something.
func (x *bench) wantSameTicks(entry string) {
	x.Helper()
	var ticks []broker.Tick
	x.eventually(soon, "what it has enqueued is recorded", func() bool {
		var err error
		ticks, err = x.broker.Ticks(x.Context(), entry, broker.MaxTicks)
		x.must(err)
		return len(ticks) > 0
	})
	events, err := x.inspector.ListSchedulerEnqueueEvents(entry)
	x.must(err)
	var want []broker.Tick
	for _, e := range events[max(0, len(events)-len(ticks)):] { // there may be new ones
		want = append(want, broker.Tick{Entry: entry, TaskID: e.TaskID, At: e.EnqueuedAt.Truncate(time.Second)})
	}
	if diff := cmp.Diff(want, ticks); diff != "" {
		x.Errorf("ticks, as asynq tells them and as Leat does (-asynq +leat):\n%s", diff)
	}
	if state := x.state("q", ticks[0].TaskID); state != "pending" {
		x.Errorf("the task that it enqueued is %q, want pending", state)
	}
}

// TestLeatsSchedulersAndAsynqsAreToldTogetherOnRedis has both beat on one Redis, and
// each side list both.
func TestLeatsSchedulersAndAsynqsAreToldTogetherOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	theirs := asynq.NewScheduler(x.peer, &asynq.SchedulerOpts{HeartbeatInterval: time.Second, Logger: quietAsynq{}, LogLevel: asynq.FatalLevel})
	id, err := theirs.Register("@daily", asynq.NewTask("theirs", nil))
	x.must(err)
	x.must(theirs.Start())
	t.Cleanup(theirs.Shutdown)
	ours := broker.Scheduler{ID: "s", Host: "h", PID: 7, Entries: []broker.PeriodicEntry{{ID: "ours", Spec: "@daily", Type: "ours"}}}
	x.must(x.broker.BeatScheduler(t.Context(), time.Now(), ours))
	want := []string{id, "ours"}
	slices.Sort(want)
	x.eventually(soon, "each side sees both", func() bool {
		var leats, asynqs []string
		schedulers, err := x.broker.Schedulers(t.Context(), time.Now())
		x.must(err)
		for _, s := range schedulers {
			for _, e := range s.Entries {
				leats = append(leats, e.ID)
			}
		}
		entries, err := x.inspector.SchedulerEntries()
		x.must(err)
		for _, e := range entries {
			asynqs = append(asynqs, e.ID)
		}
		slices.Sort(leats)
		slices.Sort(asynqs)
		return slices.Equal(leats, want) && slices.Equal(asynqs, want)
	})
	x.wantSound()
}

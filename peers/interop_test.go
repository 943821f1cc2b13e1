package peers

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"github.com/leatwork/leat/queue/broker"
)

// specs are tasks with every option that both sides have.
func specs() map[string]spec {
	later := time.Now().Add(time.Hour).Truncate(time.Second)
	return map[string]spec{
		"no option":     {},
		"no payload":    {Payload: nil},
		"empty payload": {Payload: []byte{}},
		"any bytes":     {Payload: []byte("\x00\xff\xfe")},
		"a header":      {Headers: map[string]string{"trace": "ünï"}},
		"no retries":    {MaxRetry: new(0)},
		"three retries": {MaxRetry: new(3)},
		"a timeout":     {Timeout: 90 * time.Second},
		"a deadline":    {Deadline: later},
		"both":          {Timeout: time.Minute, Deadline: later},
		"a time":        {ProcessAt: later},
		"a past time":   {ProcessAt: time.Now().Add(-time.Hour)},
		"a retention":   {Retention: 2 * time.Hour},
		"unique":        {Unique: time.Hour, Payload: []byte("p")},
		"unique, empty": {Unique: time.Hour, Payload: []byte{}},
		"unique, nil":   {Unique: time.Hour},
		"unique, later": {Unique: time.Hour, ProcessAt: later},
		"another queue": {Queue: "low.prio:2"},
		"a group":       {Group: "g"},
		"all": {
			Payload: []byte("{}"), Headers: map[string]string{"k": "v"}, MaxRetry: new(7), Queue: "low",
			Timeout: time.Minute, Deadline: later, Unique: time.Minute, ProcessAt: later, Retention: time.Minute,
		},
	}
}

func TestEnqueuingWritesTheSameKeysOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	for name, s := range specs() {
		s.ID, s.Type = "id", "mail:send"
		written := map[string]map[string]any{}
		for _, side := range sides {
			x.must(x.redis.FlushDB(t.Context()).Err())
			// What each has registered it does not register again.
			x.must(x.redis.SAdd(t.Context(), "asynq:queues", "q").Err())
			if err := side.enqueue(x, s); err != nil {
				t.Fatalf("%s: %s enqueues: %v", name, side.name, err)
			}
			written[side.name] = dump(x)
		}
		if diff := cmp.Diff(written["asynq"], written["leat"], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-asynq +leat):\n%s", name, diff)
		}
	}
}

// dump returns what is in Redis, by key, other than what time tells apart and
// what one side alone writes: when a task became pending, or came into its group,
// which queues there are, what Leat remembers of its answers and of who has joined
// which group, whom it wakes, and its history of figures.
func dump(x *bench) map[string]any {
	x.Helper()
	all := map[string]any{}
	for _, key := range x.redis.Keys(x.Context(), "*").Val() {
		if key == "asynq:queues" || strings.HasPrefix(key, "asynq:leat:answer:") || strings.HasPrefix(key, "asynq:leat:{wake}:") || strings.HasSuffix(key, ":leat:joined") || strings.Contains(key, "{leat~history}") {
			continue
		}
		switch kind := x.redis.Type(x.Context(), key).Val(); kind {
		case "hash":
			hash := x.redis.HGetAll(x.Context(), key).Val()
			if hash["pending_since"] != "" {
				hash["pending_since"] = "some time"
			}
			delete(hash, "leat_joined") // when it came into its group
			all[key] = hash
		case "list":
			all[key] = x.redis.LRange(x.Context(), key, 0, -1).Val()
		case "set":
			all[key] = x.redis.SMembers(x.Context(), key).Val()
		case "zset":
			members := x.redis.ZRangeWithScores(x.Context(), key, 0, -1).Val()
			for i := range members {
				if strings.Contains(key, "}:g:") {
					members[i].Score = 0 // when it was added
				}
			}
			all[key] = members
		case "string":
			ttl := x.redis.TTL(x.Context(), key).Val().Round(5 * time.Second)
			all[key] = []string{x.redis.Get(x.Context(), key).Val(), ttl.String()}
		default:
			x.Errorf("key %s is a %s", key, kind)
		}
	}
	return all
}

func TestATaskRunsTheSameWhoeverEnqueuedItOnRedis(t *testing.T) {
	betweenSides(t, func(x *bench, producer, consumer side) {
		deadline := time.Now().Add(20 * time.Minute).Truncate(time.Second)
		all := spec{
			ID: "all", Type: "mail:send", Payload: []byte("\x00\xff"), Headers: map[string]string{"a": "1", "b": "2"},
			MaxRetry: new(3), Queue: "q", Deadline: deadline, Unique: time.Minute,
			ProcessIn: 100 * time.Millisecond, Retention: time.Hour,
		}
		plain := spec{ID: "plain", Type: "t", Queue: "q"}
		short := spec{ID: "short", Type: "t", Queue: "q", Payload: []byte{}, Timeout: 90 * time.Second}
		both := spec{ID: "both", Type: "t", Queue: "q", Timeout: time.Minute, Deadline: deadline}
		for _, s := range []spec{all, plain, short, both} {
			if err := producer.enqueue(x, s); err != nil {
				x.Fatal(err)
			}
		}
		runs := make(chan run, 10)
		stop := consumer.serve(x, "q", func(_ context.Context, r run) error {
			r.write = nil
			runs <- r
			return nil
		})
		got := map[string]run{}
		for range 4 {
			r := <-runs
			got[r.ID] = r
		}
		x.wantState("q", "all", "completed")
		x.eventually(soon, "the others are gone", func() bool { return x.counts("q").Size() == 1 })
		stop()
		want := map[string]run{
			"all": {
				ID: "all", Queue: "q", Type: "mail:send", Payload: "\x00\xff",
				Headers: map[string]string{"a": "1", "b": "2"}, MaxRetry: 3, Deadline: deadline,
			},
			"plain": {ID: "plain", Queue: "q", Type: "t", MaxRetry: 25, Deadline: time.Now().Add(30 * time.Minute)},
			"short": {ID: "short", Queue: "q", Type: "t", MaxRetry: 25, Deadline: time.Now().Add(90 * time.Second)},
			"both":  {ID: "both", Queue: "q", Type: "t", MaxRetry: 25, Deadline: time.Now().Add(time.Minute)},
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(10*time.Second), cmp.AllowUnexported(run{}), cmpopts.IgnoreFields(run{}, "write")); diff != "" {
			x.Errorf("what handlers see (-want +got):\n%s", diff)
		}
		if len(runs) > 0 {
			x.Errorf("%d runs too many", len(runs))
		}
		x.advance("q", time.Now()) // takes away the exact time of what asynq has forwarded
		x.wantSound()
	})
}

func TestAResultIsReadWhoeverWroteItOnRedis(t *testing.T) {
	betweenSides(t, func(x *bench, producer, consumer side) {
		x.must(producer.enqueue(x, spec{ID: "a", Type: "t", Queue: "q", Payload: []byte("in"), Retention: time.Hour}))
		stop := consumer.serve(x, "q", func(_ context.Context, r run) error {
			_, err := r.write([]byte("out \x00\xff"))
			return err
		})
		x.wantState("q", "a", "completed")
		stop()
		if got := x.info("q", "a").Result; string(got) != "out \x00\xff" {
			x.Errorf("asynq reads the result %q", got)
		}
		stored, err := x.broker.Entry(x.Context(), broker.EntryRef{Queue: "q", ID: "a"})
		if err != nil || string(stored.Result) != "out \x00\xff" {
			x.Errorf("Leat reads the result %q, %v", stored.Result, err)
		}
		if ago := time.Since(x.info("q", "a").CompletedAt); ago < 0 || ago > soon {
			x.Errorf("asynq says it was completed %v ago", ago)
		}
	})
}

func TestAClaimIsHonouredByBothUntilTheEndOnRedis(t *testing.T) {
	betweenSides(t, func(x *bench, first, second side) {
		for queue, retention := range map[string]time.Duration{"done": 0, "completed": time.Hour} {
			s := spec{ID: "a", Type: "t", Queue: queue, Payload: []byte("p"), Unique: time.Hour, Retention: retention}
			other := s
			other.ID = "b"
			x.must(first.enqueue(x, s))
			if err := second.enqueue(x, other); !errors.Is(err, errDuplicate) {
				x.Errorf("%s enqueues another one: %v, want %v", second.name, err, errDuplicate)
			}
			if err := second.enqueue(x, spec{ID: "a", Type: "t", Queue: queue}); !errors.Is(err, errConflict) {
				x.Errorf("%s enqueues the same id: %v, want %v", second.name, err, errConflict)
			}
			stop := second.serve(x, queue, func(context.Context, run) error { return nil })
			x.eventually(soon, "it has ended", func() bool { s := x.state(queue, "a"); return s == "" || s == "completed" })
			stop()
			x.must(first.enqueue(x, other))
		}
		x.wantSound()
	})
}

func TestWhatOneSideFailedTheOtherRetriesOnRedis(t *testing.T) {
	betweenSides(t, func(x *bench, first, second side) {
		x.must(first.enqueue(x, spec{ID: "a", Type: "t", Queue: "q", MaxRetry: new(1), Unique: time.Hour}))
		fail := func(context.Context, run) error { return errAsked }

		stop := first.serve(x, "q", fail)
		x.wantState("q", "a", "retry")
		stop()
		info := x.info("q", "a")
		if info.Retried != 1 || info.LastErr != errAsked.Error() || time.Since(info.LastFailedAt) > soon {
			x.Errorf("after one failure: %d retries, %q at %v", info.Retried, info.LastErr, info.LastFailedAt)
		}
		if wait := time.Until(info.NextProcessAt); wait > retryDelay+time.Second {
			x.Errorf("the retry is due in %v, want about %v", wait, retryDelay)
		}

		retried := make(chan int, 10)
		stop = second.serve(x, "q", func(_ context.Context, r run) error {
			retried <- r.Retried
			return errAsked
		})
		x.wantState("q", "a", "archived")
		stop()
		if got := <-retried; got != 1 || len(retried) > 0 {
			x.Errorf("%s runs it with %d retries used, and %d times more; want 1, 0", second.name, got, len(retried))
		}

		x.must(x.inspector.RunTask("q", "a"))
		stop = first.serve(x, "q", func(_ context.Context, r run) error {
			retried <- r.Retried
			return nil
		})
		x.wantState("q", "a", "")
		stop()
		if got := <-retried; got != 1 {
			x.Errorf("after the archive it has used %d retries, want 1", got)
		}
		if c := x.counts("q"); c.ProcessedTotal != 3 || c.FailedTotal != 2 {
			x.Errorf("%d processed and %d failed, want 3 and 2", c.ProcessedTotal, c.FailedTotal)
		}
		x.wantSound()
	})
}

// clockError is how far off Redis's clock Leat may be: half of the longest answer
// from which it takes the time.
const clockError = 250 * time.Millisecond

func TestWhatOneSideScheduledTheOtherRunsWhenItIsDueOnRedis(t *testing.T) {
	betweenSides(t, func(x *bench, producer, consumer side) {
		due := time.Now().Add(2 * time.Second).Truncate(time.Second)
		dues := map[string]time.Time{"whole": due, "fraction": due.Add(250 * time.Millisecond)}
		ran := make(chan string, 10)
		at := map[string]time.Time{}
		consumer.serve(x, "q", func(_ context.Context, r run) error {
			ran <- r.ID
			return nil
		})
		for id, due := range dues {
			x.must(producer.enqueue(x, spec{ID: id, Type: "t", Queue: "q", ProcessAt: due}))
		}
		for range dues {
			at[<-ran] = time.Now()
		}
		for id, ran := range at {
			due := dues[id]
			if producer.name == peer.name {
				due = due.Truncate(time.Second) // asynq drops the fraction as it writes
			}
			if late := ran.Sub(due); late < -clockError || late > soon {
				x.Errorf("%s was due at %v and ran %v later", id, due, late)
			}
		}
	})
}

func TestRetentionEndsUnderBothOnRedis(t *testing.T) {
	betweenSides(t, func(x *bench, first, second side) {
		x.must(first.enqueue(x, spec{ID: "a", Type: "t", Queue: "q", Retention: 2 * time.Second, Unique: time.Hour}))
		ran := make(chan struct{}, 10)
		stop := first.serve(x, "q", func(context.Context, run) error {
			ran <- struct{}{}
			return nil
		})
		<-ran
		x.wantState("q", "a", "completed")
		began := time.Now()
		stop()
		second.serve(x, "q", func(context.Context, run) error { return nil })
		x.wantState("q", "a", "")
		if kept := time.Since(began); kept < 500*time.Millisecond {
			x.Errorf("it was kept %v, want about 2s", kept)
		}
		if n := x.redis.ZCard(x.Context(), "asynq:{q}:completed").Val(); n != 0 {
			x.Errorf("%d ids are still listed as completed", n)
		}
		x.wantSound()
	})
}

func TestLeatRunsWhatAsynqsSchedulerEnqueuesOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	scheduler := asynq.NewScheduler(x.peer, &asynq.SchedulerOpts{Logger: quietAsynq{}, LogLevel: asynq.FatalLevel})
	task := asynq.NewTaskWithHeaders("tick", []byte("p"), map[string]string{"k": "v"})
	if _, err := scheduler.Register("@every 1s", task, asynq.Queue("q"), asynq.MaxRetry(2)); err != nil {
		t.Fatal(err)
	}
	if err := scheduler.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scheduler.Shutdown)
	runs := make(chan run, 100)
	leat.serve(x, "q", func(_ context.Context, r run) error {
		runs <- r
		return nil
	})
	for range 2 {
		r := <-runs
		if r.Type != "tick" || r.Payload != "p" || !maps.Equal(r.Headers, map[string]string{"k": "v"}) || r.MaxRetry != 2 {
			t.Errorf("the handler sees %+v", r)
		}
	}
}

func TestWhatAServerGivesBackTheOtherRunsNextOnRedis(t *testing.T) {
	betweenSides(t, func(x *bench, first, second side) {
		x.must(first.enqueue(x, spec{ID: "a", Type: "t", Queue: "q", MaxRetry: new(0)}))
		started := make(chan struct{})
		stop := first.serve(x, "q", func(ctx context.Context, _ run) error {
			close(started)
			<-ctx.Done()
			return context.Cause(ctx)
		})
		<-started
		stop()
		if got := x.state("q", "a"); got != "pending" {
			x.Fatalf("after the shutdown, the task is %q, want pending", got)
		}
		x.must(second.enqueue(x, spec{ID: "later", Type: "t", Queue: "q"}))
		if next := x.redis.LIndex(x.Context(), "asynq:{q}:pending", -1).Val(); next != "a" {
			x.Errorf("%s is the next in line, want a", next)
		}
		second.serve(x, "q", func(_ context.Context, r run) error {
			if r.Retried != 0 {
				x.Errorf("%s runs %s with %d retries used, want none", second.name, r.ID, r.Retried)
			}
			return nil
		})
		x.wantState("q", "a", "")
		x.wantState("q", "later", "")
		if c := x.counts("q"); c.ProcessedTotal != 2 || c.FailedTotal != 0 {
			x.Errorf("%d processed, %d failed, want 2, 0", c.ProcessedTotal, c.FailedTotal)
		}
		x.wantSound()
	})
}

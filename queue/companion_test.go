package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// commits counts, in the broker of x, the changes that settle something.
func (x *bench) commits() *[]broker.Change {
	var settled []broker.Change
	x.b = &tapped{Broker: x.b, apply: func(call applyCall) (broker.Applied, error) {
		for _, c := range call.changes {
			if len(c.Settle) > 0 {
				settled = append(settled, c)
			}
		}
		return call.run()
	}}
	return &settled
}

func TestThenEnqueuesInTheCommitThatSettlesTheTaskAsDone(t *testing.T) {
	for _, retention := range []time.Duration{0, time.Hour} {
		inBubble(t, func(x *bench) {
			settled := x.commits()
			x.cfg.Client = queue.NewClient(x.b)
			x.cfg.Client.Defaults = []task.Option{task.Queue("low")}
			var log []string
			x.cfg.Client.Use(tracing(&log))
			x.cfg.Client.Observer = x.cfg.Observer
			x.enqueue("a", task.Retention(retention))
			x.serve(func(ctx context.Context, _ *task.Task) error {
				return errors.Join(
					queue.Then(ctx, task.New("test:b", nil, task.ID("b"))),
					queue.Then(ctx, task.New("test:c", nil), task.ID("c"), task.ProcessIn(time.Hour)))
			})
			x.pass(0)
			if len(*settled) != 1 || len((*settled)[0].Enqueue) != 2 {
				t.Fatalf("settled by %+v, want one change that enqueues two", *settled)
			}
			if c := x.counts("low"); c.Pending != 1 || c.Scheduled != 1 {
				t.Errorf("%d pending and %d scheduled in low, want 1 and 1", c.Pending, c.Scheduled)
			}
			if e := (*settled)[0].Enqueue[0]; e.Headers["trace"] != "test:b" || len(log) != 4 {
				t.Errorf("enqueued with headers %v, want those of the middleware, which saw %q", e.Headers, log)
			}
			if n := len(x.seen(queue.EventEnqueued)); n != 2 {
				t.Errorf("%d events of the client, want 2", n)
			}
		})
	}
}

func TestThenEnqueuesNothingIfTheTaskIsNotDone(t *testing.T) {
	for name, err := range map[string]error{
		"failed": errors.New("no"), "skipped": task.SkipRetry, "snoozed": task.Snooze(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.enqueue("a")
				x.serve(func(ctx context.Context, _ *task.Task) error {
					if err := queue.Then(ctx, task.New("test:b", nil, task.Queue("low"))); err != nil {
						t.Error(err)
					}
					return err
				})
				x.pass(0)
				if n := x.counts("low").Size(); n != 0 {
					t.Errorf("%d tasks were enqueued, want none", n)
				}
			})
		})
	}
}

func TestThenTellsAtOnceWhatIsWrong(t *testing.T) {
	inBubble(t, func(x *bench) {
		if err := queue.Then(x.Context(), task.New("test:b", nil)); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Then() outside of a handler = %v, want ErrInvalid", err)
		}
		x.enqueue("a")
		var left context.Context
		x.serve(func(ctx context.Context, _ *task.Task) error {
			left = ctx
			if err := queue.Then(ctx, task.New("", nil)); !errors.Is(err, task.ErrInvalid) {
				t.Errorf("Then(a bad task) = %v, want ErrInvalid", err)
			}
			for i := range 500 {
				if err := queue.Then(ctx, task.New("test:b", nil, task.Queue("low"))); err != nil {
					t.Fatalf("Then(task %d) = %v, want nil", i, err)
				}
			}
			if err := queue.Then(ctx, task.New("test:b", nil)); !errors.Is(err, task.ErrInvalid) {
				t.Errorf("Then(one too many) = %v, want ErrInvalid", err)
			}
			return nil
		})
		x.pass(0)
		if n := x.counts("low").Pending; n != 500 {
			t.Errorf("%d tasks were enqueued, want 500", n)
		}
		if err := queue.Then(left, task.New("test:b", nil)); err == nil {
			t.Error("Then() after the handler has returned = nil, want an error")
		}
	})
}

func TestATaskThatThenCannotEnqueueFailsItsHandlersTask(t *testing.T) {
	for name, test := range map[string]struct {
		options []task.Option
		want    string
	}{
		"its id is taken":      {[]task.Option{task.ID("held")}, queue.ErrTaskIDConflict.Error()},
		"its key is held":      {[]task.Option{task.UniqueUntilDone(), task.UniqueKey("key")}, "key key is held by task held"},
		"it is enqueued twice": {[]task.Option{task.ID("twice")}, "is enqueued twice in one change"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.enqueue("a")
				x.enqueue("held", task.Queue("low"), task.UniqueUntilDone(), task.UniqueKey("key"))
				x.serve(func(ctx context.Context, _ *task.Task) error {
					for range 2 {
						if err := queue.Then(ctx, task.New("test:b", nil, task.Queue("low")), test.options...); err != nil {
							t.Error(err)
						}
						if !strings.Contains(test.want, "twice") {
							break
						}
					}
					return nil
				})
				x.pass(0)
				if s := x.get("a"); s.State != task.Retry || s.Retried != 1 || !strings.Contains(s.LastErr, test.want) {
					t.Errorf("it is %s with %d retries and %q, want retry, 1, %q", s.State, s.Retried, s.LastErr, test.want)
				}
				if n := x.counts("low").Size(); n != 1 {
					t.Errorf("%d tasks in low, want the one that was there", n)
				}
			})
		})
	}
}

func TestThenGivesWayToTheHolderOfItsKeyOrTakesItsPlace(t *testing.T) {
	for conflict, want := range map[task.Conflict]string{task.Ignore: "old", task.Replace: "new"} {
		t.Run(conflict.String(), func(t *testing.T) {
			inBubble(t, func(x *bench) {
				unique := []task.Option{task.Queue("low"), task.UniqueUntilDone(), task.UniqueKey("key"), task.OnConflict(conflict)}
				held, err := x.client.Enqueue(x.Context(), task.New("test:b", []byte("old")), unique...)
				if err != nil {
					t.Fatal(err)
				}
				x.enqueue("a")
				x.serve(func(ctx context.Context, _ *task.Task) error {
					return queue.Then(ctx, task.New("test:b", []byte("new")), unique...)
				})
				x.pass(0)
				x.gone("a")
				s, err := x.b.Entry(x.Context(), broker.EntryRef{Queue: "low", ID: held.ID})
				if err != nil || string(s.Payload) != want || x.counts("low").Size() != 1 {
					t.Errorf("the holder has %q, %v, among %d tasks, want %q, nil, 1", s.Payload, err, x.counts("low").Size(), want)
				}
			})
		})
	}
}

func TestOnExhaustedEnqueuesInTheCommitThatArchives(t *testing.T) {
	for name, test := range map[string]struct {
		crashes int
		options []task.Option
		err     error
		want    string // the last error
	}{
		"without retries left": {0, []task.Option{task.MaxRetry(0)}, errors.New("broken"), "broken"},
		"with SkipRetry":       {0, nil, fmt.Errorf("hopeless: %w", task.SkipRetry), "hopeless: skip retry for the task"},
		"as poison":            {4, nil, nil, "task is poison: its workers were lost 4 times in a row"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				settled := x.commits()
				x.enqueue("a", test.options...)
				for range test.crashes {
					x.crash("a")
				}
				var told []*task.Info
				x.cfg.OnExhausted = func(_ context.Context, info *task.Info, err error) []*task.Task {
					if err.Error() != test.want {
						t.Errorf("told %v, want %s", err, test.want)
					}
					told = append(told, info)
					return []*task.Task{task.New("test:mourn", info.Payload, task.Queue("low"), task.ID("of-"+info.ID)), nil, task.New("", nil)}
				}
				x.serve(func(context.Context, *task.Task) error { return test.err })
				x.pass(time.Second)
				if len(told) != 1 || told[0].ID != "a" || told[0].State != task.Archived || told[0].LastErr != test.want {
					t.Fatalf("told of %+v, want once of a, archived, %q", told, test.want)
				}
				if attempts := told[0].Attempts; test.crashes == 0 && len(attempts) != 1 || len(attempts) != max(1, test.crashes) {
					t.Errorf("told of attempts %+v, want all there were", attempts)
				}
				if len(*settled) != 1 || len((*settled)[0].Enqueue) != 1 || (*settled)[0].Enqueue[0].ID != "of-a" {
					t.Errorf("settled by %+v, want one change that enqueues of-a", *settled)
				}
				if s := x.get("a"); s.State != task.Archived || s.LastErr != test.want {
					t.Errorf("stored as %s with %q", s.State, s.LastErr)
				}
				if n := strings.Count(x.log.String(), "what follows an exhausted task cannot be enqueued"); n != 2 {
					t.Errorf("the log says %d times what cannot be enqueued, want twice", n)
				}
			})
		})
	}
}

func TestAnExhaustedTaskIsArchivedEvenIfWhatFollowsCannotBe(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a", task.MaxRetry(0))
		x.enqueue("held", task.Queue("low"))
		called := 0
		x.cfg.OnExhausted = func(context.Context, *task.Info, error) []*task.Task {
			called++
			return []*task.Task{task.New("test:b", nil, task.Queue("low"), task.ID("held")), task.New("test:b", nil, task.Queue("low"), task.ID("new"))}
		}
		x.serve(func(context.Context, *task.Task) error { return errors.New("broken") })
		x.pass(time.Second)
		if s := x.get("a"); s.State != task.Archived || called != 1 {
			t.Errorf("it is %s after %d calls, want archived after 1", s.State, called)
		}
		if n := x.counts("low").Pending; n != 2 {
			t.Errorf("%d tasks in low, want the one that was there and the one that could be enqueued", n)
		}
	})
}

func TestOnExhaustedIsNotCalledForATaskThatGoesOn(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.OnExhausted = func(context.Context, *task.Info, error) []*task.Task { t.Error("called, want not"); return nil }
		x.enqueue("a", task.MaxRetry(1))
		x.enqueue("b")
		x.serve(func(_ context.Context, tk *task.Task) error {
			if tk.Type() == "test:b" {
				return nil
			}
			return errors.New("once")
		})
		x.pass(0)
	})
}

func TestATypesPolicyWinsOverTheConfigs(t *testing.T) {
	inBubble(t, func(x *bench) {
		policy := func(d time.Duration) task.RetryPolicy {
			return func(int, error, *task.Task) time.Duration { return d }
		}
		x.cfg.Concurrency = 3
		x.cfg.RetryDelayFunc = policy(time.Minute)
		x.cfg.ByType = map[string]queue.TypeConfig{
			"test:":   {RetryDelayFunc: policy(time.Hour)},
			"test:bb": {IsFailure: func(error) bool { return false }},
		}
		x.enqueue("a")
		x.enqueue("bb")
		x.enqueue("bbb", task.Queue("default"))
		x.serve(func(context.Context, *task.Task) error { return errors.New("no") })
		x.pass(0)
		type outcome struct {
			Wait    time.Duration
			Retried int
		}
		got := map[string]outcome{}
		for _, id := range []string{"a", "bb", "bbb"} {
			s := x.get(id)
			got[id] = outcome{time.Until(s.DueAt), s.Retried}
		}
		want := map[string]outcome{"a": {time.Hour, 1}, "bb": {time.Minute, 0}, "bbb": {time.Minute, 0}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
	})
}

func TestATaskKeepsTheRecordOfItsAttempts(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.RetryDelayFunc = func(int, error, *task.Task) time.Duration { return time.Second }
		x.enqueue("a", task.Retention(time.Hour))
		begin := time.Now()
		long := strings.Repeat("é", 1000)
		errs := []error{errors.New(long), fmt.Errorf("later: %w", task.Snooze(time.Second)), nil}
		x.serve(func(context.Context, *task.Task) error {
			time.Sleep(time.Second)
			err := errs[0]
			errs = errs[1:]
			return err
		})
		x.pass(10 * time.Second)
		var got []broker.Attempt
		for _, a := range x.get("a").Attempts {
			if !strings.Contains(a.Worker, ":") {
				t.Errorf("worker %q, want host:pid", a.Worker)
			}
			a.Worker = ""
			got = append(got, a)
		}
		at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
		want := []broker.Attempt{{Ended: at(1), Err: long[:1024]}, {Ended: at(3), Err: "later: snooze for 1s"}, {Ended: at(5)}}
		ignoreStart := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Started" }, cmp.Ignore())
		if diff := cmp.Diff(want, got, ignoreStart, cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < time.Second })); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		if took := got[0].Ended.Sub(got[0].Started); took != time.Second {
			t.Errorf("the first attempt took %v, want 1s", took)
		}
	})
}

func TestTheArchiveIsLimited(t *testing.T) {
	for name, test := range map[string]struct {
		limits queue.ArchiveLimits
		kept   int
	}{
		"by count":           {queue.ArchiveLimits{Count: 2, Age: -1}, 2},
		"by age":             {queue.ArchiveLimits{Count: -1, Age: time.Hour}, 0},
		"to 90 days":         {queue.ArchiveLimits{}, 0},
		"not at all":         {queue.ArchiveLimits{Count: -1, Age: -1, Bytes: -1}, 5},
		"only by count":      {queue.ArchiveLimits{Age: -1}, 5},
		"only by more bytes": {queue.ArchiveLimits{Age: -1, Bytes: 1 << 20}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.cfg.Archive = test.limits
				for i := range 5 {
					x.enqueue(fmt.Sprint(i), task.MaxRetry(0))
				}
				srv := x.newServer()
				if err := srv.Start(task.HandlerFunc(func(context.Context, *task.Task) error { return errors.New("no") })); err != nil {
					t.Fatal(err)
				}
				x.pass(10 * time.Second)
				if err := srv.Shutdown(x.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * 24 * time.Hour)
				x.serve(never(t))
				x.pass(5 * time.Second)
				if got := len(x.list(task.Archived)); got != test.kept {
					t.Errorf("%d archived tasks are kept, want %d", got, test.kept)
				}
				trimmed := 0
				for _, e := range x.seen(queue.EventTrimmed) {
					trimmed += e.Count
				}
				if trimmed != 5-test.kept || strings.Contains(x.log.String(), "archived tasks were deleted") != (trimmed > 0) {
					t.Errorf("%d tasks were told as deleted, want %d, and a line in the log if there are any", trimmed, 5-test.kept)
				}
			})
		})
	}
}

func TestTheNamesOfTypesInAConfigAreChecked(t *testing.T) {
	_, err := queue.NewServer(nil, queue.Config{ByType: map[string]queue.TypeConfig{"a b": {}, "": {}}})
	if n := strings.Count(fmt.Sprint(err), "Config.ByType"); n != 2 || !errors.Is(err, task.ErrInvalid) {
		t.Errorf("NewServer() = %v, want both faults", err)
	}
}

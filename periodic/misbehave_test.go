package periodic_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

func TestFunctionsThatMisbehaveHoldUpNoOtherEntry(t *testing.T) {
	released := make(chan struct{})
	bad := map[string]func(periodic.Tick) ([]byte, error){
		"panics": func(periodic.Tick) ([]byte, error) { panic("no") },
		"exits":  func(periodic.Tick) ([]byte, error) { runtime.Goexit(); return nil, nil },
		"fails":  func(periodic.Tick) ([]byte, error) { return nil, errors.New("no") },
		"huge":   func(periodic.Tick) ([]byte, error) { return make([]byte, queue.DefaultMaxPayload+1), nil },
	}
	for name, f := range bad {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				start := time.Now()
				e := every("bad", time.Minute, periodic.Allow)
				e.Payload = periodic.Func(f)
				told := 0
				x.schedule(periodic.Config{OnError: func(_ context.Context, tick periodic.Tick, err error) {
					if told++; tick.Entry != "bad" || tick.Time.Second() != 0 || err == nil {
						t.Errorf("OnError is told %v of %+v", err, tick)
					}
				}}, e, every("good", 10*time.Second, periodic.Allow))
				x.pass(71 * time.Second)
				x.wantTicks("good", 10*time.Second, start, time.Now())
				history := x.info("bad").History
				last := history[len(history)-1]
				if len(x.enqueued("bad")) != 0 || told != periodic.Attempts || last.What != periodic.TickFailed || last.Why == "" {
					t.Errorf("OnError was called %d times, the history ends with %+v; want %d, and failed", told, last, periodic.Attempts)
				}
			})
		})
	}
	inBubble(t, func(x *bench) {
		released = make(chan struct{})
		start := time.Now()
		e := every("bad", time.Minute, periodic.Allow)
		calls := 0
		e.Payload = periodic.Func(func(periodic.Tick) ([]byte, error) { calls++; <-released; return nil, nil })
		x.schedule(periodic.Config{}, e, every("good", 10*time.Second, periodic.Allow))
		x.pass(5*time.Minute + time.Second)
		x.wantTicks("good", 10*time.Second, start, time.Now())
		if calls != 1 {
			t.Errorf("what blocks was called %d times, want once", calls)
		}
		close(released)
		x.pass(time.Minute)
		if len(x.enqueued("bad")) == 0 {
			t.Errorf("nothing is enqueued once it blocks no more:\n%s", x.log.String())
		}
	})
}

func TestAPayloadThatFailsOnceIsMadeAgain(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		e := every("e", time.Minute, periodic.Allow)
		calls := 0
		e.Payload = periodic.Func(func(periodic.Tick) ([]byte, error) {
			if calls++; calls%2 == 1 {
				return nil, errors.New("not now")
			}
			return nil, nil
		})
		x.schedule(periodic.Config{}, e)
		x.pass(5*time.Minute + 10*time.Second)
		x.wantTicks("e", time.Minute, start, time.Now())
	})
}

func TestHooksThatMisbehave(t *testing.T) {
	for name, f := range map[string]func(){"panic": func() { panic("no") }, "exit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				start := time.Now()
				cfg := periodic.Config{
					Before:   func(context.Context, periodic.Tick, *task.Task) { f() },
					After:    func(context.Context, periodic.Tick, *task.Info) { f() },
					OnError:  func(context.Context, periodic.Tick, error) { f() },
					Provider: periodic.ProviderFunc(func(context.Context) ([]periodic.Entry, error) { f(); return nil, nil }),
				}
				x.schedule(cfg, every("e", 10*time.Second, periodic.Allow))
				x.pass(time.Minute + time.Second)
				x.wantTicks("e", 10*time.Second, start, time.Now())
				for _, word := range []string{"Before", "After", "OnError"} {
					if !strings.Contains(x.log.String(), "callback="+word) {
						t.Errorf("the log does not name %s", word)
					}
				}
			})
		})
	}
}

func TestHooksSeeWhatIsEnqueued(t *testing.T) {
	inBubble(t, func(x *bench) {
		var mu sync.Mutex
		var before, after []string
		observed := 0
		x.client.Observer = func(_ context.Context, e queue.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == queue.EventEnqueued {
				observed++
			}
		}
		x.client.Defaults = []task.Option{task.UniqueUntilDone(), task.ProcessIn(time.Hour)} // which an entry must not have
		passed := 0
		x.client.Use(func(next queue.EnqueueFunc) queue.EnqueueFunc {
			return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
				mu.Lock()
				passed++
				mu.Unlock()
				return next(ctx, t, append(options, task.Header("trace", "1"))...)
			}
		})
		e := every("e", 10*time.Second, periodic.Allow)
		e.Payload = periodic.Bytes([]byte("p"))
		cfg := periodic.Config{
			Before: func(_ context.Context, tick periodic.Tick, tk *task.Task) {
				mu.Lock()
				defer mu.Unlock()
				before = append(before, tick.Time.Format(time.TimeOnly)+string(tk.Payload()))
			},
			After: func(_ context.Context, _ periodic.Tick, info *task.Info) {
				mu.Lock()
				defer mu.Unlock()
				after = append(after, info.ID)
				if info.State != task.Pending || info.Headers["trace"] != "1" || info.Headers[periodic.HeaderEntry] != "e" {
					t.Errorf("After is told of %+v", info)
				}
			},
		}
		for range 2 {
			x.schedule(cfg, e)
		}
		x.pass(31 * time.Second)
		if len(before) < 3 || len(after) != 3 || observed != 3 || passed < 3 || before[0] != "00:00:10p" {
			t.Errorf("Before saw %v, After %v, the observer %d, the middleware %d; want three at least, three, three, three at least", before, after, observed, passed)
		}
	})
}

func TestBadEntriesAreRefusedWithAllThatIsWrong(t *testing.T) {
	inBubble(t, func(x *bench) {
		s := periodic.New(x.client, periodic.Config{})
		good := every("good", time.Second, periodic.Allow)
		bad := periodic.Entry{
			Name: "no good", Schedule: "61 * * * *", Zone: "Mars/Base", Jitter: -1, Window: -1,
			Start: time.Now(), End: time.Now().Add(-time.Hour),
			Missed: periodic.RunAll(0, time.Hour), Overlap: 7, Payload: periodic.Template("{{"),
			Options: []task.Option{
				task.ID("x"), task.ProcessIn(time.Hour), task.ProcessAt(time.Now()), task.Deadline(time.Now()), task.StartBy(time.Now()),
				task.Unique(time.Hour), task.OnConflict(task.Ignore), task.UniqueKey("k"), task.MaxRetry(-1), nil,
			},
		}
		kind := task.Define[int, task.None]("kind")
		mixed := periodic.Entry{Name: "mixed", Schedule: "@daily", Type: "other", Payload: periodic.Input(kind, func(periodic.Tick) int { return 1 })}
		err := s.Register(good, bad, good, mixed, periodic.Entry{Name: "untyped", Schedule: "@daily"})
		if err == nil {
			t.Fatal("Register() = nil")
		}
		for _, word := range []string{
			"no good", "spec", "zone", "Jitter", "Window", "End", "Missed", "Overlap", "Payload", "TaskID", "ProcessIn", "ProcessAt", "Deadline", "StartBy",
			"Unique(", "OnConflict", "UniqueKey", "MaxRetry", "nil", "entry good, from code: entry exists already", "entry untyped: invalid Type", "entry mixed: invalid Type",
		} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("Register() does not speak of %q", word)
			}
		}
		if e, ok := errors.AsType[*periodic.EntryError](err); !ok || e.Entry != "no good" || !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Register() = %v, want an EntryError", err)
		}
		if err := s.Register(good); err != nil {
			t.Errorf("Register() = %v after one that was refused, want nil", err)
		}
		if err := x.look.Add(t.Context(), periodic.Entry{Name: "f", Schedule: "@daily", Type: "t", Payload: periodic.JSON(func(periodic.Tick) int { return 1 }), Options: []task.Option{task.NoTimeout()}}, ""); err == nil ||
			!strings.Contains(err.Error(), "function") || !strings.Contains(err.Error(), "NoTimeout") {
			t.Errorf("Add() = %v, want that it is a function, and NoTimeout", err)
		}
	})
}

func TestABadConfig(t *testing.T) {
	err := periodic.New(nil, periodic.Config{SyncInterval: -1, PollInterval: -1}).Run(t.Context())
	for _, word := range []string{"client", "SyncInterval", "PollInterval"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("Run() = %v, want a word of %s", err, word)
		}
	}
}

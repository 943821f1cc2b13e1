package queue_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// beside returns a mux that has run as a background called "wf~side".
func beside(run func(context.Context) error) *task.Mux {
	mux := task.NewMux()
	mux.Background("wf~side", run)
	return mux
}

func TestEachServerRunsEachBackgroundOnceUntilItStops(t *testing.T) {
	for name, end := range map[string]func(*bench, *queue.Server){
		"stopped":   func(_ *bench, srv *queue.Server) { srv.Stop() },
		"shut down": func(x *bench, srv *queue.Server) { go func() { _ = srv.Shutdown(x.Context()) }() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				var began, ended atomic.Int64
				run := func(ctx context.Context) error {
					began.Add(1)
					<-ctx.Done()
					ended.Add(1)
					return ctx.Err()
				}
				mux := beside(run)
				mux.Background("other", run)
				release := make(chan struct{})
				mux.HandleFunc("test:a", func(context.Context, *task.Task) error { <-release; return nil })
				x.enqueue("a")
				x.serveAny(mux)
				first := x.srv
				x.serveAny(mux)
				x.pass(time.Hour)
				if began.Load() != 4 || ended.Load() != 0 {
					t.Errorf("%d began and %d ended, want two for each of two servers, and none", began.Load(), ended.Load())
				}
				end(x, first)
				x.pass(0)
				if began.Load() != 4 || ended.Load() != 2 {
					t.Errorf("%d began and %d ended after one server was %s, want 4 and its 2", began.Load(), ended.Load(), name)
				}
				close(release)
			})
		})
	}
}

func TestShutdownWaitsForBackgrounds(t *testing.T) {
	inBubble(t, func(x *bench) {
		var tidied atomic.Bool
		srv := x.newServer()
		if err := srv.Start(beside(func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(5 * time.Second)
			tidied.Store(true)
			return nil
		})); err != nil {
			t.Fatal(err)
		}
		x.pass(time.Second)
		if err := srv.Shutdown(x.Context()); err != nil || !tidied.Load() {
			t.Errorf("Shutdown() = %v, before the background had returned: %t; want nil, false", err, !tidied.Load())
		}
		if log := x.log.String(); log != "" {
			t.Errorf("logged %s, want nothing", log)
		}
	})
}

func TestABackgroundThatIgnoresItsEndDoesNotKeepTheServer(t *testing.T) {
	for name, limit := range map[string]struct {
		ctx  time.Duration
		err  error
		most time.Duration
	}{
		"after its timeout":    {time.Hour, nil, 10 * time.Second},
		"after that of a call": {2 * time.Second, context.DeadlineExceeded, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.cfg.ShutdownTimeout = 8 * time.Second
				release := make(chan struct{})
				defer close(release)
				mux := beside(func(context.Context) error { <-release; return nil })
				mux.Background("good", func(ctx context.Context) error { <-ctx.Done(); return nil })
				srv := x.newServer()
				if err := srv.Start(mux); err != nil {
					t.Fatal(err)
				}
				x.pass(time.Second)
				ctx, cancel := context.WithTimeout(x.Context(), limit.ctx)
				defer cancel()
				began := time.Now()
				if err := srv.Shutdown(ctx); !errors.Is(err, limit.err) {
					t.Errorf("Shutdown() = %v, want %v", err, limit.err)
				}
				if took := time.Since(began); took > limit.most {
					t.Errorf("Shutdown() took %v, want at most %v", took, limit.most)
				}
				log := x.log.String()
				if !strings.Contains(log, "backgrounds=[wf~side]") || strings.Contains(log, "handlers") {
					t.Errorf("logged %s, want the background that goes on, and nothing of handlers", log)
				}
			})
		})
	}
}

func TestABackgroundThatFailsIsReportedAndRunAgainLaterAndLater(t *testing.T) {
	var none *task.InvalidError // whose methods panic
	for name, fail := range map[string]struct {
		run  func(context.Context) error
		want string
	}{
		"with an error":          {func(context.Context) error { return errors.New("no storage") }, `loop=wf~side err="no storage"`},
		"with an error of a nil": {func(context.Context) error { return none }, `loop=wf~side err="panic`},
		"with a panic":           {func(context.Context) error { panic("broken") }, `callback="background wf~side" problem=panicked panic=broken`},
		"by ending its goroutine": {
			func(context.Context) error { runtime.Goexit(); return nil },
			`callback="background wf~side" problem="ended its goroutine with runtime.Goexit"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				start := time.Now()
				var at []time.Duration
				x.enqueue("a")
				mux := beside(func(ctx context.Context) error {
					at = append(at, time.Since(start)/time.Second)
					return fail.run(ctx)
				})
				mux.HandleFunc("test:a", func(context.Context, *task.Task) error { return nil })
				x.serveAny(mux)
				x.pass(200 * time.Second)
				if want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183}; !slices.Equal(at, want) {
					t.Errorf("run after %d s, want %d s", at, want)
				}
				if n := strings.Count(x.log.String(), fail.want); n != len(at) {
					t.Errorf("%d log lines have %s, want %d:\n%s", n, fail.want, len(at), &x.log)
				}
				x.gone("a")
			})
		})
	}
}

func TestABackgroundThatHasWorkedForLongIsRunAgainSoon(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		var at []time.Duration
		x.serveAny(beside(func(context.Context) error {
			at = append(at, time.Since(start)/time.Second)
			if len(at) == 3 {
				time.Sleep(time.Hour)
			}
			return errors.New("no storage")
		}))
		x.pass(time.Hour + 7*time.Second)
		if want := []time.Duration{0, 1, 3, 3604, 3606}; !slices.Equal(at, want) {
			t.Errorf("run after %d s, want %d s", at, want)
		}
	})
}

func TestABackgroundThatReturnsNilIsNotRunAgain(t *testing.T) {
	inBubble(t, func(x *bench) {
		var ran atomic.Int64
		x.serveAny(beside(func(context.Context) error {
			if ran.Add(1) == 1 {
				return errors.New("once")
			}
			return nil
		}))
		x.pass(24 * time.Hour)
		if n := ran.Load(); n != 2 {
			t.Errorf("run %d times, want 2: it has failed once", n)
		}
	})
}

func TestABackgroundMayReturnTheErrorOfItsEnd(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.serveAny(beside(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }))
		x.pass(time.Second)
		x.srv.Stop()
		x.pass(time.Hour)
		if log := x.log.String(); log != "" {
			t.Errorf("logged %s, want nothing", log)
		}
	})
}

func TestABackgroundKnowsItsServer(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.Queues = map[string]int{"default": 1, "low": 1}
		x.enqueue("a")
		got := make(map[string]bool)
		mux := beside(func(ctx context.Context) error {
			b, ok := queue.BackgroundFromContext(ctx)
			if !ok || b.Broker() != x.b {
				t.Errorf("BackgroundFromContext() = %v, %t, want one that has the broker of the server", b, ok)
				return nil
			}
			for _, name := range []string{"default", "low", "leat:runs", "other"} {
				got[name] = b.Serves(name)
			}
			if r, ok := queue.FromContext(ctx); ok {
				t.Errorf("FromContext() = %v, want no task", r)
			}
			return nil
		})
		mux.Reserve("leat:runs")
		mux.HandleFunc("test:a", func(ctx context.Context, _ *task.Task) error {
			if b, ok := queue.BackgroundFromContext(ctx); ok {
				t.Errorf("BackgroundFromContext() of a handler = %v, want none", b)
			}
			return nil
		})
		x.serveAny(mux)
		x.pass(time.Second)
		x.gone("a")
		want := map[string]bool{"default": true, "low": true, "leat:runs": true, "other": false}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Serves() (-want +got):\n%s", diff)
		}
	})
}

func TestBadBackgroundsAreRefused(t *testing.T) {
	inBubble(t, func(x *bench) {
		for name, h := range map[string]accompanied{
			"a bad name":  {"{a}": func(context.Context) error { return nil }},
			"no function": {"a": nil},
		} {
			if err := x.newServer().Start(h); !errors.Is(err, task.ErrInvalid) {
				t.Errorf("Start(%s) = %v, want ErrInvalid", name, err)
			}
		}
	})
}

// accompanied is a handler with backgrounds that no mux has checked.
type accompanied map[string]func(context.Context) error

func (a accompanied) Backgrounds() map[string]func(context.Context) error { return a }
func (a accompanied) ProcessTask(context.Context, *task.Task) error       { return nil }

func TestAServerServesTheQueuesThatItsHandlerNeedsOrDoesNotStart(t *testing.T) {
	mux := task.NewMux()
	mux.Need("mail")
	mux.Need("wf~order")
	mux.Reserve("wf~order")
	for name, refused := range map[string]bool{"mail": false, "default": true} {
		srv, err := queue.NewServer(brokertest.NewModel(), queue.Config{Queues: map[string]int{name: 1}})
		if err != nil {
			t.Fatal(err)
		}
		err = srv.Start(mux)
		if errors.Is(err, task.ErrInvalid) != refused || refused && !strings.Contains(err.Error(), `"mail"`) {
			t.Errorf("Start() of a server of %s = %v, want it refused: %t", name, err, refused)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
	}
}

func TestABackgroundThatNoServerHasKeepsTimeInItsQueuesUntilItEnds(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.Queues = map[string]int{"default": 1}
		b, err := queue.NewBackground(x.b, x.cfg)
		if err != nil {
			x.Fatalf("NewBackground() = %v, want nil", err)
		}
		ctx, cancel := context.WithCancel(x.Context())
		over, calls := make(chan error), 0
		go func() {
			over <- b.Run(ctx, "side", func(ctx context.Context) error {
				if calls++; calls == 1 {
					panic("no luck")
				}
				if got, ok := queue.BackgroundFromContext(ctx); got != b || !ok || !got.Serves("default") || got.Serves("mail") {
					x.Errorf("BackgroundFromContext() = %p, %t, want %p, which serves its queue", got, ok, b)
				}
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		x.enqueue("a", task.ProcessIn(10*time.Second))
		x.pass(9 * time.Second)
		if s := x.get("a"); s.State != task.Scheduled {
			x.Errorf("it is %v, want it scheduled", s.State)
		}
		x.pass(time.Second)
		if s := x.get("a"); s.State != task.Pending || calls != 2 {
			x.Errorf("it is %v after %d calls, want it pending, and a second call", s.State, calls)
		}
		cancel()
		if err := <-over; err != nil {
			x.Errorf("Run() = %v, want nil", err)
		}
	})
}

func TestABackgroundRefusesWhatAServerRefuses(t *testing.T) {
	_, err := queue.NewBackground(nil, queue.Config{MaxResult: -1})
	if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), "broker") || !strings.Contains(err.Error(), "MaxResult") {
		t.Errorf("NewBackground() = %v, want both faults", err)
	}
}

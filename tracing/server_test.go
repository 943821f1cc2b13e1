package tracing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

// A yard is a storage with servers and clients, each a process of a site.
type yard struct {
	*site
	ctx    context.Context // of the shop's request
	b      broker.Broker
	shop   *process
	client *queue.Client
	heirs  func(context.Context, *task.Info, error) []*task.Task
}

// A machine is a server that may die.
type machine struct {
	*process
	server *queue.Server
	dead   atomic.Bool
}

var (
	errOff = fmt.Errorf("machine is off: %w", broker.ErrRefused)
	quiet  = slog.New(slog.DiscardHandler)
)

func newYard(t *testing.T, b broker.Broker) *yard {
	y := &yard{site: newSite(t), b: b}
	y.shop = y.process("shop", sdktrace.AlwaysSample(), tracing.Config{})
	y.client = queue.NewClient(b)
	y.client.Tracer = y.shop
	return y
}

// machine starts a server that runs h, and is shut down in the end.
func (y *yard) machine(name string, h task.Handler) *machine {
	y.t.Helper()
	m := &machine{process: y.process(name, sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})}
	b := brokertest.Faulty(y.b, func(int, string) (f brokertest.Fault) {
		if m.dead.Load() {
			f.Before = errOff
		}
		return f
	})
	var err error
	m.server, err = queue.NewServer(b, queue.Config{
		Concurrency:    2,
		Queues:         map[string]int{"default": 1, "low": 1},
		Tracer:         m,
		Logger:         quiet,
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return time.Minute },
		OnExhausted:    y.heirs,
	})
	if err != nil {
		y.t.Fatal(err)
	}
	if err := m.server.Start(h); err != nil {
		y.t.Fatal(err)
	}
	y.t.Cleanup(func() { m.stop() })
	return m
}

func (m *machine) stop() { _ = m.server.Shutdown(context.Background()) }

func (y *yard) enqueue(typename string, options ...task.Option) *task.Info {
	y.t.Helper()
	info, err := y.client.Enqueue(y.ctx, task.New(typename, nil), options...)
	if err != nil {
		y.t.Fatal(err)
	}
	return info
}

// pass lets time pass, and what happens at its end happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// handlers do what a type says, and take a while.
func handlers() *task.Mux {
	mux := task.NewMux()
	takes := func(f func(ctx context.Context) error) func(context.Context, *task.Task) error {
		return func(ctx context.Context, _ *task.Task) error {
			time.Sleep(10 * time.Millisecond)
			return f(ctx)
		}
	}
	again := func(ctx context.Context) bool {
		n, _ := task.GetRetryCount(ctx)
		return n > 0
	}
	mux.HandleFunc("works", takes(func(context.Context) error { return nil }))
	mux.HandleFunc("fails", takes(func(context.Context) error { return errDeclined }))
	mux.HandleFunc("flaky", takes(func(ctx context.Context) error {
		if again(ctx) {
			return nil
		}
		panic("oh")
	}))
	mux.HandleFunc("hands-on", takes(func(ctx context.Context) error {
		return errors.Join(queue.Then(ctx, task.New("works", nil)), queue.Then(ctx, task.New("works", nil, task.Queue("low"))))
	}))
	mux.HandleFunc("hands-on-in-vain", takes(func(ctx context.Context) error {
		return errors.Join(queue.Then(ctx, task.New("works", nil)), errDeclined)
	}))
	mux.HandleFunc("waits", func(ctx context.Context, _ *task.Task) error {
		<-ctx.Done()
		return ctx.Err()
	})
	mux.HandleFunc("waits-once", func(ctx context.Context, _ *task.Task) error {
		if again(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Minute):
			return nil
		}
	})
	return mux
}

// TestServers has what real clients, servers and inspectors do to tasks be exported.
func TestServers(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(y *yard)
	}{
		{"many are enqueued in two queues", func(y *yard) {
			ts := []*task.Task{task.New("works", nil), task.New("flaky", nil), task.New("works", nil, task.Queue("low"))}
			for _, r := range y.client.EnqueueMany(y.ctx, ts) {
				if r.Err != nil {
					y.t.Error(r.Err)
				}
			}
			y.machine("one", handlers())
			pass(5 * time.Minute)
		}},
		{"duplicates are not stored", func(y *yard) {
			y.enqueue("works", task.ID("a"))
			if _, err := y.client.Enqueue(y.ctx, task.New("works", nil), task.ID("a")); !errors.Is(err, queue.ErrTaskIDConflict) {
				y.t.Errorf("Enqueue() = %v, want a conflict", err)
			}
			y.enqueue("works", task.UniqueUntilDone(), task.ID("b"))
			if _, err := y.client.Enqueue(y.ctx, task.New("works", nil), task.UniqueUntilDone()); !errors.Is(err, queue.ErrDuplicateTask) {
				y.t.Errorf("Enqueue() = %v, want a duplicate", err)
			}
			y.machine("one", handlers())
			pass(time.Minute)
		}},
		{"tasks follow one that is done, and none that is not", func(y *yard) {
			y.enqueue("hands-on")
			y.enqueue("hands-on-in-vain", task.MaxRetry(0))
			y.machine("one", handlers())
			pass(time.Minute)
		}},
		{"something follows an exhausted task", func(y *yard) {
			y.heirs = func(context.Context, *task.Info, error) []*task.Task { return []*task.Task{task.New("works", nil)} }
			y.enqueue("fails", task.MaxRetry(1))
			y.machine("one", handlers())
			pass(5 * time.Minute)
		}},
		{"an archived task is run again", func(y *yard) {
			info := y.enqueue("flaky", task.MaxRetry(0))
			y.machine("one", handlers())
			pass(time.Minute)
			y.inspect(func(i *queue.Inspector) error { return i.Run(y.ctx, "default", info.ID) })
			pass(time.Minute)
			y.inspect(func(i *queue.Inspector) error { return i.Delete(y.ctx, "default", info.ID) })
		}},
		{"tasks are ended by hand", func(y *yard) {
			waits, fails, works := y.enqueue("waits"), y.enqueue("fails"), y.enqueue("works", task.ProcessIn(time.Hour))
			y.machine("one", handlers())
			pass(5 * time.Second)
			y.inspect(func(i *queue.Inspector) error { return i.Cancel(y.ctx, "default", waits.ID) })
			y.inspect(func(i *queue.Inspector) error { return i.Archive(y.ctx, "default", fails.ID) })
			y.inspect(func(i *queue.Inspector) error { return i.Cancel(y.ctx, "default", works.ID) })
			pass(5 * time.Second)
		}},
		{"a server goes down, another dies", func(y *yard) {
			y.enqueue("waits-once", task.MaxRetry(0))
			one := y.machine("one", handlers())
			pass(5 * time.Second)
			go one.stop()
			pass(time.Minute)
			two := y.machine("two", handlers())
			pass(5 * time.Second)
			two.dead.Store(true)
			y.machine("three", handlers())
			pass(5 * time.Minute)
		}},
		{"a server dies, another goes down before it begins", func(y *yard) {
			y.enqueue("waits-once")
			one := y.machine("one", handlers())
			pass(5 * time.Second)
			one.dead.Store(true)
			y.fleeting("two")
			y.machine("three", handlers())
			pass(5 * time.Minute)
		}},
		{"a poisonous task kills four", func(y *yard) {
			y.enqueue("waits-once")
			for _, name := range []string{"one", "two", "three", "four", "five"} {
				m := y.machine(name, handlers())
				pass(30 * time.Second)
				m.dead.Store(true)
			}
		}},
		{"a task times out, and is too late", func(y *yard) {
			y.enqueue("waits", task.Timeout(time.Second), task.MaxRetry(0))
			y.enqueue("works", task.StartBy(time.Now().Add(time.Second)))
			time.Sleep(2 * time.Second)
			y.machine("one", handlers())
			pass(time.Minute)
		}},
		{"a group is folded", func(y *yard) {
			agg := aggregate.New()
			agg.Handle("default", "sum", aggregate.Rule{Grace: time.Second}, aggregate.Fold(func(context.Context, string, []json.RawMessage) (*task.Task, error) {
				time.Sleep(10 * time.Millisecond)
				return task.New("works", nil), nil
			}))
			mux := handlers()
			if err := agg.Register(mux); err != nil {
				y.t.Fatal(err)
			}
			for range 3 {
				if _, err := y.client.Enqueue(y.ctx, task.New("part", []byte("1")), task.Group("sum")); err != nil {
					y.t.Fatal(err)
				}
			}
			y.machine("one", mux)
			pass(time.Minute)
		}},
		{"two schedulers fire", func(y *yard) {
			ctx, stop := context.WithCancel(context.Background())
			for _, name := range []string{"left", "right"} {
				client := queue.NewClient(y.b)
				client.Tracer = y.process(name, sdktrace.AlwaysSample(), tracing.Config{})
				s := periodic.New(client, periodic.Config{Logger: quiet})
				if err := s.Register(periodic.Entry{Name: "often", Schedule: "@every 1m", Type: "works"}); err != nil {
					y.t.Fatal(err)
				}
				go s.Run(ctx) //nolint:errcheck // it is stopped
			}
			y.machine("one", handlers())
			pass(150 * time.Second)
			stop()
			pass(time.Second)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runInYard(t, brokertest.NewModel(), c.do).expectLines("server " + c.name)
			})
			synctest.Test(t, func(t *testing.T) {
				b, err := sqlitebroker.Open(":memory:", nil)
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				runInYard(t, b, c.do).expectLines("server " + c.name)
			})
		})
	}
}

// expectLines is expect, except that what begins together may come in any order.
func (y *yard) expectLines(name string) {
	y.t.Helper()
	want, err := os.ReadFile(goldenFile(name))
	if err == nil && slices.Equal(sortedLines(string(want)), sortedLines(printer.Print(y.spans()))) {
		y.check()
		return
	}
	y.expect(name)
}

func sortedLines(text string) []string { return slices.Sorted(strings.Lines(text)) }

func runInYard(t *testing.T, b broker.Broker, do func(*yard)) *yard {
	y := newYard(t, b)
	ctx, request := y.shop.span(context.Background(), "GET /order")
	y.ctx = ctx
	do(y)
	time.Sleep(time.Millisecond)
	request.End()
	return y
}

// inspect has somebody do something by hand.
func (y *yard) inspect(do func(*queue.Inspector) error) {
	y.t.Helper()
	i := queue.NewInspector(y.b)
	i.Tracer = y.shop
	if err := do(i); err != nil {
		y.t.Error(err)
	}
}

// TestNothingOfAPayloadIsTold has a secret wherever a user may have put one.
func TestNothingOfAPayloadIsTold(t *testing.T) {
	const secret = "s3cr3t"
	for _, c := range []struct {
		name string
		told bool
	}{{"by default", false}, {"unless errors are wanted", true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				p := s.process("shop", sdktrace.AlwaysSample(), tracing.Config{ErrorText: c.told, Detail: tracing.Full})
				b := brokertest.NewModel()
				client := queue.NewClient(b)
				client.Tracer = p
				srv, err := queue.NewServer(b, queue.Config{Tracer: p, Logger: quiet})
				if err != nil {
					t.Fatal(err)
				}
				err = srv.Start(task.HandlerFunc(func(_ context.Context, tk *task.Task) error {
					if _, err := tk.ResultWriter().Write([]byte(secret)); err != nil {
						return err
					}
					if string(tk.Payload()) == "panic"+secret {
						panic(secret)
					}
					return errors.New(secret)
				}))
				if err != nil {
					t.Fatal(err)
				}
				for _, payload := range []string{secret, "panic" + secret} {
					_, err = client.Enqueue(context.Background(), task.New("works", []byte(payload)), task.Header("token", secret), task.MaxRetry(1))
					if err != nil {
						t.Fatal(err)
					}
				}
				pass(5 * time.Minute)
				if err := srv.Shutdown(context.Background()); err != nil {
					t.Fatal(err)
				}
				if n := len(s.spans()); n < 10 {
					t.Errorf("%d spans were exported, want more", n)
				}
				if told := strings.Contains(fmt.Sprintf("%+v", p.exported.GetSpans()), secret); told != c.told {
					t.Errorf("the secret is told: %v, want %v", told, c.told)
				}
			})
		})
	}
}

// fleeting runs a server that is told to stop while the first task is on its way to it.
func (y *yard) fleeting(name string) {
	y.t.Helper()
	p := y.process(name, sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})
	b := &interrupted{Broker: y.b, leased: make(chan struct{})}
	server, err := queue.NewServer(b, queue.Config{Tracer: p, Logger: quiet})
	if err == nil {
		err = server.Start(handlers())
	}
	if err != nil {
		y.t.Fatal(err)
	}
	<-b.leased
	if err := server.Shutdown(context.Background()); err != nil {
		y.t.Error(err)
	}
}

// An interrupted is a broker whose first lease takes a while to arrive.
type interrupted struct {
	broker.Broker
	once   sync.Once
	leased chan struct{} // closed as it sets out
}

func (b *interrupted) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	applied, err := b.Broker.Apply(ctx, now, changes, want)
	if len(applied.Leases) > 0 {
		b.once.Do(func() {
			close(b.leased)
			time.Sleep(time.Second)
		})
	}
	return applied, err
}

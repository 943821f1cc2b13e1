package aggregate_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// brokers are the real ones.
var brokers = map[string]func(*testing.T) (broker.Broker, error){
	"sqlite memory": func(*testing.T) (broker.Broker, error) { return sqlitebroker.Open(":memory:", nil) },
	"sqlite file": func(t *testing.T) (broker.Broker, error) {
		return sqlitebroker.Open(filepath.Join(t.TempDir(), "leat.db"), nil)
	},
	"redis": func(t *testing.T) (broker.Broker, error) {
		return redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
	},
}

// onEachBroker runs f on a bench of every real broker, in real time.
func onEachBroker(t *testing.T, f func(*bench)) {
	for name, open := range brokers {
		t.Run(name, func(t *testing.T) {
			b, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			x := newBench(t, b)
			x.cfg.LeaseDuration = time.Second
			x.cfg.RetryDelayFunc = func(int, error, *task.Task) time.Duration { return 100 * time.Millisecond }
			f(x)
		})
	}
}

// until waits until is returns true.
func (x *bench) until(what string, is func() bool) {
	x.Helper()
	for end := time.Now().Add(time.Minute); !is(); {
		if time.Now().After(end) {
			x.Fatalf("after a minute still not %s; log:\n%s", what, x.log.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestEachTaskIsFoldedOnceOnEveryBroker(t *testing.T) {
	onEachBroker(t, func(x *bench) {
		x.cfg.MaxCrashes = -1
		rule := aggregate.Rule{Grace: time.Second, MaxSize: 10}
		var once sync.Once
		flaky := aggregate.Raw(func(_ context.Context, group string, tasks []*task.Task) (*task.Task, error) {
			x.note(group, tasks)
			var err error
			once.Do(func() { err = errSome })
			return folded(tasks), err
		})
		x.handle(rule, flaky)
		x.handle(rule, flaky)
		dead := make(chan struct{})
		dying := sync.OnceFunc(func() { close(dead) })
		process := newBench(x.T, brokertest.Faulty(x.client.Broker(), func(int, string) brokertest.Fault {
			select {
			case <-dead:
				return brokertest.Fault{Before: errFault}
			default:
				return brokertest.Fault{}
			}
		}))
		process.cfg.LeaseDuration = time.Second
		process.handle(rule, aggregate.Raw(func(ctx context.Context, group string, tasks []*task.Task) (*task.Task, error) {
			dying()
			return folded(tasks), nil
		}))
		var want []string
		for g := range 20 {
			tasks := names(fmt.Sprint("g", g, "-"), 25)
			x.add(fmt.Sprint("g", g), tasks...)
			want = append(want, tasks...)
		}
		slices.Sort(want)
		x.until("all are folded", func() bool { return len(x.payloads()) >= len(want) })
		if got := x.payloads(); !slices.Equal(got, want) {
			x.Errorf("folded are %d tasks, want each of %d once", len(got), len(want))
		}
		x.verify()
	})
}

func TestEachTaskHasItsOutcomeOnEveryBroker(t *testing.T) {
	onEachBroker(t, func(x *bench) {
		x.handle(second, aggregate.EachOf(func(_ context.Context, _ string, items []int) ([]aggregate.Result[int], error) {
			results := make([]aggregate.Result[int], len(items))
			for i, n := range items {
				if results[i].Value = 2 * n; n == 13 && len(items) > 1 {
					results[i].Err = errSome
				}
			}
			return results, nil
		}))
		kind := task.Define[int, int]("double", task.Group("g"), task.Retention(time.Hour))
		infos := make([]*task.Info, 20)
		for n := range infos {
			info, err := kind.Enqueue(x.Context(), x.client, n)
			if err != nil {
				x.Fatal(err)
			}
			infos[n] = info
		}
		ctx, cancel := context.WithTimeout(x.Context(), time.Minute)
		defer cancel()
		for n, info := range infos {
			if got, err := kind.Wait(ctx, x.client, info); got != 2*n || err != nil {
				x.Errorf("Wait() for %d = %d, %v, want %d", n, got, err, 2*n)
			}
		}
		x.verify()
	})
}

func TestGroupsJoinStartAndEndOnEveryBroker(t *testing.T) {
	onEachBroker(t, func(x *bench) {
		agg := aggregate.New()
		agg.Handle("default", "large", aggregate.Rule{Grace: time.Hour, MaxBytes: 100}, x.joined())
		agg.Handle("default", "full", aggregate.Rule{Grace: time.Hour, MaxSize: 3}, x.joined())
		agg.Handle("default", "late", aggregate.Rule{Grace: time.Hour, MaxDelay: time.Second}, x.joined())
		mux := task.NewMux()
		mux.HandleFunc("other", func(context.Context, *task.Task) error { return nil })
		if err := agg.Register(mux); err != nil {
			x.Fatal(err)
		}
		srv, err := queue.NewServer(x.b, x.cfg)
		if err != nil {
			x.Fatal(err)
		}
		if err := srv.Start(mux); err != nil {
			x.Fatal(err)
		}
		x.add("large", names("a", 17)...) // of six bytes each
		x.add("full", names("b", 7)...)
		x.add("late", "c", "d")
		x.addWith("late", []string{"e"}, task.ProcessIn(50*time.Millisecond))
		x.until("four batches", func() bool { return len(x.called()) >= 4 })
		if err := srv.Shutdown(context.Background()); err != nil {
			x.Errorf("Shutdown() = %v, want nil", err)
		}
		var got []string
		for _, r := range x.called() {
			got = append(got, fmt.Sprint(r.group, " ", len(r.tasks)))
		}
		if slices.Sort(got); !slices.Equal(got, []string{"full 3", "full 3", "large 16", "late 3"}) {
			x.Errorf("called for %q, want what is full, large or late", got)
		}
		x.verify()
	})
}

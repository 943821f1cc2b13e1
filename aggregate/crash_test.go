package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// A mortal process runs an aggregator until it dies: then nothing that it does reaches
// the storage any more.
func (x *bench) mortal(r aggregate.Rule, h func(die func()) aggregate.Handler) (dead chan struct{}) {
	x.Helper()
	dead = make(chan struct{})
	process := brokertest.Faulty(x.b, func(int, string) brokertest.Fault {
		select {
		case <-dead:
			return brokertest.Fault{Before: errFault}
		default:
			return brokertest.Fault{}
		}
	})
	agg := aggregate.New()
	agg.Handle("default", "", r, h(func() { close(dead); time.Sleep(time.Minute) }))
	runner, err := agg.Runner(process, x.cfg)
	if err != nil {
		x.Fatalf("Runner() = %v, want nil", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-dead; cancel() }()
	go runner.Run(ctx) //nolint:errcheck // it returns nil
	x.Cleanup(func() {
		cancel()
		select {
		case <-dead:
		default:
			close(dead)
		}
		time.Sleep(5 * time.Minute)
	})
	return dead
}

func TestABatchOfAProcessThatDiesGoesBackAndIsRunAgain(t *testing.T) {
	inBubble(t, func(x *bench) {
		dead := x.mortal(second, func(die func()) aggregate.Handler {
			return aggregate.Raw(func(_ context.Context, group string, tasks []*task.Task) (*task.Task, error) {
				x.note(group, tasks)
				die()
				return folded(tasks), nil
			})
		})
		x.add("g", names("t", 100)...)
		<-dead
		x.handle(second, x.joined())
		x.pass(time.Minute)
		runs := x.called()
		if len(runs) != 2 || len(runs[1].tasks) != 100 || runs[1].at > 20*time.Second {
			x.Errorf("called %v, want twice, with all hundred, soon after the lease", runs)
		}
		if got := x.payloads(); !slices.Equal(got, names("t", 100)) {
			x.Errorf("folded are %d tasks, want each of a hundred once", len(got))
		}
		x.verify()
	})
}

func TestATaskThatKillsItsProcessesIsRunAloneAndIsPoisonInTheEnd(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.add("g", append(names("t", 20), "poison")...)
		deadly := func(die func()) aggregate.Handler {
			return aggregate.Raw(func(_ context.Context, group string, tasks []*task.Task) (*task.Task, error) {
				x.note(group, tasks)
				for _, tk := range tasks {
					if string(tk.Payload()) == "poison" {
						die()
					}
				}
				return folded(tasks), nil
			})
		}
		for range 4 {
			<-x.mortal(second, deadly)
		}
		x.mortal(second, deadly)
		x.pass(5 * time.Minute)
		var calls []int
		for _, r := range x.called() {
			if slices.Contains(r.tasks, "poison") {
				calls = append(calls, len(r.tasks))
			}
		}
		if !slices.Equal(calls, []int{21, 21, 1, 1}) {
			x.Errorf("it was run among so many: %v, want with all others twice, and alone twice", calls)
		}
		if s := x.get("poison"); s.State != task.Archived || s.End != broker.Poison || !strings.Contains(s.LastErr, "4 times") {
			x.Errorf("it is %v, %v after %q, want it archived as poison", s.State, s.End, s.LastErr)
		}
		if got := x.payloads(); !slices.Equal(got, names("t", 20)) {
			x.Errorf("folded are %v, want each of the others once", got)
		}
		x.verify()
	})
}

func TestABatchWhoseLeaseIsLostEndsAndRecordsNothing(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.fault = func(method string, n int) brokertest.Fault {
			if method == "Extend" {
				return brokertest.Fault{Before: errFault}
			}
			return brokertest.Fault{}
		}
		var cause error
		x.handle(second, aggregate.Raw(func(ctx context.Context, group string, tasks []*task.Task) (*task.Task, error) {
			x.note(group, tasks)
			if len(x.called()) == 1 {
				<-ctx.Done()
				cause = context.Cause(ctx)
			}
			return folded(tasks), nil
		}))
		x.add("g", "a", "b")
		x.pass(time.Minute)
		if !errors.Is(cause, queue.ErrLeaseLost) || len(x.called()) != 2 || len(x.seen(queue.EventLeaseLost)) != 2 {
			x.Errorf("the context ended with %v, and there were %d calls; want ErrLeaseLost and two", cause, len(x.called()))
		}
		if got := x.payloads(); !slices.Equal(got, []string{"a", "b"}) {
			x.Errorf("folded are %v, want each once", got)
		}
	})
}

func TestAShutdownWaitsForBatchesAndReleasesThoseThatTakeTooLong(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		deaf  bool
		done  int
		took  time.Duration
	}{
		"in time":      {takes: 4 * time.Second, done: 2, took: 4 * time.Second},
		"too long":     {takes: time.Hour, took: 6 * time.Second},
		"with no ears": {takes: time.Hour, deaf: true, took: 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				stop := x.handle(second, aggregate.Raw(func(ctx context.Context, group string, tasks []*task.Task) (*task.Task, error) {
					x.note(group, tasks)
					ended := ctx.Done()
					if test.deaf {
						ended = nil
					}
					select {
					case <-time.After(test.takes):
						return folded(tasks), nil
					case <-ended:
						return nil, ctx.Err()
					}
				}))
				x.add("g", "a", "b")
				x.pass(time.Second)
				began := time.Now()
				stop()
				if took := time.Since(began); took != test.took {
					x.Errorf("it took %v to stop, want %v", took, test.took)
				}
				if got := x.payloads(); len(got) != test.done {
					x.Errorf("folded are %v, want %d", got, test.done)
				}
				groups, err := queue.NewInspector(x.client.Broker()).Groups(x.Context(), "default")
				if err != nil || test.done == 0 && (len(groups) != 1 || groups[0].Size != 2 || groups[0].Frozen != 0) {
					x.Errorf("groups are %+v, %v, want both back in theirs", groups, err)
				}
				if s, err := x.client.Broker().Entry(x.Context(), broker.EntryRef{Queue: "default", ID: "a"}); err == nil && (s.Retried != 0 || s.Crashes != 0) {
					x.Errorf("it has cost %d attempts and %d crashes, want none", s.Retried, s.Crashes)
				}
				x.verify()
				x.pass(time.Hour)
			})
		})
	}
}

func TestAnAggregatorBesideAServerHasItsTasksAndStopsWithIt(t *testing.T) {
	inBubble(t, func(x *bench) {
		agg := aggregate.New()
		agg.Handle("default", "", second, x.joined())
		mux := task.NewMux()
		var inserted []string
		mux.HandleFunc("folded", func(_ context.Context, tk *task.Task) error {
			inserted = append(inserted, string(tk.Payload()))
			return nil
		})
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
		x.add("g", "a", "b")
		x.pass(2 * time.Second)
		if !slices.Equal(inserted, []string{"a,b"}) {
			x.Errorf("run was %q, want what both were folded into", inserted)
		}
		if err := srv.Shutdown(context.Background()); err != nil {
			x.Fatal(err)
		}
		x.add("g", "c")
		x.pass(time.Minute)
		x.at("1s g of 2")
		if log := x.log.String(); strings.Contains(log, "WARN") {
			x.Errorf("log has a warning:\n%s", log)
		}
	})
}

func TestABatchInProgressIsSeen(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: time.Hour, MaxSize: 2}, aggregate.Each(func(context.Context, string, []*task.Task) []error {
			time.Sleep(time.Minute)
			return nil
		}))
		x.add("g", "a", "b", "c")
		x.pass(30 * time.Second)
		groups, err := queue.NewInspector(x.client.Broker()).Groups(x.Context(), "default")
		if err != nil || len(groups) != 1 || groups[0].Size != 1 || groups[0].Frozen != 2 || !groups[0].Oldest.Equal(x.began) {
			x.Errorf("groups are %s, %v, want one that waits and two that are frozen", fmt.Sprintf("%+v", groups), err)
		}
		x.pass(time.Minute)
	})
}

func TestTasksThatAreToBeRunAloneHoldUpNoOthers(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := x.client.Broker()
		suspects := names("suspect", 5)
		for i := range 2 {
			for _, s := range suspects {
				if i == 0 {
					x.add(s, s)
				}
				r := broker.GatherRequest{Queue: "default", Group: s, Token: fmt.Sprint(s, i), MaxSize: 1, Until: time.Now().Add(time.Second)}
				if _, err := b.Gather(x.Context(), time.Now(), r); err != nil {
					x.Fatal(err)
				}
			}
			x.pass(3 * time.Second)
			if _, err := b.Advance(x.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{"default"}, Limit: 100}); err != nil {
				x.Fatal(err)
			}
		}
		x.began = time.Now()
		x.handle(aggregate.Rule{Grace: time.Second, Parallel: 2}, aggregate.Each(func(_ context.Context, group string, tasks []*task.Task) []error {
			x.note(group, tasks)
			if group != "healthy" {
				time.Sleep(10 * time.Minute)
			}
			return nil
		}))
		x.pass(5 * time.Second)
		x.add("healthy", "h")
		x.pass(time.Second)
		if runs := x.called(); len(runs) != 2 || runs[1].group != "healthy" || runs[1].at != 6*time.Second {
			x.Errorf("after 6s it was called for %+v, want one suspect, and the other group when that was ripe", runs)
		}
		x.pass(2 * time.Hour)
		if runs := x.called(); len(runs) != 6 {
			x.Errorf("it was called for %+v, want each suspect alone, and the other group", runs)
		}
	})
}

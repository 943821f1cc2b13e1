package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// reads returns a workflow whose last step reads a stream with f.
func reads(f func(context.Context, workflow.Stream[int]) (int, error), opts ...dag.Option) flow {
	reader := workflow.NewStep("reader", f)
	return dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, reader, dag.MapStream(g, choosy, dag.Do(g, upTo, in), opts...))
	})
}

func TestAStreamIsReadInOrderAndAsFarAsWanted(t *testing.T) {
	tolerant := dag.Tolerate(10_000)
	for name, c := range map[string]struct {
		w        flow
		in, want int
	}{
		"all, without those that have failed": {reads(func(ctx context.Context, s workflow.Stream[int]) (int, error) {
			last := -2
			for n, err := range s.All(ctx) {
				if err != nil || n != last+2 {
					return 0, fmt.Errorf("after %d comes %d, %w", last, n, err)
				}
				last = n
			}
			return last, nil
		}, tolerant), 1201, 1200},
		"the first ones": {reads(func(ctx context.Context, s workflow.Stream[int]) (int, error) {
			read := 0
			for _, err := range s.All(ctx) {
				if read++; read == 3 || err != nil {
					break
				}
			}
			return read, nil
		}, tolerant), 1201, 3},
		"twice": {reads(func(ctx context.Context, s workflow.Stream[int]) (int, error) {
			read := 0
			for range 2 {
				for _, err := range s.All(ctx) {
					if err != nil {
						return 0, err
					}
					read++
				}
			}
			return read, nil
		}, tolerant), 10, 10},
		"its length": {reads(func(_ context.Context, s workflow.Stream[int]) (int, error) { return s.Len(), nil }, tolerant), 10, 10},
		"nothing":    {reads(func(_ context.Context, s workflow.Stream[int]) (int, error) { return s.Len(), nil }), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				run, err := c.w.Start(t.Context(), serve(t, b, c.w), c.in)
				if err != nil {
					t.Fatal(err)
				}
				comesTo(t, run, c.want)
			})
		})
	}
}

func TestAStreamIsReadByItsStepOnly(t *testing.T) {
	var kept atomic.Pointer[workflow.Stream[int]]
	w := reads(func(_ context.Context, s workflow.Stream[int]) (int, error) { kept.Store(&s); return 1, nil })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		comesTo(t, run, 1)
		for _, err := range kept.Load().All(t.Context()) {
			if !errors.Is(err, workflow.ErrNoStep) {
				t.Errorf("All() outside of the step = %v, want ErrNoStep", err)
			}
		}
	})
}

func TestAStreamOfAMapThatFailsIsNotRead(t *testing.T) {
	w := reads(func(context.Context, workflow.Stream[int]) (int, error) {
		t.Error("the step ran")
		return 0, nil
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 4)
		if err != nil {
			t.Fatal(err)
		}
		wantStepFailure(t, run, "choosy", "is odd")
	})
}

// The windows of maps: never more than so many items are released, and all of them when
// there is room.
func TestAWindowIsNeverExceededAndAlwaysFull(t *testing.T) {
	for _, window := range []int{1, 2, 5} {
		for _, finish := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d, finish all %v", window, finish), func(t *testing.T) {
				inBubble(t, func(t *testing.T, b broker.Broker) {
					var now, most atomic.Int32
					step := workflow.NewStep("busy", func(_ context.Context, n int) (int, error) {
						most.Store(max(most.Load(), now.Add(1)))
						defer now.Add(-1)
						time.Sleep(time.Duration(1+n%3) * time.Second)
						if finish && n%4 == 0 {
							return 0, task.SkipRetry
						}
						return n, nil
					})
					opts := []dag.Option{dag.Parallel(window)}
					if finish {
						opts = append(opts, dag.FinishAll())
					}
					w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
						return dag.Pick(g, dag.Try(g, dag.Map(g, step, dag.Do(g, upTo, in), opts...)), func(o workflow.Outcome[[]int]) int {
							return len(o.Value)
						})
					})
					c := serve(t, b, w)
					run, err := w.Start(t.Context(), c, 20)
					if err != nil {
						t.Fatal(err)
					}
					stopped := make(chan struct{})
					go func() {
						defer close(stopped)
						for range 100 {
							time.Sleep(100 * time.Millisecond)
							counts, err := b.Counts(t.Context(), time.Now(), "default")
							if n := counts[0].Pending + counts[0].Active; err != nil || n > window {
								t.Errorf("%d items are released, %v, want %d at most", n, err, window)
							}
						}
					}()
					want := map[bool]int{false: 20, true: 0}[finish]
					comesTo(t, run, want)
					<-stopped
					if got := int(most.Load()); got != window {
						t.Errorf("at most %d items ran at a time, want %d", got, window)
					}
				})
			})
		}
	}
}

// With CancelLosers what is slower is stopped; without, it goes on.
func TestLosersAreCancelledIfAsked(t *testing.T) {
	for _, cancels := range []bool{false, true} {
		inBubble(t, func(t *testing.T, b broker.Broker) {
			var d diary
			slow := workflow.NewStep("slow", func(ctx context.Context, n int) (int, error) {
				select {
				case <-time.After(time.Hour):
					d.note("finished")
					return n, nil
				case <-ctx.Done():
					d.note("stopped")
					return 0, context.Cause(ctx)
				}
			}, task.NoTimeout())
			inner := dag.New("inner", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, slow, in) })
			var opts []dag.Option
			if cancels {
				opts = []dag.Option{dag.CancelLosers()}
			}
			w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				slept := dag.Do(g, double, in, dag.As("slept"), dag.After(dag.Sleep(g, 2*time.Hour)))
				fast := dag.Do(g, double, in, dag.After(dag.Sleep(g, time.Minute))) // once the others have begun
				won := dag.First(g, []dag.Val[int]{dag.Do(g, slow, in), dag.Do(g, inner, in), slept, fast}, opts...)
				return dag.Do(g, double, won, dag.As("then"), dag.After(dag.Sleep(g, 90*time.Minute)))
			})
			c := serve(t, b, w)
			run, err := w.Start(t.Context(), c, 1)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			want := []string{"stopped", "stopped"}
			if !cancels {
				time.Sleep(time.Hour)
				want = []string{"finished", "finished"}
			}
			if got := d.read(); !slices.Equal(got, want) {
				t.Errorf("cancelled %v: the losers %q, want %q", cancels, got, want)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
			defer cancel()
			if got, err := run.Result(ctx); got != 4 || err != nil {
				t.Errorf("Result() = %d, %v, want 4", got, err)
			}
			s, err := run.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var states []string
			for _, step := range s.Steps {
				states = append(states, step.Name+" "+step.State.String())
			}
			t.Logf("cancelled %v: %s", cancels, strings.Join(states, ", "))
		})
	}
}

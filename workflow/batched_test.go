package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// batchesOf returns a workflow that doubles a number in a batch and adds one.
func batchesOf(name string, size int, embed func(context.Context, []int) ([]workflow.Result[int], error), opts ...task.Option) workflow.Workflow[int, int] {
	step := workflow.Batched(name, workflow.Batch{MaxSize: size, MaxWait: 2 * time.Second}, embed, opts...)
	one := workflow.NewStep(name+"-next", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	return dag.New("of-"+name, func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, one, dag.Do(g, step, in)) })
}

func doubleAll(_ context.Context, in []int) ([]workflow.Result[int], error) {
	out := make([]workflow.Result[int], len(in))
	for i, n := range in {
		out[i].Value = 2 * n
		if n%100 == 13 {
			out[i].Err = fmt.Errorf("%d is unlucky: %w", n, task.SkipRetry)
		}
	}
	return out, nil
}

func TestFiveHundredRunsThatShareAStepMakeFiveCalls(t *testing.T) {
	var calls, inputs atomic.Int32
	w := batchesOf("embed", 100, func(ctx context.Context, in []int) ([]workflow.Result[int], error) {
		calls.Add(1)
		inputs.Add(int32(len(in)))
		return doubleAll(ctx, in)
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := queue.NewClient(b)
		numbers := make([]int, 500)
		for i := range numbers {
			numbers[i] = i
		}
		runs, err := w.StartMany(t.Context(), c, numbers, nil)
		if err != nil {
			t.Fatal(err)
		}
		serve(t, b, w)
		for i, run := range runs {
			got, err := run.Result(t.Context())
			if unlucky := i%100 == 13; unlucky != (err != nil) || !unlucky && got != 2*i+1 {
				t.Errorf("run %d = %d, %v, want %d, or an error of its own", i, got, err, 2*i+1)
			}
		}
	})
	if calls.Load() != 5 || inputs.Load() != 500 {
		t.Errorf("%d calls with %d inputs, want 5 with 500", calls.Load(), inputs.Load())
	}
}

func TestAnInputWaitsForOthersNoLongerThanItMay(t *testing.T) {
	w := batchesOf("lonely", 100, doubleAll)
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c, began := serve(t, b, w), time.Now()
		run, err := w.Start(t.Context(), c, 4)
		if err != nil {
			t.Fatal(err)
		}
		got, err := run.Result(t.Context())
		if took := time.Since(began); got != 9 || err != nil || took > 5*time.Second {
			t.Errorf("Result() = %d, %v after %v, want 9 after about two seconds", got, err, took)
		}
	})
}

func TestABatchThatFailsIsTriedAgainByEachOfItsRuns(t *testing.T) {
	for name, fail := range map[string]func(in []int) ([]workflow.Result[int], error){
		"an error":          func([]int) ([]workflow.Result[int], error) { return nil, errors.New("no luck") },
		"a panic":           func([]int) ([]workflow.Result[int], error) { panic("no luck") },
		"an end of its own": func([]int) ([]workflow.Result[int], error) { runtime.Goexit(); return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			var once sync.Once
			w := batchesOf("flaky", 10, func(ctx context.Context, in []int) (r []workflow.Result[int], err error) {
				failed := false
				once.Do(func() { failed = true })
				if failed {
					return fail(in)
				}
				return doubleAll(ctx, in)
			})
			inBubble(t, func(t *testing.T, b broker.Broker) {
				c, began := serve(t, b, w), time.Now()
				runs, err := w.StartMany(t.Context(), c, []int{1, 2, 3}, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i, run := range runs {
					if got, err := run.Result(t.Context()); got != 2*(i+1)+1 || err != nil {
						t.Errorf("run %d = %d, %v, want %d", i, got, err, 2*(i+1)+1)
					}
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("it took %v: want it tried again a second later, as the server's policy is", took)
				}
			})
		})
	}
}

func TestABatchWithAnotherNumberOfResultsFailsItsRuns(t *testing.T) {
	w := batchesOf("short", 10, func(context.Context, []int) ([]workflow.Result[int], error) { return nil, nil })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Result(t.Context()); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), "0 results for 1 inputs") {
			t.Errorf("Result() = %v, want that the numbers differ", err)
		}
	})
}

func TestABatchIsSettledInSpiteOfFaultsOfTheBroker(t *testing.T) {
	w := batchesOf("faulty", 10, doubleAll)
	for n := range 40 {
		for _, fault := range []brokertest.Fault{{Before: errFault}, {After: errLost}} {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				var calls atomic.Int32
				serve(t, brokertest.Faulty(b, func(_ int, method string) brokertest.Fault {
					if method == "Beat" || method == "Advance" || int(calls.Add(1)) != n+1 {
						return brokertest.Fault{}
					}
					return fault
				}), w)
				runs, err := w.StartMany(t.Context(), queue.NewClient(b), []int{1, 2, 3}, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i, run := range runs {
					if got, err := run.Result(t.Context()); got != 2*(i+1)+1 || err != nil {
						t.Errorf("fault %v at call %d: run %d = %d, %v, want %d", fault, n, i, got, err, 2*(i+1)+1)
					}
				}
			})
		}
	}
}

func TestAStepOfABatchIsCancelledWithItsRunAlone(t *testing.T) {
	w := batchesOf("cancelled", 10, func(ctx context.Context, in []int) ([]workflow.Result[int], error) {
		time.Sleep(5 * time.Second)
		return doubleAll(ctx, in)
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, w)
		runs, err := w.StartMany(t.Context(), c, []int{1, 2}, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second) // the batch runs
		if err := runs[0].Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := runs[0].Wait(t.Context()); !errors.Is(err, workflow.ErrRunFailed) {
			t.Errorf("Wait() for the cancelled run = %v, want ErrRunFailed", err)
		}
		if got, err := runs[1].Result(t.Context()); got != 5 || err != nil {
			t.Errorf("Result() of the other = %d, %v, want 5", got, err)
		}
	})
}

func TestABatchedStepIsSharedOnEveryBroker(t *testing.T) {
	for name, open := range brokers {
		t.Run(name, func(t *testing.T) {
			b, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			var calls atomic.Int32
			w := batchesOf("shared", 25, func(ctx context.Context, in []int) ([]workflow.Result[int], error) {
				calls.Add(1)
				return doubleAll(ctx, in)
			})
			runs, err := w.StartMany(t.Context(), queue.NewClient(b), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, nil)
			if err != nil {
				t.Fatal(err)
			}
			serve(t, b, w)
			for i, run := range runs {
				if got, err := run.Result(t.Context()); got != 2*i+1 || err != nil {
					t.Errorf("run %d = %d, %v, want %d", i, got, err, 2*i+1)
				}
			}
			if calls.Load() != 1 {
				t.Errorf("%d calls, want one", calls.Load())
			}
			verify(t, b)
		})
	}
}

func TestABatchThatDoesNotReturnIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		end := make(chan struct{})
		w := batchesOf("blocked", 10, func(context.Context, []int) ([]workflow.Result[int], error) {
			<-end
			return nil, errSome
		}, task.MaxRetry(1), task.Timeout(time.Minute))
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		t.Cleanup(func() { close(end) }) // before the server stops
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := run.Result(ctx); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), "has not returned") {
			t.Errorf("Result() = %v, want that the step has not returned", err)
		}
	})
}

func TestABatchedStepThatNoWorkflowHasAnyMoreIsCarriedOut(t *testing.T) {
	step := workflow.Batched("left", workflow.Batch{MaxSize: 10, MaxWait: time.Second}, doubleAll)
	old := dag.New("changes", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, step, in) })
	now := dag.New("changes", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := old.Start(t.Context(), serve(t, b, now, step), 4)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if got, err := run.Result(ctx); got != 8 || err != nil {
			t.Errorf("Result() = %d, %v, want 8", got, err)
		}
	})
}

// A brokenStore panics, or fails, at what it is to keep.
type brokenStore struct{ put func([]byte) error }

func (s brokenStore) Put(_ context.Context, _ string, blob []byte) error { return s.put(blob) }

func (s brokenStore) Get(context.Context, string) ([]byte, error) { return nil, errSome }

func TestABlobStoreThatPanicsFailsOnlyTheRunWhoseOutputItWas(t *testing.T) {
	store := brokenStore{func(blob []byte) error {
		if string(blob) == "26" {
			panic("unlucky")
		}
		return errSome
	}}
	step := workflow.Batched("big", workflow.Batch{MaxSize: 10, MaxWait: time.Second}, func(_ context.Context, in []int) ([]workflow.Result[int], error) {
		out := make([]workflow.Result[int], len(in))
		for i, n := range in {
			out[i].Value = n
		}
		return out, nil
	}, task.MaxRetry(1))
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, dag.Do(g, step, in)) }, workflow.Blobs(1, store))
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, w)
		runs, err := w.StartMany(t.Context(), c, []int{4, 26}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := runs[0].Result(t.Context()); got != 8 || err != nil {
			t.Errorf("Result() = %d, %v, want 8", got, err)
		}
		if _, err := runs[1].Result(t.Context()); err == nil || !strings.Contains(err.Error(), "unlucky") {
			t.Errorf("Result() = %v, want the panic", err)
		}
	})
}

func TestAStoreThatTakesNoResultCostsAttempts(t *testing.T) {
	var calls atomic.Int32
	step := workflow.NewStep("once", func(_ context.Context, n int) (int, error) { calls.Add(1); return n, nil }, task.MaxRetry(2))
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, step, in) },
		workflow.Blobs(0, brokenStore{func([]byte) error { return errSome }}))
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := run.Wait(ctx); !errors.Is(err, workflow.ErrRunFailed) || calls.Load() != 3 {
			t.Errorf("Wait() = %v after %d attempts, want a failure after 3", err, calls.Load())
		}
	})
}

func TestAResultThatAsksToBeForgottenFailsItsRun(t *testing.T) {
	w := batchesOf("revoked", 10, func(_ context.Context, in []int) ([]workflow.Result[int], error) {
		return []workflow.Result[int]{{Err: task.Revoke}}, nil
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := run.Wait(ctx); !errors.Is(err, workflow.ErrRunFailed) {
			t.Errorf("Wait() = %v, want that the run has failed", err)
		}
	})
}

func TestABatchThatAShutdownInterruptsIsRunByAnotherServerAtNoCost(t *testing.T) {
	var calls atomic.Int32
	w := batchesOf("interrupted", 10, func(ctx context.Context, in []int) ([]workflow.Result[int], error) {
		if calls.Add(1) == 1 {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
		return doubleAll(ctx, in)
	}, task.MaxRetry(0))
	inBubble(t, func(t *testing.T, b broker.Broker) {
		stop := serveUntil(t, b, w)
		runs, err := w.StartMany(t.Context(), queue.NewClient(b), []int{1, 2}, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		stop()
		began := time.Now()
		serve(t, b, w)
		for i, run := range runs {
			comesTo(t, run, 2*(i+1)+1)
		}
		if took := time.Since(began); took > 3*time.Second || calls.Load() != 2 {
			t.Errorf("it took %v and %d calls, want a second one at once", took, calls.Load())
		}
	})
}

package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// listens waits for the signal n times, one after another, and gives what it has heard.
func listens(n int) workflow.Workflow[int, []int] {
	return dag.New("awaits", func(g *dag.Graph, in dag.Val[int]) dag.Val[[]int] {
		heard := dag.Const(g, []int{})
		var before []dag.Option
		for range n {
			next := dag.Await(g, nudge, 0, before...)
			heard = dag.Join2(g, heard, next, func(l []int, n int) []int { return append(l, n) })
			before = []dag.Option{dag.After(next)}
		}
		return heard
	})
}

// send sends the signal, and demands that it is taken in.
func send(t *testing.T, to workflow.Target, n int, opts ...workflow.SendOption) {
	t.Helper()
	if err := nudge.Send(t.Context(), to, n, opts...); err != nil {
		t.Fatalf("Send(%d) = %v, want nil", n, err)
	}
}

func wantHeard(t *testing.T, b broker.Broker, run workflow.Run[[]int], want ...int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), recovery)
	defer cancel()
	got, err := run.Result(ctx)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Result(), %v (-want +got):\n%s", err, diff)
	}
	time.Sleep(time.Second)
	quiet(t, b, run.Handle)
}

func TestSignalsAreTakenInTheOrderInWhichTheyCameWheneverThatWas(t *testing.T) {
	for _, when := range []string{"before anybody serves", "in the wait", "half before", "while it is paused"} {
		t.Run(when, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				w := listens(4)
				run, err := w.Start(t.Context(), queue.NewClient(b), 1)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 4 {
					switch {
					case when == "in the wait" && i == 0, when == "half before" && i == 2:
						serve(t, b, w)
						time.Sleep(time.Second)
					case when == "while it is paused" && i == 0:
						serve(t, b, w)
						time.Sleep(time.Second)
						if err := run.Pause(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					send(t, run, i+1)
				}
				switch when {
				case "before anybody serves":
					serve(t, b, w)
				case "while it is paused":
					time.Sleep(time.Hour)
					status, err := run.Status(t.Context())
					if err != nil || slices.ContainsFunc(status.Steps, func(s workflow.StepStatus) bool { return s.State == workflow.StepDone }) {
						t.Errorf("Status() in the pause = %+v, %v, want nothing done", status, err)
					}
					if err := run.Resume(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				wantHeard(t, b, run, 1, 2, 3, 4)
			})
		})
	}
}

func TestASignalOfOneIDIsTakenOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := listens(3)
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		send(t, run, 1, workflow.SignalID("a"))
		send(t, run, 2, workflow.SignalID("a")) // it waits
		time.Sleep(time.Second)
		send(t, run, 3, workflow.SignalID("a")) // it was taken
		send(t, run, 4, workflow.SignalID("b"))
		send(t, run, 5)
		wantHeard(t, b, run, 1, 4, 5)
	})
}

func TestTwoWaitsOfOneNameTakeASignalEach(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := dag.New("two", func(g *dag.Graph, in dag.Val[int]) dag.Val[[]int] {
			return dag.Join2(g, dag.Await(g, nudge, time.Hour), dag.Await(g, nudge, 0), func(a, b int) []int { return []int{a, b} })
		})
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		send(t, run, 1)
		time.Sleep(time.Second)
		send(t, run, 2)
		wantHeard(t, b, run, 1, 2)
	})
}

func TestASignalThatNobodyCanTakeIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w, ctx := listens(1), t.Context()
		c := serve(t, b, w, shapes["chain"])
		if err := nudge.Send(ctx, w.Open(c, "nobody"), 1); !errors.Is(err, workflow.ErrRunNotFound) {
			t.Errorf("Send() to nobody = %v, want ErrRunNotFound", err)
		}
		if err := nudge.Send(ctx, shapes["chain"].Open(c, "r"), 1); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Send() to a workflow that does not wait = %v, want ErrInvalid", err)
		}
		run, err := w.Start(ctx, c, 1)
		if err != nil {
			t.Fatal(err)
		}
		send(t, run, 1)
		wantHeard(t, b, run, 1)
		err = nudge.Send(ctx, run, 2)
		if e, ok := errors.AsType[*workflow.RunStateError](err); !ok || e.State != workflow.Done {
			t.Errorf("Send() to a run that is done = %v, want a RunStateError", err)
		}
		large := workflow.NewSignal[string](nudge.Name())
		if err := large.Send(ctx, run, string(make([]byte, 2<<20))); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Send() of 2 MiB = %v, want ErrInvalid", err)
		}
	})
}

func TestAnInboxKeepsAThousandSignals(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := dag.New("late", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Await(g, nudge, 0, dag.After(dag.Sleep(g, time.Hour)))
		})
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			send(t, run, i)
		}
		if err := nudge.Send(t.Context(), run, 1000); !errors.Is(err, workflow.ErrInboxFull) {
			t.Errorf("Send() of one more = %v, want ErrInboxFull", err)
		}
		if got, err := run.Result(t.Context()); got != 0 || err != nil {
			t.Errorf("Result() = %d, %v, want the first", got, err)
		}
		time.Sleep(time.Minute)
		quiet(t, b, run.Handle)
	})
}

func TestARunHearsNothingThatWasSentToTheOneBeforeIt(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := dag.New("late", func(g *dag.Graph, in dag.Val[int]) dag.Val[[]int] {
			heard := dag.Await(g, nudge, 0, dag.After(dag.Sleep(g, 10*time.Second)))
			return dag.Join2(g, in, heard, func(_, n int) []int { return []int{n} })
		})
		c := serve(t, b, w)
		again := []workflow.StartOption{workflow.RunID("r"), workflow.IfEnded(workflow.AgainAlways)}
		run, err := w.Start(t.Context(), c, 1, again...)
		if err != nil {
			t.Fatal(err)
		}
		send(t, run, 1, workflow.SignalID("a"))
		send(t, run, 2, workflow.SignalID("b")) // nobody takes it
		wantHeard(t, b, run, 1)
		if run, err = w.Start(t.Context(), c, 1, again...); err != nil || run.Existed {
			t.Fatalf("Start() = existed %v, %v, want another run", run.Existed, err)
		}
		time.Sleep(time.Second)
		send(t, run, 3, workflow.SignalID("a"))
		wantHeard(t, b, run, 3)
	})
}

// TestEachOfAThousandSignalsIsTakenOnce sends to runs at random times, by a sender and
// a server for whom calls of the broker fail; the sender repeats what it does not know.
func TestEachOfAThousandSignalsIsTakenOnce(t *testing.T) {
	const runs, each = 20, 50 // a thousand
	seed := rand.Uint64()
	synctest.Test(t, func(t *testing.T) {
		t.Logf("seed %d", seed)
		model := brokertest.NewModel()
		w := listens(each)
		serve(t, brokertest.Faulty(model, randomFaults(seed, 0.2)), w)
		sender := queue.NewClient(brokertest.Faulty(model, randomFaults(seed+1, 0.2)))
		r := rand.New(rand.NewPCG(seed, 2))
		var started []workflow.Run[[]int]
		for range runs {
			run, err := w.Start(t.Context(), queue.NewClient(model), 1)
			if err != nil {
				t.Fatal(err)
			}
			started = append(started, run)
		}
		for i := range each {
			for k, run := range started {
				to := w.Open(sender, run.ID)
				for {
					err := nudge.Send(t.Context(), to, 1000*k+i, workflow.SignalID(fmt.Sprint(i)))
					if err == nil || errors.Is(err, workflow.ErrRunState) {
						break // a run that has ended has taken what it waited for, though the answer was lost
					}
					time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
				}
				time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
			}
		}
		for k, run := range started {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			got, err := run.Result(ctx)
			cancel()
			var want []int
			for i := range each {
				want = append(want, 1000*k+i)
			}
			if !slices.Equal(got, want) || err != nil {
				t.Errorf("run %d has heard %v, %v, want each once and in order", k, got, err)
				explain(t, model)
			}
		}
		time.Sleep(10 * time.Minute)
		for _, run := range started {
			quiet(t, model, run.Handle)
		}
	})
}

func TestAnInboxHoldsNoMoreThanSoMuch(t *testing.T) {
	large := workflow.NewSignal[string]("large")
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[string] {
		return dag.Await(g, large, 0, dag.After(dag.Sleep(g, time.Hour)))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Repeat("x", 1<<20-10)
		for i := range 8 {
			if err := large.Send(t.Context(), run, text); err != nil {
				t.Fatalf("signal %d: %v", i, err)
			}
		}
		if err := large.Send(t.Context(), run, text); !errors.Is(err, workflow.ErrInboxFull) {
			t.Errorf("Send() = %v, want ErrInboxFull", err)
		}
		err = large.Send(t.Context(), run, "", workflow.SignalID(text))
		if _, ok := errors.AsType[*task.InvalidError](err); !ok {
			t.Errorf("Send() with a long id = %v, want an InvalidError", err)
		}
	})
}

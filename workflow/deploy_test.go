package workflow_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A flow is a version of a workflow.
type flow = workflow.Workflow[int, int]

func version(build func(g *dag.Graph, in dag.Val[int]) dag.Val[int]) flow {
	return dag.New("deployed", build)
}

// release lets a run go on that was begun before a deploy.
var release = workflow.NewSignal[int]("release")

// oldVersion has one of everything, and waits in the middle for the deploy.
var oldVersion = version(func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	first := dag.Do(g, double, in, dag.As("first"))
	waited := dag.Await(g, release, 0, dag.After(first))
	both := dag.Join3(g, first, waited, dag.Const(g, 1000), add3)
	chosen := dag.If(g, dag.Pick(g, both, even),
		func(g *dag.Graph) dag.Val[int] { return dag.Do(g, double, both, dag.As("then")) },
		func(*dag.Graph) dag.Val[int] { return both })
	switched := dag.Switch(g, chosen, []dag.Branch[int, int]{
		dag.Case(7, func(g *dag.Graph) dag.Val[int] { return dag.Const(g, 0) }),
		dag.Default[int](func(g *dag.Graph) dag.Val[int] { return dag.Pick(g, chosen, plusOne) }),
	})
	looped := dag.Until(g, double, switched, large, 3, dag.As("round"))
	return dag.Do(g, sum, dag.Map(g, double, dag.Do(g, upTo, dag.Pick(g, looped, small)), dag.As("items")))
})

func small(n int) int { return n % 100 }

// oldValue is what it comes to from 1: 1002, doubled, plus one, doubled until it is
// large, of which the last two digits, 10, are the length of a list.
const oldValue = 2 * 45

// beginOld starts a run of the old version and has a server of it bring it to where it
// waits.
func beginOld(t *testing.T, b broker.Broker, old flow) workflow.Run[int] {
	t.Helper()
	stop := serveUntil(t, b, old)
	run, err := old.Start(t.Context(), queue.NewClient(b), 1)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	stop()
	if err := release.Send(t.Context(), run, 0); err != nil {
		t.Fatal(err)
	}
	return run
}

// serveUntil starts a server that carries out workflows until it is stopped.
func serveUntil(t *testing.T, b broker.Broker, flows ...workflow.Registrable) (stop func()) {
	t.Helper()
	mux := task.NewMux()
	workflow.Register(mux, flows...)
	srv := newServer(t, b)
	if err := srv.Start(mux); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
	}
}

// comesTo demands a value of a run, soon.
func comesTo(t *testing.T, run workflow.Run[int], want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if got, err := run.Result(ctx); got != want || err != nil {
		t.Errorf("Result() = %d, %v, want %d", got, err, want)
	}
}

// oldFunctions has a workflow have the functions that the old version has.
func oldFunctions(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	a := dag.Pick(g, dag.Join3(g, in, in, in, add3), plusOne)
	b := dag.Until(g, double, dag.Pick(g, in, small), large, 10, dag.As("other-round"))
	return dag.Join2(g, dag.Pick(g, a, even), b, func(_ bool, n int) int { return n })
}

func TestOldRunsFinishUnderTheirPlan(t *testing.T) {
	for name, deployed := range map[string]struct {
		next flow
		also []workflow.Registrable
	}{
		"a step added": {version(func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			one := dag.Do(g, double, oldFunctions(g, in), dag.As("added"))
			return dag.Do(g, sum, dag.Do(g, upTo, one))
		}), nil},
		"a step renamed": {version(func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, sum, dag.Do(g, upTo, dag.Do(g, double, oldFunctions(g, in), dag.As("other"))), dag.As("total"))
		}), nil},
		"steps removed, and registered by themselves": {version(oldFunctions), []workflow.Registrable{sum, upTo}},
		"both versions side by side":                  {version(func(_ *dag.Graph, in dag.Val[int]) dag.Val[int] { return in }), []workflow.Registrable{oldVersion}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				run := beginOld(t, b, oldVersion)
				c := serve(t, b, append([]workflow.Registrable{deployed.next}, deployed.also...)...)
				comesTo(t, run, oldValue)
				fresh, err := deployed.next.Start(t.Context(), c, 1)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := fresh.Result(t.Context()); err != nil {
					t.Errorf("Result() of a run of the new version = %v", err)
				}
			})
		})
	}
}

// problems returns why the entries of a run do not go on.
func problems(t *testing.T, b broker.Broker) string {
	t.Helper()
	var all []string
	for _, q := range []string{"default", "heavy", "deployed~decide"} {
		for _, state := range []task.State{task.Pending, task.Active, task.Retry, task.Scheduled} {
			found, err := b.List(t.Context(), broker.ListRequest{Queue: q, State: state, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range found {
				all = append(all, e.LastErr)
			}
		}
	}
	return strings.Join(all, "\n")
}

// Payloads whose fields change from one version to the next.
type (
	oldItem  struct{ SKU string }
	newItem  struct{ Code string }
	oldOrder struct{ Items []oldItem }
	newOrder struct{ Items []newItem }
)

func TestWhatANewVersionCannotCarryOutWaitsAndSaysWhy(t *testing.T) {
	oldTake := workflow.NewStep("take", func(_ context.Context, o oldOrder) (int, error) { return len(o.Items), nil })
	newTake := workflow.NewStep("take", func(_ context.Context, o newOrder) (int, error) { return len(o.Items), nil })
	makeOld := workflow.NewStep("make", func(_ context.Context, n int) (oldOrder, error) { return oldOrder{make([]oldItem, n)}, nil })
	makeNew := workflow.NewStep("make", func(_ context.Context, n int) (newOrder, error) { return newOrder{make([]newItem, n)}, nil })
	released := func(g *dag.Graph) dag.Option { return dag.After(dag.Await(g, release, 0)) }
	orders := version(func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, oldTake, dag.Do(g, makeOld, in), released(g))
	})
	plain := version(func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in, released(g)) })
	for name, c := range map[string]struct {
		old, next flow
		want      []string
		value     int
	}{
		"a step is missing": {plain, version(func(_ *dag.Graph, in dag.Val[int]) dag.Val[int] { return in }),
			[]string{"step double: double is not registered", "register it"}, 2},
		"a payload's field was renamed, deep within": {orders, version(func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, newTake, dag.Do(g, makeNew, in))
		}), []string{
			"step take takes workflow_test.newOrder{Items []workflow_test.newItem} now, and workflow_test.oldOrder{Items []workflow_test.oldItem} when the run began",
			"workflow_test.newItem{Code string} has no field SKU, as workflow_test.oldItem{SKU string} had",
			"step make gives",
		}, 1},
		"a function without a name": {version(func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, double, dag.Pick(g, in, func(n int) int { return n + 1 }), released(g))
		}), plain, []string{"has no name by which to find it", "give functions names"}, 4},
		"a function that is gone": {version(func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, double, dag.Pick(g, in, plusOne), released(g))
		}), plain, []string{"has its function, github.com/leatwork/leat/workflow_test.plusOne; register the version that does"}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				run := beginOld(t, b, c.old)
				stop := serveUntil(t, b, c.next)
				time.Sleep(24 * time.Hour)
				got := problems(t, b)
				for _, want := range c.want {
					if !strings.Contains(got, want) {
						t.Errorf("the run waits because of %q, want it to say %q", got, want)
					}
				}
				if s, err := run.Status(t.Context()); s.State != workflow.Running || err != nil {
					t.Errorf("Status() = %v, %v, want running", s.State, err)
				}
				stop() // the new version is taken back
				serve(t, b, c.old)
				comesTo(t, run, c.value)
			})
		})
	}
}

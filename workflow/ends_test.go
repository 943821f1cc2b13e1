package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// This file has every end that the task of a step may come to meet every place that
// the step may have in a graph.

// unlucky is what makes the victim fail.
const unlucky = 13

// victim is the step that comes to an end; serveQueue decides whether anybody runs it.
var victim = workflow.NewStep("victim", func(_ context.Context, n int) (int, error) {
	if n == unlucky {
		return 0, fmt.Errorf("%w: %w", errSome, task.SkipRetry)
	}
	return n + 1, nil
}, task.Queue("victims"))

var adder = workflow.NewStep("adder", func(ctx context.Context, n int) (int, error) {
	return n, workflow.Add(ctx, victim.With(n), victim.With(1))
})

func list(n int) []int { return []int{n, 1, 2} }

func orMinus(o workflow.Outcome[int]) int {
	if v, err := o.Get(); err == nil {
		return v
	}
	return -1
}

// anyItem is the item of a map whose elements begin in any order.
const anyItem = -2

// A place is where the victim stands in a graph.
type place struct {
	name  string
	build func(g *dag.Graph, in dag.Val[int]) dag.Val[int]
	ok    int    // what comes of 7
	bad   int    // what does if the victim comes to nothing; 0: the run fails
	step  string // that is to blame then
	item  int    // -1: none, anyItem: one of them
}

var places = []place{
	{name: "plain input", ok: 16, step: "victim", item: -1, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Do(g, victim, in))
	}},
	{name: "last step", ok: 8, step: "victim", item: -1, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, victim, in)
	}},
	{name: "try", ok: 16, bad: -2, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Pick(g, dag.Try(g, dag.Do(g, victim, in)), orMinus))
	}},
	{name: "merge", ok: 16, step: "victim", item: -1, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.If(g, dag.Const(g, true),
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, victim, in) },
			func(*dag.Graph) dag.Val[int] { return in }))
	}},
	{name: "first", ok: 16, bad: 200, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		late := dag.Do(g, hundred, in, dag.After(dag.Sleep(g, 10*time.Second)))
		return dag.Do(g, double, dag.First(g, []dag.Val[int]{dag.Do(g, victim, in), late}))
	}},
	{name: "first with losers cancelled", ok: 16, bad: 200, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		late := dag.Do(g, hundred, in, dag.After(dag.Sleep(g, 10*time.Second)))
		return dag.Do(g, double, dag.First(g, []dag.Val[int]{dag.Do(g, victim, in), late}, dag.CancelLosers()))
	}},
	{name: "map item", ok: 13, step: "victim", item: 0, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, victim, dag.Pick(g, in, list)))
	}},
	{name: "map item in a window", ok: 13, step: "victim", item: 0, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, victim, dag.Pick(g, in, list), dag.Parallel(1)))
	}},
	{name: "tolerated map item", ok: 13, bad: 5, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, victim, dag.Pick(g, in, list), dag.Tolerate(1)))
	}},
	{name: "map item of all", ok: 13, step: "victim", item: 0, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, victim, dag.Pick(g, in, list), dag.FinishAll()))
	}},
	{name: "tried map item", ok: 13, bad: 4, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		tried := dag.MapTry(g, victim, dag.Pick(g, in, list))
		return dag.Do(g, sum, dag.Pick(g, tried, func(outcomes []workflow.Outcome[int]) (l []int) {
			for _, o := range outcomes {
				l = append(l, orMinus(o))
			}
			return l
		}))
	}},
	{name: "map of one", ok: 8, step: "victim", item: 0, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, victim, dag.Pick(g, in, func(n int) []int { return []int{n} })))
	}},
	{name: "after", ok: 14, step: "victim", item: -1, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, in, dag.After(dag.Do(g, victim, in)))
	}},
	{name: "side effect", ok: 14, step: "victim", item: -1, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		dag.Do(g, victim, in)
		return dag.Do(g, double, in)
	}},
	{name: "sub-workflow", ok: 16, step: "within", item: -1, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Do(g, within, in))
	}},
	{name: "map of sub-workflows", ok: 13, step: "within", item: anyItem, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, within, dag.Pick(g, in, list)))
	}},
	{name: "loop", ok: 20, step: "victim", build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Until(g, victim, in, func(n int) bool { return n >= 10 }, 50))
	}},
	{name: "loop of sub-workflows", ok: 20, step: "within", build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Until(g, within, in, func(n int) bool { return n >= 10 }, 50))
	}},
	{name: "added step", ok: 14, step: "adder~+0", item: -1, build: func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Do(g, adder, in))
	}},
}

var (
	hundred = workflow.NewStep("hundred", func(context.Context, int) (int, error) { return 100, nil })
	within  = dag.New("within", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, victim, in) })
)

// An ending is how the victim's task ends.
type ending struct {
	name   string
	in     int
	end    func(t *testing.T, b broker.Broker, ref broker.EntryRef) // nil: its handler ends it
	reason string                                                   // "": it does well
}

var endings = []ending{
	{name: "ok", in: 7},
	{name: "failed", in: unlucky, reason: "no luck"},
	{name: "cancelled", in: 7, reason: "was cancelled", end: acted(broker.Cancel)},
	{name: "deleted by hand", in: 7, reason: "was deleted before it was done", end: acted(broker.Delete)},
	{name: "archived by hand", in: 7, reason: "was archived by hand", end: acted(broker.Archive)},
	{name: "expired", in: 7, reason: "was archived as expired: too late", end: settled(broker.Expired, "too late")},
	{name: "poison", in: 7, reason: "was archived as poison: killed three", end: settled(broker.Poison, "killed three")},
}

func acted(act broker.Act) func(*testing.T, broker.Broker, broker.EntryRef) {
	return func(t *testing.T, b broker.Broker, ref broker.EntryRef) { move(t, b, ref, act) }
}

// settled has an entry end as a server that has leased it finds that it must.
func settled(end broker.End, why string) func(*testing.T, broker.Broker, broker.EntryRef) {
	return func(t *testing.T, b broker.Broker, ref broker.EntryRef) {
		now := time.Now()
		want := broker.LeaseRequest{Queues: []broker.Share{{Queue: ref.Queue}}, Max: 1, Until: now.Add(10 * time.Second)}
		applied, err := b.Apply(t.Context(), now, nil, want)
		if err != nil || len(applied.Leases) != 1 || applied.Leases[0].Entry.EntryRef != ref {
			t.Fatalf("lease %s: %v, %v", ref, applied.Leases, err)
		}
		s := broker.Settlement{Token: applied.Leases[0].Token, Entry: applied.Leases[0].Entry, To: broker.Archived, End: end}
		s.Entry.LastErr = why
		applied, err = b.Apply(t.Context(), now, []broker.Change{{Settle: []broker.Settlement{s}}}, broker.LeaseRequest{})
		if err != nil || applied.Outcomes[0] != nil {
			t.Fatalf("settle %s as %v: %v, %v", ref, end, applied.Outcomes, err)
		}
	}
}

// serveQueue starts a server on b for one queue more.
func serveQueue(t *testing.T, b broker.Broker, name string, flows ...workflow.Registrable) {
	t.Helper()
	mux := task.NewMux()
	workflow.Register(mux, flows...)
	srv, err := queue.NewServer(b, queue.Config{Concurrency: 8, Queues: map[string]int{name: 1}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(mux); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
	})
}

// firstIn waits for an entry in a queue that nobody serves, and returns it.
func firstIn(t *testing.T, b broker.Broker, name string) broker.EntryRef {
	t.Helper()
	for range 1000 {
		found, err := b.List(t.Context(), broker.ListRequest{Queue: name, State: task.Pending, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			return found[0].EntryRef
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nothing has come into queue %s", name)
	return broker.EntryRef{}
}

// quiet demands that nothing is left open of a run, that no run goes on, and that
// storage holds together.
func quiet(t *testing.T, b broker.Broker, h workflow.Handle) {
	t.Helper()
	time.Sleep(recovery) // what fell asleep in a pause looks again
	page, err := b.OpenEntries(t.Context(), broker.OpenRequest{Home: broker.Home{Queue: h.Queue(), ID: h.ID}, Limit: 100})
	if len(page.Entries) > 0 || err != nil {
		t.Errorf("open of run %s, which has ended: %v, %v, want nothing", h.ID, page.Entries, err)
	}
	runs, err := workflow.Runs(t.Context(), queue.NewClient(b), workflow.RunsRequest{})
	for _, r := range runs.Runs {
		if !r.State.Ended() {
			t.Errorf("run %s of %s is %s, want that it has ended", r.ID, r.Workflow, r.State)
		}
	}
	if err != nil {
		t.Error(err)
	}
	sound(t, b)
}

// sound demands that storage holds together.
func sound(t *testing.T, b broker.Broker) {
	t.Helper()
	faults, err := b.(broker.Verifier).Verify(t.Context(), time.Now())
	if len(faults) > 0 || err != nil {
		t.Errorf("Verify() = %q, %v, want nothing", faults, err)
	}
}

// recovery is how long a run may take to see what has become of its steps.
const recovery = 25 * time.Second

func TestEveryEndOfAStepEndsTheRunWhereverItIs(t *testing.T) {
	for _, p := range places {
		for _, e := range endings {
			t.Run(p.name+", "+e.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, b broker.Broker) { meet(t, b, p, e) })
			})
		}
	}
}

func meet(t *testing.T, b broker.Broker, p place, e ending) {
	w := dag.New("meets", p.build)
	c := serve(t, b, w, victim)
	run, err := w.Start(t.Context(), c, e.in)
	if err != nil {
		t.Fatal(err)
	}
	ref := firstIn(t, b, "victims")
	if e.end != nil {
		e.end(t, b, ref)
	}
	serveQueue(t, b, "victims", w, victim)
	ctx, cancel := context.WithTimeout(t.Context(), recovery)
	defer cancel()
	got, err := run.Result(ctx)
	switch {
	case e.reason == "" || p.bad != 0:
		want := p.ok
		if e.reason != "" {
			want = p.bad
		}
		if got != want || err != nil {
			t.Errorf("Result() = %d, %v, want %d", got, err, want)
		}
	default:
		cause, ok := errors.AsType[*workflow.StepError](err)
		if !ok || cause.Step != p.step || cause.Item != p.item && p.item != anyItem || !strings.Contains(cause.Message, e.reason) {
			t.Errorf("Result() = %d, %v, want that step %s, item %d, %s", got, err, p.step, p.item, e.reason)
		}
	}
	if ctx.Err() != nil {
		explain(t, b)
		return
	}
	time.Sleep(recovery) // for what goes on beside the end of the run
	quiet(t, b, run.Handle)
}

func TestAnEmptyMapEndsAtOnceWhateverItsStep(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := dag.New("empty", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, sum, dag.Map(g, victim, dag.Const(g, []int{})))
		})
		run, err := w.Start(t.Context(), serve(t, b, w), 1) // nobody serves its queue
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got, err := run.Result(ctx); got != 0 || err != nil {
			t.Errorf("Result() = %d, %v, want 0", got, err)
		}
		quiet(t, b, run.Handle)
	})
}

// TestWhatIsSkippedEndsTheRunWhereverItIs: every place on an arm that is not taken.
func TestWhatIsSkippedEndsTheRunWhereverItIs(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				w := dag.New("skips", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
					return dag.Do(g, double, dag.If(g, dag.Const(g, false),
						func(g *dag.Graph) dag.Val[int] { return p.build(g, in) },
						func(*dag.Graph) dag.Val[int] { return in }))
				})
				run, err := w.Start(t.Context(), serve(t, b, w), 7)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), recovery)
				defer cancel()
				if got, err := run.Result(ctx); got != 14 || err != nil {
					t.Errorf("Result() = %d, %v, want 14", got, err)
				}
				status, err := run.Status(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range status.Steps[1 : len(status.Steps)-1] {
					if s.State != workflow.StepSkipped {
						t.Errorf("step %s is %v, want it skipped", s.Name, s.State)
					}
				}
				quiet(t, b, run.Handle)
			})
		})
	}
}

func TestAStepThatNobodyRunsIsSeenAndEndsWithTheDeadline(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			if strings.HasPrefix(p.name, "first") {
				return // it has another one that does well
			}
			inBubble(t, func(t *testing.T, b broker.Broker) {
				w := dag.New("waits", p.build, workflow.Deadline(time.Minute))
				run, err := w.Start(t.Context(), serve(t, b, w), 7)
				if err != nil {
					t.Fatal(err)
				}
				serveQueue(t, b, "victims", dag.New("other", func(_ *dag.Graph, in dag.Val[int]) dag.Val[int] { return in }))
				time.Sleep(50 * time.Second)
				waiting, err := b.List(t.Context(), broker.ListRequest{Queue: "victims", State: task.Retry, Limit: 10})
				if err != nil || len(waiting) == 0 || !strings.Contains(waiting[0].LastErr, "handler") {
					t.Errorf("List() = %v, %v, want a task that says that it has no handler", waiting, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), recovery)
				defer cancel()
				_, err = run.Result(ctx)
				if e, ok := errors.AsType[*workflow.RunError](err); !ok || e.State != workflow.TimedOut {
					t.Errorf("Result() = %v, want that it is too late", err)
				}
				quiet(t, b, run.Handle)
			})
		})
	}
}

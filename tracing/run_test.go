package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// work returns a step that takes a second.
func work[T any](name string, opts ...task.Option) workflow.Step[T, T] {
	return workflow.NewStep(name, func(_ context.Context, in T) (T, error) {
		time.Sleep(time.Second)
		return in, nil
	}, opts...)
}

// brief returns a step that is done well before anybody who waits for its run looks.
func brief[T any](name string) workflow.Step[T, T] {
	return workflow.NewStep(name, func(_ context.Context, in T) (T, error) {
		time.Sleep(100 * time.Millisecond)
		return in, nil
	})
}

// failing returns a step that takes a second and fails so often before it is done.
func failing[T any](name string, times int, opts ...task.Option) workflow.Step[T, T] {
	return workflow.NewStep(name, func(_ context.Context, in T) (T, error) {
		time.Sleep(time.Second)
		if times--; times >= 0 {
			return in, errors.New("not yet")
		}
		return in, nil
	}, opts...)
}

// release returns a step that undoes one, once it has failed so often.
func release(failures int) workflow.Step[workflow.Undo[string, string], workflow.None] {
	return workflow.NewStep("release", func(context.Context, workflow.Undo[string, string]) (none workflow.None, err error) {
		time.Sleep(time.Second)
		if failures--; failures >= 0 {
			err = errors.New("not yet")
		}
		return none, err
	}, task.MaxRetry(0))
}

var (
	payment  = workflow.NewSignal[string]("payment")
	approval = workflow.NewSignal[string]("approval")
)

// chain returns a workflow of steps one after another.
func chain(name string, steps ...workflow.Step[string, string]) workflow.Workflow[string, string] {
	return dag.New(name, func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
		for _, s := range steps {
			in = dag.Do(g, s, in)
		}
		return in
	})
}

// lines returns a step that gives so many numbers.
func lines(n int) workflow.Step[string, []int] {
	return workflow.NewStep("lines", func(context.Context, string) ([]int, error) {
		time.Sleep(time.Second)
		var all []int
		for i := range n {
			all = append(all, i)
		}
		return all, nil
	})
}

// total is a step that takes many.
var total = workflow.NewStep("total", func(_ context.Context, all []int) (string, error) {
	time.Sleep(time.Second)
	return fmt.Sprint(len(all)), nil
})

// order is a pipeline with most of what there is.
func order() workflow.Workflow[string, string] {
	reserve, shipping := work[int]("reserve", task.Queue("heavy")), chain("shipping", work[string]("label"))
	validate, thank := failing[string]("validate", 1), work[string]("thank")
	return dag.New("order", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
		packed := dag.Do(g, total, dag.Map(g, reserve, dag.Do(g, lines(3), dag.Do(g, validate, in))))
		paid := dag.Await(g, payment, time.Hour, dag.After(packed))
		approved := dag.Await(g, approval, time.Hour, dag.After(paid))
		rest := dag.Sleep(g, time.Hour, dag.As("cool-down"), dag.After(approved))
		return dag.Do(g, thank, dag.Do(g, shipping, packed, dag.After(rest), dag.As("ship")))
	})
}

// A play has runs of a workflow take place on a stage, with a client in a process "shop"
// and two servers.
type play struct {
	name   string
	flow   workflow.Workflow[string, string]
	config tracing.Config
	alone  bool // there is one server
	fold   bool // what is done side by side is written once
	act    func(t *testing.T, on *scene)
}

// A scene is where a play takes place. What it does, it does in the span of a request.
type scene struct {
	*stage
	t      *testing.T
	flow   workflow.Workflow[string, string]
	shop   *process
	client *queue.Client
	one    *mortal
	ctx    context.Context
}

func (s *scene) start(id string, opts ...workflow.StartOption) workflow.Run[string] {
	s.t.Helper()
	run, err := s.flow.Start(s.ctx, s.client, "in", append(opts, workflow.RunID(id))...)
	if err != nil {
		s.t.Fatal(err)
	}
	return run
}

// do demands that something is done.
func (s *scene) do(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// ends demands that the run ends in a state.
func (s *scene) ends(run workflow.Run[string], want workflow.State) {
	s.t.Helper()
	_ = run.Wait(s.t.Context())
	if status, err := run.Status(s.t.Context()); status.State != want || err != nil {
		s.t.Fatalf("State = %s, %v, want %s", status.State, err, want)
	}
}

func (p play) run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{stage: newStage(t, p.flow, extra), t: t, flow: p.flow}
		s.config = p.config
		s.shop, s.client = s.stage.client("shop")
		if s.one = s.server("one"); !p.alone {
			s.server("two")
		}
		time.Sleep(time.Minute) // until both wait for tasks
		ctx, request := s.shop.span(t.Context(), "POST /orders")
		s.ctx = ctx
		p.act(t, s)
		time.Sleep(time.Minute) // until all that was going to be recorded is
		request.End()
		s.expectAs(p.name, p.fold)
	})
}

func TestRuns(t *testing.T) {
	for _, p := range []play{
		{name: "an order", flow: order(), act: func(t *testing.T, s *scene) {
			run := s.start("r")
			time.Sleep(2 * time.Second)
			s.do(payment.Send(s.ctx, run, "paid"))
			time.Sleep(10 * time.Minute)
			s.do(approval.Send(t.Context(), run, "yes"))
			s.ends(run, workflow.Done)
		}},
		{name: "a step panics", flow: chain("panics", work[string]("first"), workflow.NewStep("second", func(context.Context, string) (string, error) {
			time.Sleep(time.Second)
			panic("oh")
		}, task.MaxRetry(0))), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Failed) }},
		{name: "a worker dies in a step", alone: true, config: tracing.Config{Detail: tracing.Minimal}, flow: chain("dies", work[string]("first"), work[string]("second")), act: func(_ *testing.T, s *scene) {
			run := s.start("r")
			time.Sleep(1500 * time.Millisecond)
			s.one.kill()
			time.Sleep(time.Minute)
			s.server("three")
			s.ends(run, workflow.Done)
		}},
		{name: "three workers die in a step", alone: true, flow: chain("deadly", work[string]("first"), workflow.NewStep("second", func(_ context.Context, in string) (string, error) {
			time.Sleep(time.Minute)
			return in, nil
		})), act: func(_ *testing.T, s *scene) {
			run := s.start("r")
			for m, more := s.one, []string{"three", "four", "five"}; len(more) > 0; more = more[1:] {
				time.Sleep(20 * time.Second)
				m.kill()
				time.Sleep(time.Minute)
				m = s.server(more[0])
			}
			s.ends(run, workflow.Done)
		}},
		{name: "a run is cancelled", flow: dag.New("cancelled", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
			tried := dag.Do(g, failing[string]("tried", 9), in)
			active := dag.Do(g, workflow.NewStep("active", func(ctx context.Context, in string) (string, error) {
				<-ctx.Done()
				return in, context.Cause(ctx)
			}), in)
			waiting := dag.Await(g, payment, 0)
			return dag.Join3(g, tried, active, waiting, func(a, b, c string) string { return a + b + c })
		}), act: func(t *testing.T, s *scene) {
			run := s.start("r")
			time.Sleep(10 * time.Second)
			s.do(run.Cancel(t.Context()))
			s.ends(run, workflow.Cancelled)
		}},
		{name: "a run is too late", flow: dag.New("late", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
			return dag.Do(g, failing[string]("never", 9), in)
		}, workflow.Deadline(90*time.Second)), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.TimedOut) }},
		{name: "a run fails and is retried", flow: chain("retried", work[string]("first"), failing[string]("second", 1, task.MaxRetry(0)), work[string]("third")),
			act: func(t *testing.T, s *scene) {
				run := s.start("r")
				s.ends(run, workflow.Failed)
				time.Sleep(time.Minute)
				s.do(run.Retry(t.Context()))
				s.ends(run, workflow.Done)
			}},
		{name: "what was done is undone", flow: chain("undone",
			workflow.Reversible(work[string]("book"), release(0)), failing[string]("charge", 1, task.MaxRetry(0))), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Failed) }},
		{name: "a loop goes round", flow: dag.New("loop", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
			first := dag.Do(g, work[string]("first"), in)
			round := workflow.NewStep("round", func(_ context.Context, in string) (string, error) {
				time.Sleep(time.Second)
				return in + "+", nil
			})
			return dag.Do(g, work[string]("last"), dag.Until(g, round, first, func(v string) bool { return v == "in+++" }, 5))
		}), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Done) }},
		{name: "an arm is taken", flow: dag.New("choice", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
			first := dag.Do(g, work[string]("first"), in)
			chosen := dag.If(g, dag.Pick(g, first, func(v string) bool { return v == "in" }),
				func(g *dag.Graph) dag.Val[string] { return dag.Do(g, work[string]("yes"), first) },
				func(g *dag.Graph) dag.Val[string] { return dag.Do(g, work[string]("no"), first) })
			return dag.Do(g, work[string]("last"), chosen)
		}), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Done) }},
		{name: "the first of several counts", flow: dag.New("first", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
			fast, slow := dag.Do(g, work[string]("fast"), in), dag.Do(g, failing[string]("slow", 9), dag.Do(g, work[string]("slower"), in))
			return dag.Do(g, work[string]("last"), dag.First(g, []dag.Val[string]{slow, fast}))
		}), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Done) }},
		{name: "a step is skipped by hand", flow: chain("skipped", work[string]("first"), failing[string]("second", 9), work[string]("third")),
			act: func(t *testing.T, s *scene) {
				run := s.start("r")
				time.Sleep(10 * time.Second)
				s.do(run.Skip(t.Context(), "second", []byte(`"given"`)))
				s.ends(run, workflow.Done)
			}},
		{name: "a run is paused", flow: chain("paused", work[string]("first"), work[string]("second"), work[string]("third")),
			act: func(t *testing.T, s *scene) {
				run := s.start("r")
				time.Sleep(500 * time.Millisecond)
				s.do(run.Pause(t.Context()))
				time.Sleep(time.Minute)
				s.do(run.Resume(t.Context()))
				s.ends(run, workflow.Done)
			}},
		{name: "a run is paused as a step waits", flow: chain("asleep", failing[string]("first", 1), work[string]("second")),
			act: func(t *testing.T, s *scene) {
				run := s.start("r")
				time.Sleep(10 * time.Second)
				s.do(run.Pause(t.Context()))
				time.Sleep(2 * time.Minute)
				s.do(run.Resume(t.Context()))
				s.ends(run, workflow.Done)
			}},
		{name: "a step adds others", flow: chain("adds", workflow.NewStep("plan", func(ctx context.Context, in string) (string, error) {
			time.Sleep(time.Second)
			return in, workflow.Add(ctx, extra.With(in), extra.With(in))
		}), work[string]("last")), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Done) }},
		{name: "no signal comes", flow: dag.New("vain", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
			return dag.Await(g, payment, time.Hour, dag.After(dag.Do(g, work[string]("first"), in)))
		}), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Failed) }},
		{name: "a run within the run fails", flow: dag.New("outer", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
			return dag.Do(g, chain("inner", work[string]("first"), failing[string]("second", 1, task.MaxRetry(0))), in)
		}), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Failed) }},
		{name: "a step cannot be undone, and then can", flow: chain("stuck",
			workflow.Reversible(work[string]("book"), release(1)), failing[string]("charge", 1, task.MaxRetry(0))),
			act: func(t *testing.T, s *scene) {
				run := s.start("r")
				s.ends(run, workflow.Stuck)
				time.Sleep(time.Minute)
				s.do(run.Resume(t.Context()))
				s.ends(run, workflow.Failed)
			}},
	} {
		t.Run(p.name, p.run)
	}
}

// extra is a step that steps add.
var extra = work[string]("extra")

package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A scenario is what three processes do together: one that produces, one that serves the
// queue "front", and one that serves the queue "back".
type scenario struct {
	name    string
	flow    workflow.Registrable        // which both workers know; nil: none
	handles map[string]task.HandlerFunc // by type
	produce func(ctx context.Context, p producer) error
	kills   bool // the process behind is killed once it has begun, and another one started
}

var scenarios = []scenario{
	{
		name:    "a fan-out of fifty",
		flow:    squares,
		produce: func(ctx context.Context, p producer) error { return finished(ctx, p, squares, 50) },
	},
	{
		name: "a batch over five runs",
		flow: embedding,
		produce: func(ctx context.Context, p producer) error {
			return p.request(ctx, func(ctx context.Context) error {
				var runs []workflow.Run[[]int]
				for i := range 5 {
					run, err := embedding.Start(ctx, p.client, []int{i, i, i, i})
					if err != nil {
						return err
					}
					runs = append(runs, run)
				}
				for _, run := range runs {
					if _, err := run.Result(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		},
	},
	{
		name: "a retry",
		handles: map[string]task.HandlerFunc{"mail": func(ctx context.Context, _ *task.Task) error {
			if n, _ := task.GetRetryCount(ctx); n < 2 {
				return errBusy
			}
			return nil
		}},
		produce: func(ctx context.Context, p producer) error { return ended(ctx, p, "mail", task.MaxRetry(5)) },
	},
	{
		name:    "a panic",
		handles: map[string]task.HandlerFunc{"risky": func(context.Context, *task.Task) error { panic("no") }},
		produce: func(ctx context.Context, p producer) error { return ended(ctx, p, "risky", task.MaxRetry(1)) },
	},
	{
		name: "a run that is cancelled",
		flow: long,
		produce: func(ctx context.Context, p producer) error {
			return p.request(ctx, func(ctx context.Context) error {
				run, err := long.Start(ctx, p.client, 1)
				if err != nil {
					return err
				}
				if err := errors.Join(p.await(ctx, "began"), run.Cancel(ctx)); err != nil {
					return err
				}
				_, err = run.Result(ctx)
				if ended, ok := errors.AsType[*workflow.RunError](err); !ok || ended.State != workflow.Cancelled {
					return fmt.Errorf("the run is not cancelled: %w", err)
				}
				return nil
			})
		},
	},
	{
		name: "a signal that came early",
		flow: waiting,
		produce: func(ctx context.Context, p producer) error {
			return p.request(ctx, func(ctx context.Context) error {
				run, err := waiting.Start(ctx, p.client, 1)
				if err != nil {
					return err
				}
				if err := errors.Join(pause(ctx), goAhead.Send(ctx, run, 7), p.open("sent")); err != nil {
					return err
				}
				_, err = run.Result(ctx)
				return err
			})
		},
	},
	{
		name:    "a tick",
		flow:    nightly,
		produce: tickOnce,
	},
	{
		name:    "a run within a run",
		flow:    outer,
		produce: func(ctx context.Context, p producer) error { return finished(ctx, p, outer, 3) },
	},
	{
		name:    "a worker that is killed",
		flow:    fragile,
		produce: func(ctx context.Context, p producer) error { return finished(ctx, p, fragile, 3) },
		kills:   true,
	},
}

var errBusy = errors.New("busy")

// The steps take some time, so that one begins after the other.
var (
	inBack = task.Queue("back")

	list = workflow.NewStep("list", func(ctx context.Context, n int) ([]int, error) { return make([]int, n), pause(ctx) })
	sum  = workflow.NewStep("sum", func(ctx context.Context, ns []int) (int, error) { return len(ns), pause(ctx) })

	square = workflow.NewStep("square", func(ctx context.Context, n int) (int, error) { return n * n, pause(ctx) }, inBack)
	count  = workflow.NewStep("count", func(ctx context.Context, n int) (int, error) { return n, pause(ctx) }, inBack)

	embed = workflow.Batched("embed", workflow.Batch{MaxSize: 20, MaxWait: time.Hour}, func(ctx context.Context, ns []int) ([]workflow.Result[int], error) {
		return make([]workflow.Result[int], len(ns)), pause(ctx)
	}, inBack)

	endless = workflow.NewStep("endless", func(ctx context.Context, n int) (int, error) {
		if err := here.open("began"); err != nil {
			return 0, err
		}
		<-ctx.Done()
		return n, context.Cause(ctx)
	}, inBack)

	prepare = workflow.NewStep("prepare", func(ctx context.Context, n int) (int, error) {
		return n, errors.Join(here.await(ctx, "sent"), pause(ctx))
	}, inBack)

	// hold holds the first process that it is run in until that is killed.
	hold = workflow.NewStep("hold", func(ctx context.Context, n int) (int, error) {
		if here.isOpen("began") {
			return n, pause(ctx)
		}
		if err := here.open("began"); err != nil {
			return 0, err
		}
		<-ctx.Done()
		return 0, context.Cause(ctx)
	}, inBack)

	goAhead = workflow.NewSignal[int]("go")
)

// The workflows are kept beside the queue "front", and all end there.
var (
	inFront = workflow.Queue("front")

	squares = dag.New("squares", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, square, dag.Do(g, list, in)))
	}, inFront)
	embedding = dag.New("embedding", func(g *dag.Graph, in dag.Val[[]int]) dag.Val[[]int] {
		return dag.Map(g, embed, in)
	}, inFront)
	long = dag.New("long", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, count, dag.Do(g, endless, in))
	}, inFront)
	waiting = dag.New("waiting", func(g *dag.Graph, in dag.Val[int]) dag.Val[[]int] {
		return dag.Do(g, list, dag.Await(g, goAhead, time.Hour, dag.After(dag.Do(g, prepare, in))))
	}, inFront)
	nightly = dag.New("nightly", func(g *dag.Graph, in dag.Val[int]) dag.Val[[]int] {
		return dag.Do(g, list, dag.Do(g, count, in))
	}, inFront)
	outer = dag.New("outer", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Do(g, nightly, in))
	}, inFront)
	fragile = dag.New("fragile", func(g *dag.Graph, in dag.Val[int]) dag.Val[[]int] {
		return dag.Do(g, list, dag.Do(g, hold, in))
	}, inFront)
)

// finished starts a run in a request, and waits for its result in it.
func finished[In, Out any](ctx context.Context, p producer, flow workflow.Workflow[In, Out], in In) error {
	return p.request(ctx, func(ctx context.Context) error {
		run, err := flow.Start(ctx, p.client, in)
		if err != nil {
			return err
		}
		_, err = run.Result(ctx)
		return err
	})
}

// ended enqueues a task in a request, and waits for its end however that is.
func ended(ctx context.Context, p producer, typ string, options ...task.Option) error {
	return p.request(ctx, func(ctx context.Context) error {
		info, err := p.client.Enqueue(ctx, task.New(typ, nil), append(options, inBack, task.Retention(time.Hour))...)
		if err != nil {
			return err
		}
		_, err = p.client.Wait(ctx, info)
		if _, failed := errors.AsType[*queue.FailedError](err); failed {
			return nil
		}
		return err
	})
}

// tickOnce has a scheduler run until the run of its entry's only tick has ended.
func tickOnce(ctx context.Context, p producer) error {
	s := periodic.New(p.client, periodic.Config{})
	at := time.Now().Truncate(time.Second).Add(2 * time.Second)
	err := s.Register(periodic.Entry{
		Name: "every-night", Schedule: "* * * * * *", Start: at, End: at.Add(time.Second / 2),
		Type: workflow.StartType(nightly.Name()), Payload: periodic.JSON(func(periodic.Tick) int { return 3 }),
		Options: []task.Option{task.Queue("front")},
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		defer stop()
		ended <- until(ctx, "the run of the tick has ended", func() (bool, error) {
			page, err := workflow.Runs(ctx, p.client, workflow.RunsRequest{Queue: "front", State: workflow.Done})
			return len(page.Runs) > 0, err
		})
	}()
	return errors.Join(queue.Run(ctx, s), <-ended)
}

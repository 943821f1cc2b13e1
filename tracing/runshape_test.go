package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/internal/tracetree"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// fan returns a workflow that runs a step for each of so many.
func fan(name string, width int, each workflow.Step[int, int], opts ...dag.Option) workflow.Workflow[string, string] {
	return dag.New(name, func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
		return dag.Do(g, total, dag.Map(g, each, dag.Do(g, lines(width), in), opts...))
	})
}

// together is a step that shares its work.
var together = workflow.Batched("together", workflow.Batch{MaxSize: 20, MaxWait: 10 * time.Second},
	func(_ context.Context, in []int) ([]workflow.Result[int], error) {
		time.Sleep(time.Second)
		return make([]workflow.Result[int], len(in)), nil
	})

func TestRunsOfManySteps(t *testing.T) {
	var mended atomic.Bool
	odd := workflow.NewStep("item", func(_ context.Context, n int) (int, error) {
		time.Sleep(time.Second)
		if n%2 == 1 && !mended.Load() {
			return 0, errors.New("odd")
		}
		return n, nil
	}, task.MaxRetry(0))
	for _, p := range []play{
		{name: "fifty items", fold: true, flow: fan("fifty", 50, work[int]("item")), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Done) }},
		{name: "more items than links", fold: true, flow: fan("many", 130, work[int]("item")), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Done) }},
		{name: "batches over five runs", fold: true, config: tracing.Config{Detail: tracing.Minimal}, flow: fan("shared", 4, together), act: func(_ *testing.T, s *scene) {
			var runs []workflow.Run[string]
			for i := range 5 {
				runs = append(runs, s.start(fmt.Sprint("r", i)))
			}
			for _, run := range runs {
				s.ends(run, workflow.Done)
			}
		}},
		{name: "some items fail and are retried", fold: true, flow: fan("some", 4, odd, dag.FinishAll()),
			act: func(t *testing.T, s *scene) {
				run := s.start("r")
				s.ends(run, workflow.Failed)
				mended.Store(true)
				time.Sleep(time.Minute)
				s.do(run.Retry(t.Context()))
				s.ends(run, workflow.Done)
			}},
	} {
		t.Run(p.name, p.run)
	}
}

func TestRunsAreStartedInManyWays(t *testing.T) {
	simple := chain("simple", work[string]("step"))
	for _, p := range []play{
		{name: "a run joins the trace of its start", config: tracing.Config{Joined: true}, flow: simple,
			act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Done) }},
		{name: "a run begins later", config: tracing.Config{Joined: true}, flow: simple,
			act: func(_ *testing.T, s *scene) {
				s.ends(s.start("r", workflow.At(time.Now().Add(time.Hour))), workflow.Done)
			}},
		{name: "a run exists", flow: simple, act: func(_ *testing.T, s *scene) {
			s.start("r")
			s.ends(s.start("r"), workflow.Done)
			s.start("r")
		}},
		{name: "many runs are started together", fold: true, flow: simple, act: func(t *testing.T, s *scene) {
			s.start("r1")
			runs, err := s.flow.StartMany(s.ctx, s.client, []string{"in", "in", "in"}, []string{"r0", "r1", "r2"})
			s.do(err)
			for _, run := range runs {
				s.ends(run, workflow.Done)
			}
		}},
		{name: "a task starts a run", flow: simple, act: func(t *testing.T, s *scene) {
			made, err := s.flow.StartTask("in", task.ID("t"))
			s.do(err)
			_, err = s.client.Enqueue(s.ctx, made)
			s.do(err)
			time.Sleep(10 * time.Second)
			s.ends(s.flow.Open(s.client, "t"), workflow.Done)
		}},
		{name: "nobody has traced the start", config: tracing.Config{}, flow: simple, act: func(t *testing.T, s *scene) {
			run, err := s.flow.Start(t.Context(), queue.NewClient(s.storage), "in")
			s.do(err)
			s.ends(run, workflow.Done)
		}},
		{name: "all is told", config: tracing.Config{Detail: tracing.Full}, fold: true, flow: fan("full", 2, work[int]("item")),
			act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Done) }},
		{name: "a run grows too old", config: tracing.Config{MaxTraceAge: 48 * time.Hour}, flow: dag.New("old", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
			rest := dag.Sleep(g, 72*time.Hour, dag.After(dag.Do(g, work[string]("first"), in)))
			second := dag.Do(g, failing[string]("second", 1), in, dag.After(rest))
			return dag.Do(g, work[string]("last"), dag.Do(g, simple, second))
		}), act: func(_ *testing.T, s *scene) { s.ends(s.start("r"), workflow.Done) }},
	} {
		t.Run(p.name, p.run)
	}
}

func TestATickStartsARunInItsTrace(t *testing.T) {
	play{name: "a tick starts a run", config: tracing.Config{Detail: tracing.Minimal}, flow: chain("nightly", brief[string]("step")), act: func(t *testing.T, s *scene) {
		_, client := s.stage.client("cron")
		scheduler := periodic.New(client, periodic.Config{Logger: slog.New(slog.DiscardHandler)})
		s.do(scheduler.Register(periodic.Entry{
			Name: "night", Schedule: "@every 1h", Overlap: periodic.SkipOverlap,
			Type: workflow.StartType("nightly"), Payload: periodic.Bytes([]byte(`"in"`)),
		}))
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan error)
		go func() { over <- scheduler.Run(ctx) }()
		time.Sleep(90 * time.Minute)
		stop()
		if err := <-over; err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}}.run(t)
}

// A run whose entries are deleted behind its back has no span without a parent.
func TestAStepThatIsDeletedByHandIsTold(t *testing.T) {
	play{name: "a step is deleted by hand", flow: chain("deleted", failing[string]("tried", 9)), act: func(t *testing.T, s *scene) {
		run := s.start("r")
		time.Sleep(10 * time.Second)
		page, err := s.storage.OpenEntries(t.Context(), broker.OpenRequest{Home: broker.Home{Queue: "default", ID: "r"}, Limit: 10})
		s.do(err)
		for _, e := range page.Entries {
			applied, err := s.storage.Apply(t.Context(), time.Now(), []broker.Change{{Move: []broker.Move{{EntryRef: e, Do: broker.Delete}}}}, broker.LeaseRequest{})
			s.do(errors.Join(append(applied.Outcomes, err)...))
		}
		s.ends(run, workflow.Failed)
	}}.run(t)
}

// Without the options of the package, all hangs below the start, and nothing in the air.
func TestRunsWithoutOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flow := fan("plain", 2, work[int]("item"))
		s := newStage(t, flow)
		quiet := tracing.Config{Logger: slog.New(slog.DiscardHandler)}
		shop, worker := s.site.start("shop", quiet), s.site.start("worker", quiet)
		s.serverOf(worker)
		client := queue.NewClient(s.storage)
		client.Tracer = shop.Tracer
		time.Sleep(time.Minute)
		ctx, request := shop.span(t.Context(), "POST /orders")
		run, err := flow.Start(ctx, client, "in")
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		request.End()
		time.Sleep(time.Minute)
		for _, fault := range tracetree.Check(s.spans()) {
			if !strings.Contains(fault, "which is not within its") { // that is the price
				t.Error(fault)
			}
		}
		var names []string
		for _, span := range s.spans() {
			names = append(names, span.Name)
		}
		slices.Sort(names)
		want := []string{"POST /orders", "process default", "process default", "process default", "process default", "send default", "start plain", "workflow plain"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("spans (-want +got):\n%s", diff)
		}
	})
}

func TestARunIsSampledAsAWholeOrNotAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flow := fan("whole", 2, work[int]("item"))
		s := newStage(t, flow)
		half, none := sdktrace.TraceIDRatioBased(0.5), sdktrace.NeverSample()
		shop := s.process("shop", half, tracing.Config{})
		s.serverOf(s.process("one", none, tracing.Config{}))
		s.serverOf(s.process("two", sdktrace.ParentBased(none), tracing.Config{}))
		client := queue.NewClient(s.storage)
		client.Tracer = shop.Tracer
		const runs = 60
		for i := range runs {
			if _, err := flow.Start(t.Context(), client, "in", workflow.RunID(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Minute)
		s.check()
		sampled := map[string]int{}
		for _, span := range s.spans() {
			sampled[span.Trace]++
		}
		whole := 0
		for _, n := range sampled {
			if n > 1 { // the start is in a trace of its own
				whole++
				if n != 1+4*3+1 {
					t.Errorf("a trace has %d spans, want all %d or none", n, 1+4*3+1)
				}
			}
		}
		if whole == 0 || whole == runs {
			t.Errorf("%d of %d runs are sampled, want about half", whole, runs)
		}
	})
}

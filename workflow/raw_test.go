package workflow_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A handler of tasks as any queue has them: it appends its name to its payload, with a
// byte that is no text.
func appends(name string, seen *sync.Map) func(context.Context, *task.Task) error {
	return func(_ context.Context, t *task.Task) error {
		if seen != nil {
			seen.Store(name, bytes.Clone(t.Payload()))
		}
		_, err := t.ResultWriter().Write(append(append(bytes.Clone(t.Payload()), 0xff), name...))
		return err
	}
}

// rawChain has three raw steps, each of which gets what the one before wrote.
func rawChain(seen *sync.Map) workflow.Workflow[[]byte, []byte] {
	raw := func(name string) workflow.Step[[]byte, []byte] {
		return workflow.Raw(name, appends(name, seen), task.Retention(time.Hour))
	}
	return dag.New("raw", func(g *dag.Graph, in dag.Val[[]byte]) dag.Val[[]byte] {
		return dag.Do(g, raw("c"), dag.Do(g, raw("b"), dag.Do(g, raw("a"), in)))
	})
}

func TestRawStepsHandOnWhatTheyWrite(t *testing.T) {
	for name, open := range brokers {
		t.Run(name, func(t *testing.T) {
			b, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			testRawChain(t, b)
		})
	}
	t.Run("model", func(t *testing.T) { inBubble(t, testRawChain) })
}

func testRawChain(t *testing.T, b broker.Broker) {
	var seen sync.Map
	w := rawChain(&seen)
	run, err := w.Start(t.Context(), serve(t, b, w), []byte("in\x00"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := run.Result(t.Context())
	if want := "in\x00\xffa\xffb\xffc"; string(got) != want || err != nil {
		t.Errorf("Result() = %q, %v, want %q", got, err, want)
	}
	for step, want := range map[string]string{"a": "in\x00", "b": "in\x00\xffa", "c": "in\x00\xffa\xffb"} {
		if got, _ := seen.Load(step); string(got.([]byte)) != want {
			t.Errorf("step %s received %q, want %q", step, got, want)
		}
	}
	page, err := queue.NewInspector(b).List(t.Context(), queue.ListQuery{Queue: "default", State: task.Completed})
	if err != nil || len(page.Tasks) != 3 {
		t.Fatalf("List(completed) = %v, %v, want three tasks", page, err)
	}
	for _, info := range page.Tasks {
		want := map[string]string{"a": "in\x00\xffa", "b": "in\x00\xffa\xffb", "c": "in\x00\xffa\xffb\xffc"}[info.Type]
		if string(info.Result) != want {
			t.Errorf("task %s has the result %q, want %q", info.Type, info.Result, want)
		}
	}
}

func TestWhatARawStepWritesInAnAttemptThatFailsIsHandedOnToNobody(t *testing.T) {
	var tries atomic.Int32
	flaky := workflow.Raw("flaky", func(_ context.Context, t *task.Task) error {
		if tries.Add(1) == 1 {
			_, _ = t.ResultWriter().Write([]byte("half"))
			return errSome
		}
		return nil
	})
	hopeless := workflow.Raw("hopeless", func(_ context.Context, t *task.Task) error {
		_, _ = t.ResultWriter().Write([]byte("half"))
		return fmt.Errorf("%w: %w", errSome, task.SkipRetry)
	})
	size := func(o workflow.Outcome[[]byte]) int {
		if o.Failure != nil {
			return -1
		}
		return len(o.Value)
	}
	for step, want := range map[*workflow.Step[[]byte, []byte]]int{&flaky: 0, &hopeless: -1} {
		w := dag.New("w", func(g *dag.Graph, in dag.Val[[]byte]) dag.Val[int] {
			return dag.Pick(g, dag.Try(g, dag.Do(g, *step, in)), size)
		})
		inBubble(t, func(t *testing.T, b broker.Broker) {
			run, err := w.Start(t.Context(), serve(t, b, w), []byte("in"))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := run.Result(t.Context()); got != want || err != nil {
				t.Errorf("%s: Result() = %d, %v, want %d", step.Name(), got, err, want)
			}
		})
	}
}

func TestRawAndTypedStepsMix(t *testing.T) {
	silent := workflow.Raw("silent", func(context.Context, *task.Task) error { return nil })
	mark := workflow.Raw("mark", appends("!", nil))
	toBytes := workflow.NewStep("bytes", func(_ context.Context, n int) ([][]byte, error) {
		return bytes.Split(bytes.Repeat([]byte("x,"), n), []byte(",")), nil
	})
	count := workflow.NewStep("count", func(_ context.Context, b []byte) (int, error) { return len(b), nil })
	join := func(l [][]byte) []byte { return bytes.Join(l, []byte("+")) }
	inner := dag.New("inner", func(g *dag.Graph, in dag.Val[[]byte]) dag.Val[[]byte] { return dag.Do(g, mark, in) })
	for name, c := range map[string]struct {
		build func(g *dag.Graph, in dag.Val[int]) dag.Val[[]byte]
		want  string
	}{
		"items of a map": {func(g *dag.Graph, in dag.Val[int]) dag.Val[[]byte] {
			return dag.Pick(g, dag.Map(g, mark, dag.Do(g, toBytes, in)), join)
		}, "x\xff!+x\xff!+\xff!"},
		"items of a map, in a sub-workflow": {func(g *dag.Graph, in dag.Val[int]) dag.Val[[]byte] {
			return dag.Pick(g, dag.Map(g, inner, dag.Do(g, toBytes, in)), join)
		}, "x\xff!+x\xff!+\xff!"},
		"a sub-workflow": {func(g *dag.Graph, in dag.Val[int]) dag.Val[[]byte] {
			return dag.Do(g, mark, dag.Do(g, inner, dag.Pick(g, dag.Do(g, toBytes, in), join)))
		}, "x+x+\xff!\xff!"},
		"tried items": {func(g *dag.Graph, in dag.Val[int]) dag.Val[[]byte] {
			return dag.Pick(g, dag.MapTry(g, mark, dag.Do(g, toBytes, in)), func(l []workflow.Outcome[[]byte]) []byte { return l[1].Value })
		}, "x\xff!"},
		"nothing written": {func(g *dag.Graph, in dag.Val[int]) dag.Val[[]byte] {
			return dag.Do(g, mark, dag.Do(g, silent, dag.Pick(g, dag.Do(g, toBytes, in), join)))
		}, "\xff!"},
		"an arm": {func(g *dag.Graph, in dag.Val[int]) dag.Val[[]byte] {
			n := dag.Do(g, count, dag.Do(g, mark, dag.Const(g, []byte("abc"))))
			return dag.If(g, dag.Pick(g, n, func(n int) bool { return n == 5 }),
				func(g *dag.Graph) dag.Val[[]byte] { return dag.Do(g, mark, dag.Const(g, []byte{})) },
				func(g *dag.Graph) dag.Val[[]byte] { return dag.Const(g, []byte("no")) })
		}, "\xff!"},
		"a loop": {func(g *dag.Graph, in dag.Val[int]) dag.Val[[]byte] {
			return dag.Until(g, mark, dag.Const(g, []byte("a")), func(b []byte) bool { return len(b) > 6 }, 9)
		}, "a\xff!\xff!\xff!"},
		"the first": {func(g *dag.Graph, in dag.Val[int]) dag.Val[[]byte] {
			return dag.First(g, []dag.Val[[]byte]{dag.Do(g, mark, dag.Const(g, []byte("a"))), dag.Do(g, mark, dag.Const(g, []byte("a")))})
		}, "a\xff!"},
	} {
		t.Run(name, func(t *testing.T) {
			w := dag.New("w", c.build)
			inBubble(t, func(t *testing.T, b broker.Broker) {
				run, err := w.Start(t.Context(), serve(t, b, w), 2)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := run.Result(t.Context()); string(got) != c.want || err != nil {
					t.Errorf("Result() = %q, %v, want %q", got, err, c.want)
				}
			})
		})
	}
}

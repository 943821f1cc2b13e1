package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// fill gives a text of so many bytes, two more as JSON.
var fill = workflow.NewStep("fill", func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil })

// fills gives two of them, and measure how long each is.
var (
	fills = workflow.NewStep("fills", func(_ context.Context, n int) ([]string, error) {
		s := strings.Repeat("x", n)
		return []string{s, s}, nil
	})
	measure = workflow.NewStep("measure", func(_ context.Context, s string) (int, error) { return len(s), nil })
	lengths = workflow.NewStep("lengths", func(_ context.Context, l []string) (int, error) { return len(strings.Join(l, "")), nil })
)

func textLength(s string) int { return len(s) }

// wantStepFailure demands that a run fails because of a step, for reasons.
func wantStepFailure[Out any](t *testing.T, run workflow.Run[Out], step string, reasons ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err := run.Result(ctx)
	cause, ok := errors.AsType[*workflow.StepError](err)
	if !ok || cause.Step != step {
		t.Errorf("Result() = %v, want a StepError of %s", err, step)
		return
	}
	for _, reason := range reasons {
		if !strings.Contains(cause.Message, reason) {
			t.Errorf("Result() = %v, want it to say %s", err, reason)
		}
	}
}

func TestMaxOutputFailsTheStepThatGivesMore(t *testing.T) {
	for name, c := range map[string]struct {
		build   func(g *dag.Graph, in dag.Val[int]) dag.Val[int]
		in      int
		step    string // that fails; "": none
		reasons []string
	}{
		"an output that just fits": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, measure, dag.Do(g, fill, in)) }, 98, "", nil},
		"an output of one too many": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, measure, dag.Do(g, fill, in)) }, 99, "fill",
			[]string{"size of the output of step fill 101: is more than 100 bytes"}},
		"a list that a map takes": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, sum, dag.Map(g, measure, dag.Do(g, fills, in)))
		}, 98, "", nil},
		"a list in an arm that a map takes": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			list := dag.If(g, dag.Pick(g, in, even),
				func(g *dag.Graph) dag.Val[[]string] { return dag.Do(g, fills, in) },
				func(g *dag.Graph) dag.Val[[]string] { return dag.Const(g, []string{}) })
			return dag.Do(g, sum, dag.Map(g, measure, list))
		}, 98, "", nil},
		"a list that a map takes, with an element of one too many": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, sum, dag.Map(g, measure, dag.Do(g, fills, in)))
		}, 99, "fills", []string{"element 0 of the output of step fills 101: is more than 100 bytes"}},
		"a list that another takes, too": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			list := dag.Do(g, fills, in)
			return dag.Join2(g, dag.Do(g, sum, dag.Map(g, measure, list)), dag.Do(g, lengths, list), add)
		}, 98, "fills", []string{"203"}},
		"what a map gives": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, lengths, dag.Map(g, fill, dag.Pick(g, in, func(n int) []int { return []int{n, n} })))
		}, 98, "", nil},
		"an item's output of one too many": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, lengths, dag.Map(g, fill, dag.Pick(g, in, func(n int) []int { return []int{n, n} })))
		}, 99, "fill", []string{"101"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := dag.New("w", c.build, workflow.MaxOutput(100))
			inBubble(t, func(t *testing.T, b broker.Broker) {
				run, err := w.Start(t.Context(), serve(t, b, w), c.in)
				if err != nil {
					t.Fatal(err)
				}
				if c.step != "" {
					wantStepFailure(t, run, c.step, c.reasons...)
				} else if _, err := run.Result(t.Context()); err != nil {
					t.Errorf("Result() = %v, want no error", err)
				}
			})
		})
	}
}

func TestMaxOutputHoldsForInputsAndResults(t *testing.T) {
	small := workflow.MaxOutput(100)
	echo := dag.New("echo", func(_ *dag.Graph, in dag.Val[string]) dag.Val[string] { return in }, small)
	mapped := dag.New("mapped", func(g *dag.Graph, in dag.Val[[]string]) dag.Val[[]string] {
		return dag.Map(g, workflow.NewStep("same", func(_ context.Context, s string) (string, error) { return s, nil }), in)
	}, small)
	twice := dag.New("twice", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
		return dag.Pick(g, in, func(s string) string { return s + s })
	}, small)
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, echo, mapped, twice)
		long := strings.Repeat("x", 98)
		if _, err := echo.Start(t.Context(), c, long+"x"); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Start() with an input of 101 bytes = %v, want ErrInvalid", err)
		}
		if _, err := mapped.Start(t.Context(), c, []string{long, long + "x"}); !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), "element 1") {
			t.Errorf("Start() with an element of 101 bytes = %v, want ErrInvalid of element 1", err)
		}
		run, err := mapped.Start(t.Context(), c, []string{long, long})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); len(got) != 2 || err != nil {
			t.Errorf("Result() = %q, %v, want two elements", got, err)
		}
		again, err := twice.Start(t.Context(), c, long)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Result(t.Context()); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), "size of the result of workflow twice 198") {
			t.Errorf("Result() of 198 bytes = %v, want that it is too large", err)
		}
	})
}

func TestMaxRunFailsTheStepThatFillsTheRun(t *testing.T) {
	for name, build := range map[string]func(g *dag.Graph, in dag.Val[int]) dag.Val[int]{
		"a chain": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			for i := range 8 {
				in = dag.Pick(g, dag.Do(g, fill, in, dag.As(fmt.Sprint("fill-", i))), textLength)
			}
			return in
		},
		"items": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			list := dag.Pick(g, in, func(n int) []int { return []int{n, n, n, n, n, n, n, n} })
			return dag.Do(g, lengths, dag.Map(g, fill, list, dag.Parallel(1)))
		},
		"tried items": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			list := dag.Pick(g, in, func(n int) []int { return []int{n, n, n, n, n, n, n, n} })
			failed := dag.Pick(g, dag.MapTry(g, fill, list, dag.Parallel(1)), func(l []workflow.Outcome[string]) int {
				return len(l[7].Failure.Message)
			})
			return dag.Do(g, choosy, dag.Pick(g, failed, func(int) int { return 1 }))
		},
		"runs within": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			inner := dag.New("inner", func(g *dag.Graph, in dag.Val[int]) dag.Val[string] { return dag.Do(g, fill, in) })
			for i := range 8 {
				in = dag.Pick(g, dag.Do(g, inner, in, dag.As(fmt.Sprint("fill-", i))), textLength)
			}
			return in
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := dag.New("w", build, workflow.MaxRun(6000))
			inBubble(t, func(t *testing.T, b broker.Broker) {
				run, err := w.Start(t.Context(), serve(t, b, w), 1000)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				_, err = run.Result(ctx)
				cause, ok := errors.AsType[*workflow.StepError](err)
				want := "quota exceeded"
				if name == "tried items" {
					want = "is odd"
				}
				if !ok || !strings.Contains(cause.Message, want) {
					t.Errorf("Result() = %v, want a StepError that says %s", err, want)
				}
			})
		})
	}
}

func TestAMapThatIsTooWideFails(t *testing.T) {
	wide := func(n int) []int { return make([]int, n) }
	plain := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, double, dag.Pick(g, in, wide)))
	})
	looked := dag.New("looked", func(g *dag.Graph, in dag.Val[int]) dag.Val[bool] {
		return dag.Pick(g, dag.Try(g, dag.Map(g, double, dag.Pick(g, in, wide))), func(o workflow.Outcome[[]int]) bool {
			return o.Failure != nil
		})
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, plain, looked)
		run, err := plain.Start(t.Context(), c, workflow.MaxWidth+1)
		if err != nil {
			t.Fatal(err)
		}
		wantStepFailure(t, run, "double", "100001: is more than 100000")
		tried, err := looked.Start(t.Context(), c, workflow.MaxWidth+1)
		if err != nil {
			t.Fatal(err)
		}
		if failed, err := tried.Result(t.Context()); !failed || err != nil {
			t.Errorf("Result() = %v, %v, want that the map has failed", failed, err)
		}
	})
}

// A shelf keeps blobs in memory.
type shelf struct {
	mu    sync.Mutex
	blobs map[string][]byte
	fails int // how many calls fail
}

var errShelf = errors.New("the shelf is locked")

func (s *shelf) Put(_ context.Context, key string, blob []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails--; s.fails >= 0 {
		return errShelf
	}
	if s.blobs == nil {
		s.blobs = make(map[string][]byte)
	}
	s.blobs[key] = append([]byte{}, blob...)
	return nil
}

func (s *shelf) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails--; s.fails >= 0 {
		return nil, errShelf
	}
	b, ok := s.blobs[key]
	if !ok {
		return nil, fmt.Errorf("no blob %s", key)
	}
	return b, nil
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.blobs)
}

// inBlobs returns a workflow of large outputs, kept on a shelf.
func inBlobs(name string, s *shelf, opts ...workflow.Option) workflow.Workflow[int, string] {
	if s != nil {
		opts = append(opts, workflow.Blobs(100, s))
	}
	again := workflow.NewStep("again", func(_ context.Context, s string) (string, error) { return s + s, nil })
	return dag.New(name, func(g *dag.Graph, in dag.Val[int]) dag.Val[string] {
		return dag.Do(g, again, dag.Do(g, fill, in), dag.After(dag.Await(g, release, 0, dag.After(dag.Do(g, double, in)))))
	}, append(opts, workflow.MaxOutput(1000), workflow.MaxRun(8000))...)
}

func TestLargeOutputsLieInTheBlobStore(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		s := &shelf{fails: 1}
		w := inBlobs("blobs", s)
		outer := dag.New("outer", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Pick(g, dag.Do(g, w, in), textLength)
		})
		tiny := dag.New("tiny", func(g *dag.Graph, in dag.Val[int]) dag.Val[string] { return dag.Do(g, w, in) }, workflow.MaxOutput(50000))
		c := serve(t, b, w, outer, tiny)
		run, err := w.Start(t.Context(), c, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := release.Send(t.Context(), run, 0); err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); len(got) != 20_000 || err != nil {
			t.Errorf("Result() = %d bytes, %v, want 20000", len(got), err)
		}
		if s.count() != 3 {
			t.Errorf("%d blobs are kept, want an output of each step, and the result", s.count())
		}
		small, err := outer.Start(t.Context(), c, 100)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		releaseAll(t, c, "blobs")
		comesTo(t, small, 200)
		within, err := tiny.Start(t.Context(), c, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		releaseAll(t, c, "blobs")
		if got, err := within.Result(t.Context()); len(got) != 20_000 || err != nil {
			t.Errorf("Result() of the run around it, which has no store = %d bytes, %v, want 20000", len(got), err)
		}
		large, err := outer.Start(t.Context(), c, 600_000)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		releaseAll(t, c, "blobs")
		wantStepFailure(t, large, "blobs", "the output of step blobs 1200002: is more than 1048576 bytes")
	})
}

// releaseAll sends the signal to the runs of a workflow that wait for it.
func releaseAll(t *testing.T, c *queue.Client, name string) {
	t.Helper()
	for _, r := range runsOf(t, c, name) {
		if err := release.Send(t.Context(), r, 0); err != nil && !errors.Is(err, workflow.ErrRunState) {
			t.Fatal(err)
		}
	}
}

func TestABlobThatHasChangedFailsTheStepThatTakesIt(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		s := new(shelf)
		w := inBlobs("blobs", s)
		run, err := w.Start(t.Context(), serve(t, b, w), 1000)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for key := range s.blobs {
			s.blobs[key][7] = 'y'
		}
		if err := release.Send(t.Context(), run, 0); err != nil {
			t.Fatal(err)
		}
		wantStepFailure(t, run, "again", "has changed since it was stored")
	})
}

func TestAServerWithoutTheBlobStoreLeavesTheStepToOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		s := new(shelf)
		w, without := inBlobs("blobs", s), inBlobs("blobs", nil)
		stop := serveUntil(t, b, w)
		run, err := w.Start(t.Context(), queue.NewClient(b), 1000)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		if err := release.Send(t.Context(), run, 0); err != nil {
			t.Fatal(err)
		}
		stop = serveUntil(t, b, without)
		time.Sleep(24 * time.Hour)
		if why := problems(t, b); !strings.Contains(why, "keeps an output in a blob store, and has none here") {
			t.Errorf("the step waits because of %q, want that there is no blob store", why)
		}
		stop()
		serve(t, b, w)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if got, err := run.Result(ctx); len(got) != 2000 || err != nil {
			t.Errorf("Result() = %d bytes, %v, want 2000", len(got), err)
		}
	})
}

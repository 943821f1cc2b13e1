package tracing_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/internal/tracetree"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

var randomSeed = flag.Uint64("random.seed", 0, "the one seed that random runs are traced with, as a failure prints it; 0: by chance")

// A grower makes workflows by chance.
type grower struct {
	*rand.Rand
	made   int  // names
	slower bool // there are steps that may go on when the run is done
}

func (r *grower) name(what string) string {
	r.made++
	return fmt.Sprintf("%s%d", what, r.made)
}

// step returns a step that takes a while, and may fail, once or for good, panic, or hang.
func (r *grower) step() workflow.Step[int, int] {
	took, ill := time.Duration(1+r.IntN(3000))*time.Millisecond, r.IntN(12)
	return workflow.NewStep(r.name("step"), func(ctx context.Context, n int) (int, error) {
		time.Sleep(took)
		retried, _ := task.GetRetryCount(ctx)
		switch {
		case ill == 0:
			return n, errors.New("for good")
		case ill == 1:
			panic("oh")
		case ill == 2:
			<-ctx.Done()
			return n, context.Cause(ctx)
		case ill < 5 && retried == 0:
			return n, errors.New("once")
		}
		return n + 1, nil
	}, task.MaxRetry(1), task.Timeout(10*time.Second))
}

// grow returns a value that is computed from in.
func (r *grower) grow(g *dag.Graph, in dag.Val[int], depth int) dag.Val[int] {
	if depth == 0 {
		return dag.Do(g, r.step(), in)
	}
	sub := func() dag.Val[int] { return r.grow(g, in, depth-1) }
	switch r.IntN(9) {
	case 0:
		return dag.Join2(g, sub(), sub(), func(a, b int) int { return a + b })
	case 1:
		width := 1 + r.IntN(5)
		list := dag.Pick(g, sub(), func(int) []int { return make([]int, width) })
		return dag.Pick(g, dag.Map(g, r.step(), list), func(all []int) int { return len(all) })
	case 2:
		then, els := r.step(), r.step()
		cond := sub()
		return dag.If(g, dag.Pick(g, cond, func(n int) bool { return n%2 == 0 }),
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, then, cond) },
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, els, cond) })
	case 3:
		r.slower = true
		return dag.First(g, []dag.Val[int]{dag.Do(g, r.step(), sub()), dag.Do(g, r.step(), sub())})
	case 4:
		return dag.Until(g, r.step(), sub(), func(n int) bool { return n > 2 }, 5)
	case 5:
		before := sub()
		return dag.Do(g, r.step(), before, dag.After(dag.Sleep(g, time.Minute, dag.After(before))))
	case 6:
		inner := dag.New(r.name("flow"), func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return r.grow(g, in, 1) })
		return dag.Do(g, inner, sub())
	case 7:
		return dag.Pick(g, dag.Try(g, sub()), func(o workflow.Outcome[int]) int { return o.Value })
	default:
		return dag.Do(g, r.step(), sub())
	}
}

// Whatever a run consists of, whoever dies, and whatever is done to it, its trace is whole.
func TestRandomRunsAreWholeTraces(t *testing.T) {
	for range 40 {
		seed := rand.Uint64()
		if *randomSeed != 0 {
			seed = *randomSeed
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { randomRun(t, seed) }) })
		if t.Failed() || *randomSeed != 0 {
			return
		}
	}
}

func randomRun(t *testing.T, seed uint64) {
	r := &grower{Rand: rand.New(rand.NewPCG(seed, 1))}
	flow := dag.New("random", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return r.grow(g, in, 3) })
	s := newStage(t, flow)
	shop, client := s.client("shop")
	s.server("one")
	mortal := s.server("two")
	time.Sleep(time.Minute)
	ctx, request := shop.span(t.Context(), "POST /orders")
	run, err := flow.Start(ctx, client, r.IntN(2), workflow.RunID("r"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(r.IntN(10_000)) * time.Millisecond)
	switch r.IntN(5) {
	case 0:
		_ = run.Cancel(t.Context()) // it may have ended
	case 1:
		_ = run.Pause(t.Context())
		time.Sleep(time.Minute)
		_ = run.Resume(t.Context())
	case 2:
		mortal.kill()
	}
	if err := run.Wait(t.Context()); err != nil && r.IntN(2) == 0 {
		time.Sleep(time.Minute)
		if err := run.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = run.Wait(t.Context())
	}
	time.Sleep(time.Hour)
	request.End()
	for _, fault := range tracetree.Check(s.spans()) {
		if !r.slower || !strings.Contains(fault, "which is not within its") {
			t.Error(fault)
		}
	}
	if t.Failed() {
		t.Log("\n" + printer.Print(s.spans()))
	}
}

package soak

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// What the workers run: a join over as many items as a run is told, and a little of
// everything else.
var (
	count = workflow.NewStep("count", func(ctx context.Context, n int) ([]int, error) {
		return noted(func() ([]int, error) {
			list := make([]int, n)
			for i := range list {
				list[i] = i
			}
			return list, nil
		})
	}, forEver)
	square = workflow.NewStep("square", func(ctx context.Context, n int) (int, error) {
		return noted(func() (int, error) {
			if retried, _ := task.GetRetryCount(ctx); n%97 == 5 && retried == 0 {
				return 0, errors.New("not at once")
			}
			time.Sleep(time.Duration(n%5) * 5 * time.Millisecond) // so that kills meet it
			return n * n, nil
		})
	}, forEver)
	sum = workflow.NewStep("sum", func(_ context.Context, list []int) (int, error) {
		return noted(func() (int, error) { return total(list), nil })
	}, forEver)
	lucky = workflow.NewStep("lucky", func(_ context.Context, n int) (int, error) {
		return noted(func() (int, error) {
			if n%2 == 1 {
				return 0, fmt.Errorf("no luck: %w", task.SkipRetry)
			}
			return n, nil
		})
	}, forEver)
	forEver = task.MaxRetry(1000)

	wide = dag.New("wide", func(g *dag.Graph, n dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, square, dag.Do(g, count, n)))
	}, workflow.Retention(time.Minute), workflow.MaxOutput(4<<20))

	small = dag.New("small", func(g *dag.Graph, n dag.Val[int]) dag.Val[int] {
		tried := dag.Pick(g, dag.Try(g, dag.Do(g, lucky, n)), orOne)
		nap := dag.Sleep(g, 50*time.Millisecond)
		inner := dag.Do(g, wide, dag.Pick(g, n, func(n int) int { return n % 20 }), dag.After(nap))
		arm := dag.If(g, dag.Pick(g, n, func(n int) bool { return n%3 == 0 }),
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, square, inner) },
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, square, tried) })
		grown := dag.Until(g, grow, n, func(n int) bool { return n > 1000 }, 20)
		return dag.Join3(g, arm, grown, dag.Join2(g, tried, inner, add), func(a, b, c int) int { return a + b + c })
	}, workflow.Retention(time.Minute))
	grow = workflow.NewStep("grow", func(_ context.Context, n int) (int, error) {
		return noted(func() (int, error) { return 2*n + 1, nil })
	}, forEver)
)

func add(a, b int) int { return a + b }

func orOne(o workflow.Outcome[int]) int {
	if o.Failure != nil {
		return 1
	}
	return o.Value
}

func total(list []int) (sum int) {
	for _, n := range list {
		sum += n
	}
	return sum
}

// wideOf is what wide comes to.
func wideOf(n int) (sum int) {
	for i := range n {
		sum += i * i
	}
	return sum
}

// smallOf is what small comes to.
func smallOf(n int) int {
	tried, arm, grown := n, 0, 2*n+1
	if n%2 == 1 {
		tried = 1
	}
	if arm = tried * tried; n%3 == 0 {
		arm = wideOf(n%20) * wideOf(n%20)
	}
	for grown <= 1000 {
		grown = 2*grown + 1
	}
	return arm + grown + tried + wideOf(n%20)
}

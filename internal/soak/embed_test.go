package soak

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

const (
	inputsOfRun = 20
	batchSize   = 100
	batchWait   = 2 * time.Second
	embedTries  = 3 // that a text has
)

// A scribe notes what goes on in the batched step of one process.
type scribe interface {
	// begun notes that the step has been called, and ended that it returns.
	begun(texts []int)
	ended()

	// first reports whether no process has met the text yet.
	first(text int) bool
}

// newEmbedded returns the workflow that embeds texts, which are numbers, in batches that
// it shares with its other runs. What cannot be embedded has the reason instead.
func newEmbedded(s scribe, takes time.Duration) workflow.Workflow[[]int, []string] {
	embed := workflow.Batched("embed", workflow.Batch{MaxSize: batchSize, MaxWait: batchWait},
		func(_ context.Context, texts []int) ([]workflow.Result[string], error) {
			s.begun(texts)
			defer s.ended()
			time.Sleep(takes)
			all := make([]workflow.Result[string], len(texts))
			for i, text := range texts {
				switch {
				case hopeless(text), late(text) && s.first(text):
					all[i].Err = fmt.Errorf("no vector of %d", text)
				default:
					all[i].Value = vector(text)
				}
			}
			return all, nil
		}, task.MaxRetry(embedTries-1))
	return dag.New("embedded", func(g *dag.Graph, texts dag.Val[[]int]) dag.Val[[]string] {
		return dag.Pick(g, dag.MapTry(g, embed, texts), vectors)
	}, workflow.Retention(time.Hour))
}

// vectors gives what was embedded, and why the others were not.
func vectors(tried []workflow.Outcome[string]) []string {
	all := make([]string, len(tried))
	for i, o := range tried {
		if all[i] = o.Value; o.Failure != nil {
			all[i] = o.Failure.Error()
		}
	}
	return all
}

func vector(text int) string { return strconv.Itoa(text * text) }

// Of a hundred texts one cannot be embedded, and two not at first.
func hopeless(text int) bool { return text%100 == 13 }
func late(text int) bool     { return text%50 == 7 }

// needs is how often a text has to be tried.
func needs(text int) int {
	switch {
	case hopeless(text):
		return embedTries
	case late(text):
		return 2
	}
	return 1
}

// textsOf returns what the n-th run embeds: no two have a text in common.
func textsOf(n int) []int {
	texts := make([]int, inputsOfRun)
	for i := range texts {
		texts[i] = n*inputsOfRun + i
	}
	return texts
}

// allTexts returns those of many runs.
func allTexts(runs int) (inputs [][]int, ids []string) {
	for n := range runs {
		inputs, ids = append(inputs, textsOf(n)), append(ids, fmt.Sprintf("run%d", n))
	}
	return inputs, ids
}

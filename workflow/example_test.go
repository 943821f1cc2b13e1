package workflow_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// Two steps, and a workflow that counts the words of each line at once.
var (
	splitLines = workflow.NewStep("split", func(_ context.Context, text string) ([]string, error) {
		return strings.Split(text, "\n"), nil
	})
	countWords = workflow.NewStep("count", func(_ context.Context, line string) (int, error) {
		return len(strings.Fields(line)), nil
	})
	wordsPerLine = dag.New("words-per-line", func(g *dag.Graph, text dag.Val[string]) dag.Val[[]int] {
		return dag.Map(g, countWords, dag.Do(g, splitLines, text))
	})
)

func Example() {
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	ctx := context.Background()

	mux := task.NewMux()
	workflow.Register(mux, wordsPerLine)
	srv, err := queue.NewServer(b, queue.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Start(mux); err != nil {
		log.Fatal(err)
	}
	defer func() { _ = srv.Shutdown(ctx) }() // it has nothing left to do

	client := queue.NewClient(b)
	run, err := wordsPerLine.Start(ctx, client, "the quick brown fox\njumps over", workflow.RunID("fox"))
	if err != nil {
		log.Fatal(err)
	}
	counts, err := run.Result(ctx) // a []int
	fmt.Println(counts, err)
	// Output: [4 2] <nil>
}

// Words is a first workflow: it counts the words of each line of a text, all lines at
// once, in one process and in memory.
package main

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

// Steps are functions with a name.
var (
	Split = workflow.NewStep("split", func(_ context.Context, text string) ([]string, error) {
		return strings.Split(text, "\n"), nil
	})
	Count = workflow.NewStep("count", func(_ context.Context, line string) (int, error) {
		return len(strings.Fields(line)), nil
	})
)

// Words says what each step takes. It is called once, when the program starts.
var Words = dag.New("words", func(g *dag.Graph, text dag.Val[string]) dag.Val[[]int] {
	return dag.Map(g, Count, dag.Do(g, Split, text))
})

func main() {
	b, err := sqlitebroker.Open(":memory:", nil) // or a file; or redisbroker.Open("redis://…", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	ctx := context.Background()

	mux := task.NewMux()
	workflow.Register(mux, Words) // here the steps are run
	srv, err := queue.NewServer(b, queue.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Start(mux); err != nil {
		log.Fatal(err)
	}

	run, err := Words.Start(ctx, queue.NewClient(b), "the quick brown fox\njumps over")
	if err != nil {
		log.Fatal(err)
	}
	counts, err := run.Result(ctx) // a []int
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(counts)
	if err := srv.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}

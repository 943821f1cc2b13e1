// Package workflow runs graphs of typed steps, each of which gets what the ones
// before it returned.
//
// A [Step] is a function from an In to an Out. Package dag joins steps into a
// [Workflow]; the compiler checks every edge:
//
//	var (
//		Fetch = workflow.NewStep("fetch", fetch) // func(context.Context, URL) (Page, error)
//		Count = workflow.NewStep("count", count) // func(context.Context, Page) (int, error)
//		Words = dag.New("words", func(g *dag.Graph, in dag.Val[URL]) dag.Val[int] {
//			return dag.Do(g, Count, dag.Do(g, Fetch, in))
//		})
//	)
//
// A server carries out the workflows that are registered with its mux, and
// anyone with a client starts runs of them and reads their results:
//
//	workflow.Register(mux, Words)
//	run, err := Words.Start(ctx, client, "https://go.dev", workflow.RunID("go.dev"))
//	n, err := run.Result(ctx)
//
// # What holds
//
// Steps are tasks: they are leased, retried and archived like any other, and may
// run more than once. Their outcome counts once. What a step returned, that it
// has ended, and what that made ready are one commit; a process that dies before
// it has the step run again, and one that dies after it has lost nothing.
//
// A run ends when all its steps have, with the value of the graph; or when one of
// them has failed for good, which is when its retries are used up or its error
// wraps [task.SkipRetry]; or when one was deleted, archived by hand, cancelled or
// found to be poison, which the run names as the reason. A failed item of a map keeps the map from starting more
// of them, and fails the run once those that were running have ended. What
// still completes after the run has ended is recorded and starts nothing.
//
// Inputs, outputs and results are stored as JSON of at most 8 MiB each; a larger
// one is refused by Start, or fails its step. What a map returns is not one
// value: only its elements are.
//
// A run goes by the plan that it was started with: a server whose workflow has
// another shape leaves its steps to others. A run is kept for a time after its
// end ([Retention]); nothing of one that goes on expires.
package workflow

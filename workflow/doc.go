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
// The guide, docs/workflows.md, begins there and goes on to branches, signals, undo,
// deploys and tests.
//
// # What holds
//
// Steps are tasks: they are leased, retried and archived like any other, and may
// run more than once; [StepKey] names what an attempt is at. Their outcome counts once.
// What a step returned, that it has ended, and what that made ready are one commit; a
// process that dies before it has the step run again, and one that dies after it has
// lost nothing.
//
// A run is [Done] when all its steps have ended, with the value of the graph. It closes
// if a step fails for good that nobody looks at with a dag.Try or the like, if it is
// cancelled ([Handle.Cancel]) or too late ([Deadline]): nothing of it begins any more,
// what runs is waited for, what is [Reversible] is undone, the last first, and it ends
// as [Failed], [Cancelled] or [TimedOut]. If something cannot be undone it is [Stuck].
// A step whose task is deleted, archived by hand, cancelled, or poison, has failed, and
// says so.
//
// # What is kept
//
// Inputs, outputs and results are stored as JSON, up to [MaxOutput] each and [MaxRun]
// together; [Blobs] keeps larger ones elsewhere. A run is kept for a time after its
// end ([Retention], [FailureRetention]), for its result, for its id to be remembered,
// and to be retried; nothing of one that goes on expires.
//
// A run goes by the plan that it was started with, which is stored beside it. A server
// whose program has other functions than that needs leaves its steps to others, and
// [Status] says why.
package workflow

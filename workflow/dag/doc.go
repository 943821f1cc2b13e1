// Package dag declares workflows as graphs: a function, called once, names the
// steps and what each takes. The result is data, known before the first run.
//
//	dag.New("report", func(g *dag.Graph, in dag.Val[Folder]) dag.Val[Report] {
//		files := dag.Do(g, List, in)
//		facts := dag.Map(g, Scan, files, dag.Parallel(8))
//		return dag.Do(g, Summarize, dag.Join2(g, in, facts, newSummary))
//	})
//
// A [Val] stands for a value that there will be when the run gets there. It has a
// type, so that a step cannot be given what it does not take.
//
// [Do] runs a step, or another workflow; [Map] runs it for each element of a list, and
// [Until] until what it returns is good enough. [Pick], [Join2] and [Join3] compute
// what is handed on. [If] and [Switch] take one of several ways, [First] takes whatever
// is there first, and [Try] looks at a failure that would otherwise be the run's.
// [Await], [AwaitOr] and [Sleep] wait, and hold no worker meanwhile. [After] has a step
// wait for others without taking their values. docs/workflows.md shows each, with its
// picture.
package dag

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
package dag

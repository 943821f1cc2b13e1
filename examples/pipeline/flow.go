package main

import (
	"context"

	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// queueName keeps the pipeline's tasks apart from others on the same broker.
const queueName = "pipeline"

// A Request is what a run starts from.
type Request struct {
	Folder string // to count
	Out    string // file to write the page to
}

// The steps are plain functions. Each gets what the one before it returned.
var (
	List      = workflow.NewStep("list", listFiles)   // Request → []File
	Scan      = workflow.NewStep("scan", scanFile)    // File → Facts
	Summarize = workflow.NewStep("summarize", joinUp) // Findings → Report
	Write     = workflow.NewStep("write", writePage)  // Draft → Report
)

// Count is the pipeline: list, look into every file, join, write.
var Count = dag.New("count", func(g *dag.Graph, req dag.Val[Request]) dag.Val[Report] {
	files := dag.Do(g, List, req)
	facts := dag.Map(g, Scan, files, dag.Parallel(64))
	report := dag.Do(g, Summarize, dag.Join2(g, req, facts, newFindings))
	return dag.Do(g, Write, dag.Join2(g, req, report, newDraft))
}, workflow.Queue(queueName))

// Findings is what the report is made of.
type Findings struct {
	Folder string
	Facts  []Facts
}

func newFindings(j Request, f []Facts) Findings { return Findings{j.Folder, f} }

// A Draft is a report and where it goes.
type Draft struct {
	Out    string
	Report Report
}

func newDraft(j Request, r Report) Draft { return Draft{j.Out, r} }

func joinUp(_ context.Context, f Findings) (Report, error) { return newReport(f), nil }

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/leatwork/leat/task"
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

// newRequest refuses what no run could carry out, before one begins.
func newRequest(folder, out string) (Request, error) {
	f, err := filepath.Abs(folder)
	if err != nil {
		return Request{}, err
	}
	if info, err := os.Stat(f); err != nil {
		return Request{}, err
	} else if !info.IsDir() {
		return Request{}, fmt.Errorf("%s is not a folder", f)
	}
	o, err := filepath.Abs(out)
	if err != nil {
		return Request{}, err
	}
	if info, err := os.Stat(o); out == "" || err == nil && info.IsDir() {
		return Request{}, fmt.Errorf("-out %q does not name a file", out)
	}
	probe, err := os.CreateTemp(filepath.Dir(o), ".report-*")
	if err != nil {
		return Request{}, fmt.Errorf("-out %q: %w", out, err)
	}
	return Request{Folder: f, Out: o}, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// The steps are plain functions. Each gets what the one before it returned.
var (
	List      = workflow.NewStep("list", listFiles, twoRetries)  // Request → []File
	Scan      = workflow.NewStep("scan", scanFile, twoRetries)   // File → Facts
	Summarize = workflow.NewStep("summarize", joinUp)            // Findings → Report
	Write     = workflow.NewStep("write", writePage, twoRetries) // Draft → Report

	twoRetries = task.MaxRetry(2)
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

func newFindings(req Request, f []Facts) Findings { return Findings{req.Folder, f} }

// A Draft is a report and where it goes.
type Draft struct {
	Out    string
	Report Report
}

func newDraft(req Request, r Report) Draft { return Draft{req.Out, r} }

func joinUp(_ context.Context, f Findings) (Report, error) { return newReport(f), nil }

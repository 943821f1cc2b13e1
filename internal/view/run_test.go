package view_test

import (
	"testing"
	"time"

	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

func TestARunIsShownWithItsStepsAndTheRunsWithinIt(t *testing.T) {
	began := at.Add(-time.Minute)
	tree := workflow.Tree{
		Queue: "mail", Item: -1,
		Status: workflow.Status{
			ID: "r", Workflow: "order", State: workflow.Running, Started: began, Deadline: at.Add(time.Hour), Retries: 1,
			Attributes: map[string]string{"customer": "7"},
			Steps: []workflow.StepStatus{
				{
					Name: "pay", Kind: "step", State: workflow.StepDone, Runs: "pay", Queue: "mail", TaskID: "16", Known: true, Width: 1, Ended: 1,
					ReadyAt: began, Began: began.Add(time.Second), EndedAt: began.Add(2 * time.Second), Took: time.Second, Tries: 2,
				},
				{
					Name: "welcome", Kind: "step", State: workflow.StepRunning, After: []string{"pay"}, Choice: "new", Case: "yes",
					Runs: "email:welcome", Queue: "mail", TaskID: "17", Known: true, Width: 1, ReadyAt: began.Add(2 * time.Second),
					TaskState: task.Active, Attempts: []broker.Attempt{{Started: began, Ended: at, Worker: "web-1:4711", Err: "no server"}}, Problem: "no server",
				},
				{Name: "resize", Kind: "map", State: workflow.StepRunning, Runs: "resize", Queue: "mail", Known: true, Width: 312, Ended: 40, Failed: 2},
				{Name: "ship", Kind: "step", After: []string{"resize"}, Runs: "shipping", Workflow: true, Queue: "parcels", Child: "r~t~ship"},
			},
		},
		Children: []*workflow.Tree{{Queue: "parcels", Step: "ship", Item: 3, Truncated: true, Status: workflow.Status{
			ID: "r~t~ship", Workflow: "shipping", State: workflow.Failed, Started: began, Ended: at, Parent: "r",
			Failure: &workflow.StepError{Step: "label", Item: -1, Message: "no paper"},
		}}},
	}
	golden(t, "run", view.RunOf(tree, at, servers...))
	golden(t, "listed_run", view.ListedRunOf(workflow.Summary{Workflow: "order", State: workflow.Cancelled, Started: began, Ended: at}, at))
	golden(t, "history", view.HistoryOf([]workflow.Happening{
		{At: began, What: "started"}, {At: at, What: "failed", Step: "label", Took: time.Second, Tries: 3, Why: "no paper"},
	}))
}

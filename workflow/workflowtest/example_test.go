package workflowtest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
	"github.com/leatwork/leat/workflow/workflowtest"
)

var (
	send = workflow.NewStep("send", func(context.Context, string) (string, error) {
		return "", errors.New("tests do not send letters")
	})
	approve = workflow.NewSignal[bool]("approve")

	letter = dag.New("letter", func(g *dag.Graph, text dag.Val[string]) dag.Val[string] {
		return dag.If(g, dag.AwaitOr(g, approve, 24*time.Hour, false),
			func(g *dag.Graph) dag.Val[string] { return dag.Do(g, send, text) },
			func(g *dag.Graph) dag.Val[string] { return dag.Const(g, "not approved") })
	})
)

func TestALetterThatNobodyApprovesIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := workflowtest.New(t, letter)
		workflowtest.Mock(e, send, func(context.Context, string) (string, error) {
			return "sent", nil
		})
		run, err := letter.Start(t.Context(), e.Client(), "Dear Ann")
		if err != nil {
			t.Fatal(err)
		}
		got, err := run.Result(t.Context()) // a day later
		if got != "not approved" || err != nil || e.Calls(send) != 0 {
			t.Errorf("Result() = %q, %v, and %d letters; want none", got, err, e.Calls(send))
		}
	})
}

func TestALetterIsSentWhereverAWorkerDies(t *testing.T) {
	workflowtest.CrashEverywhere(t, func(t *testing.T, e *workflowtest.Engine) {
		letters := make(map[string]bool) // those with one key are one
		workflowtest.Mock(e, send, func(ctx context.Context, _ string) (string, error) {
			letters[workflow.StepKey(ctx)] = true
			return "sent", nil
		})
		run, err := letter.Start(t.Context(), e.Client(), "Dear Ann")
		if err == nil {
			err = approve.Send(t.Context(), run, true)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != "sent" || err != nil || len(letters) != 1 {
			t.Errorf("Result() = %q, %v, and %d letters; want one", got, err, len(letters))
		}
	}, letter)
}

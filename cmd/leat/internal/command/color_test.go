package command_test

import (
	"testing"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

func TestEachStateHasAColourAndOtherWordsHaveNone(t *testing.T) {
	p := &output.Printer{Color: true}
	words := []string{}
	for _, s := range task.States() {
		words = append(words, s.String())
	}
	for _, s := range []workflow.State{
		workflow.Running, workflow.Paused, workflow.Closing, workflow.Undoing, workflow.Stuck,
		workflow.Done, workflow.Failed, workflow.Cancelled, workflow.TimedOut,
	} {
		words = append(words, string(s))
	}
	for s := workflow.StepWaiting; s <= workflow.StepCancelled; s++ {
		words = append(words, s.String())
	}
	for _, word := range words {
		if output.State(p, word) == word {
			t.Errorf("State(%q) has no colour", word)
		}
	}
	for _, word := range []string{"", "succeeded", "cancelling", "compensating", "compensated", "broken", "ready"} {
		if got := output.State(p, word); got != word {
			t.Errorf("State(%q) = %q, want no colour for what is no state", word, got)
		}
	}
	if p.Color = false; output.State(p, "failed") != "failed" {
		t.Error("State() has a colour where there are none")
	}
}

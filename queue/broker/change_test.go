package broker_test

import (
	"testing"

	"github.com/leatwork/leat/queue/broker"
)

func TestAnOutcomePrintsAsItsWord(t *testing.T) {
	for outcome, want := range map[broker.Outcome]string{
		broker.Done:         "done",
		broker.Completed:    "completed",
		broker.Retry:        "retry",
		broker.Archived:     "archived",
		broker.Released:     "released",
		0:                   "Outcome(0)",
		-1:                  "Outcome(-1)",
		broker.Released + 1: "Outcome(6)",
	} {
		if got := outcome.String(); got != want {
			t.Errorf("outcome %d prints as %q, want %q", int(outcome), got, want)
		}
	}
}

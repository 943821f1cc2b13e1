package workflow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow"
)

func TestAnEntryThatIsNoPartOfItsRunFailsIt(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, awaits)
		run, err := awaits.Start(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		home := broker.Home{Queue: "default", ID: run.ID}
		docs, err := b.Documents(t.Context(), home, "~run")
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(docs[0].Body), `"tag":"`)
		tag, _, _ := strings.Cut(after, `"`)
		stray := broker.Entry{
			EntryRef: broker.EntryRef{Queue: "awaits~decide", ID: run.ID + "~" + tag + "~~resolve~nobody"},
			Type:     "awaits~decide", MaxRetry: 1, Timeout: time.Minute, Home: home, Reads: []string{"~run"},
		}
		applied, err := b.Apply(t.Context(), time.Now(), []broker.Change{{Enqueue: []broker.Entry{stray}}}, broker.LeaseRequest{})
		if err := errors.Join(append(applied.Outcomes, err)...); err != nil {
			t.Fatal(err)
		}
		if err := run.Wait(t.Context()); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), "no part of workflow") {
			t.Errorf("Wait() = %v, want that something is no part of the workflow", err)
		}
	})
}

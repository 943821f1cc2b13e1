package workflow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

func TestAMemberOfABatchThatIsUnfitFailsItsRunAlone(t *testing.T) {
	for name, test := range map[string]struct {
		opt   task.Option
		spoil func(t *testing.T, b broker.Broker)
	}{
		"poison":  {task.MaxCrashes(2), crashBatches(3)},
		"expired": {task.Deadline(time.Date(2000, 1, 1, 0, 0, 2, 0, time.UTC)), func(*testing.T, broker.Broker) { time.Sleep(time.Minute) }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				w := batchesOf("unfit", 10, doubleAll, test.opt)
				run, err := w.Start(t.Context(), queue.NewClient(b), 1)
				if err != nil {
					t.Fatal(err)
				}
				test.spoil(t, b)
				serve(t, b, w)
				if err := run.Wait(t.Context()); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), name) {
					t.Errorf("Wait() = %v, want that it is %s", err, name)
				}
			})
		})
	}
}

// crashBatches has as many workers die over a batch.
func crashBatches(n int) func(*testing.T, broker.Broker) {
	return func(t *testing.T, b broker.Broker) {
		for range n {
			now := time.Now()
			batch, err := b.Gather(t.Context(), now, broker.GatherRequest{
				Queue: "default", Group: "unfit", Token: uuid.NewString(), MaxSize: 10, Until: now.Add(time.Second),
			})
			if err != nil || len(batch.Members) != 1 {
				t.Fatalf("Gather() = %v, %v, want one", batch.Members, err)
			}
			for range 100 {
				time.Sleep(time.Second)
				a, err := b.Advance(t.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{"default"}, Limit: 10})
				if err != nil {
					t.Fatal(err)
				}
				if a.Returned > 0 {
					break
				}
			}
		}
	}
}

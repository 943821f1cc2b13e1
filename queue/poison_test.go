package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestATaskThatEndsItsProcessEndsAsPoison(t *testing.T) {
	if work(t) {
		return
	}
	t.Parallel()
	for name, storage := range killStorages {
		t.Run("on "+name, func(t *testing.T) {
			t.Parallel()
			url := storage(t)
			b := openBroker(t, url)
			payload, err := json.Marshal(errand{Fails: failsHard})
			if err != nil {
				t.Fatal(err)
			}
			client := queue.NewClient(b)
			var ids []string
			for _, maxRetry := range []int{0, 25} {
				info, err := client.Enqueue(context.Background(), task.New("errand", payload, task.MaxRetry(maxRetry), task.MaxCrashes(3)))
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, info.ID)
			}
			crew := newCrew(t, "TestATaskThatEndsItsProcessEndsAsPoison", url)
			ends := 0
			m := crew.hire(workerLease + "=1s")
			eventually(t, 2*time.Minute, "both tasks are archived", func() bool {
				select {
				case err := <-m.ended:
					if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitHard {
						t.Fatalf("a worker has ended with %v:\n%s", err, m.said())
					}
					m.killed = true
					ends++
					m = crew.hire(workerLease + "=1s")
				default:
				}
				return counts(t, b).Archived == 2
			})
			crew.dismiss()
			for _, id := range ids {
				s, err := b.Entry(t.Context(), broker.EntryRef{Queue: "default", ID: id})
				if err != nil || s.End != broker.Poison || s.Retried != 0 {
					t.Errorf("task %s is %s with end %q after %d retries, %v; want archived, poison, 0, nil", id, s.State, s.End, s.Retried, err)
				}
				if last := s.Attempts[len(s.Attempts)-1]; last.Err != broker.LeaseRanOut {
					t.Errorf("its last attempt says %q, want %q", last.Err, broker.LeaseRanOut)
				}
			}
			if ends < 4 || ends > 8 { // each takes as many as it may, and one more
				t.Errorf("they have ended %d processes, want 4 to 8", ends)
			}
			t.Logf("both tasks are poison after %d processes", ends)
		})
	}
}

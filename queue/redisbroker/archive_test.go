package redisbroker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// asynq loses its archive to a limit of Lua's when 8,000 tasks are too old at once.
func TestAnArchiveOfTenThousandIsTrimmed(t *testing.T) {
	const many = 10_000
	b := open(t, redistest.Shared(t), redistest.Prefix())
	defer b.Close()
	now := time.Now()
	for i := range many / 1000 {
		var c broker.Change
		for j := range 1000 {
			ref := broker.EntryRef{Queue: "q", ID: fmt.Sprint(i, "-", j)}
			c.Enqueue = append(c.Enqueue, broker.Entry{EntryRef: ref, Type: "t"})
		}
		if done, err := b.Apply(t.Context(), now, []broker.Change{c}, broker.LeaseRequest{}); err != nil || done.Outcomes[0] != nil {
			t.Fatalf("Apply() = %+v, %v", done, err)
		}
	}
	for {
		n, err := b.Sweep(t.Context(), now, broker.SweepRequest{Queue: "q", State: task.Pending, Do: broker.Archive, Limit: broker.MaxSweep})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	later, trimmed := now.Add(100*24*time.Hour), 0
	request := broker.AdvanceRequest{Queues: []string{"q"}, Limit: 500, Keep: broker.ArchiveLimits{Age: 90 * 24 * time.Hour}}
	for range many {
		a, err := b.Advance(t.Context(), later, request)
		if err != nil {
			t.Fatal(err)
		}
		if a.Total() == 0 {
			break
		}
		if a.Trimmed > request.Limit {
			t.Errorf("one call has deleted %d, want at most %d", a.Trimmed, request.Limit)
		}
		trimmed += a.Trimmed
	}
	counts, err := b.Counts(t.Context(), later, "q")
	if err != nil || counts[0].Archived != 0 || trimmed != many {
		t.Errorf("%d were deleted, and %+v is left, %v, want all of %d gone", trimmed, counts, err, many)
	}
}

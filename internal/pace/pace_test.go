package pace_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/pace"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

func TestTheRatesAreReckonedFromTheFigures(t *testing.T) {
	in := func(seconds float64) *float64 { return &seconds }
	info := func(pending, archived, completed, processed, failed int) queue.QueueInfo {
		return queue.QueueInfo{Counts: broker.Counts{Pending: pending, Archived: archived, Completed: completed, ProcessedTotal: processed, FailedTotal: failed}}
	}
	for name, c := range map[string]struct {
		before, after queue.QueueInfo
		want          pace.Rate
	}{
		"nothing happens":        {info(10, 1, 1, 5, 1), info(10, 1, 1, 5, 1), pace.Rate{}},
		"it drains":              {info(100, 0, 0, 0, 0), info(80, 0, 20, 20, 0), pace.Rate{Processed: 10, Drained: in(8)}},
		"as many come as go":     {info(100, 0, 0, 0, 0), info(100, 0, 0, 20, 0), pace.Rate{Enqueued: 10, Processed: 10}},
		"some fail for good":     {info(100, 0, 0, 0, 0), info(90, 4, 6, 10, 4), pace.Rate{Processed: 5, Failed: 2, Drained: in(18)}},
		"it is empty":            {info(0, 0, 0, 0, 0), info(0, 0, 0, 2, 0), pace.Rate{Enqueued: 1, Processed: 1, Drained: in(0)}},
		"the queue was replaced": {info(0, 9, 9, 50, 9), info(0, 0, 0, 0, 0), pace.Rate{Drained: in(0)}},
	} {
		if diff := cmp.Diff(c.want, pace.Of(c.before, c.after, 2*time.Second)); diff != "" {
			t.Errorf("%s: Of() (-want +got):\n%s", name, diff)
		}
	}
}

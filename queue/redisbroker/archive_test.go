package redisbroker_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

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

// TestWhatAsynqArchivesAnewIsNotParked has asynq run and archive an entry that we had
// parked: what we wrote of that is still in its hash.
func TestWhatAsynqArchivesAnewIsNotParked(t *testing.T) {
	x := newBench(t)
	then := float64(x.now.Add(-time.Hour).Unix())
	for id, until := range map[string]float64{"parked": then, "anew": then - 60} {
		claim := x.queue("unique:" + id)
		x.put(id, "archived", "leat_end", "undecodable", "leat_until", strconv.FormatFloat(until, 'f', 0, 64), "unique_key", claim)
		x.must(x.c.ZAdd(t.Context(), x.queue("archived"), redis.Z{Member: id, Score: then}), x.c.Set(t.Context(), claim, id, 0))
		e := plain("after-" + id)
		e.Claim.Key = id
		if err := x.try(broker.Change{Enqueue: []broker.Entry{e}}); (err != nil) != (id == "parked") {
			t.Errorf("enqueue with the claim of %s = %v", id, err)
		}
	}
	r := broker.AdvanceRequest{Queues: []string{"q"}, Limit: 10, Keep: broker.ArchiveLimits{Age: time.Minute}}
	if a, err := x.b.Advance(t.Context(), x.now, r); err != nil || a.Trimmed != 1 {
		t.Errorf("Advance() = %+v, %v, want one trimmed", a, err)
	}
	if s := x.state("parked"); s != task.Archived {
		t.Errorf("parked is %s, want archived", s)
	}
}

package redisbroker_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
)

// trips counts how often a client waits for an answer: a pipeline is one trip.
type trips struct{ atomic.Int64 }

func (n *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (n *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { n.Add(1); return next(ctx, cmd) }
}

func (n *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { n.Add(1); return next(ctx, cmds) }
}

func TestTheFiguresOfAllQueuesTakeAsManyTripsAsThoseOfOne(t *testing.T) {
	var n trips
	c := client(t, redistest.Shared(t))
	defer c.Close()
	c.AddHook(&n)
	b, err := redisbroker.New(c, &redisbroker.Options{Prefix: redistest.Prefix()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	inspector, enqueued := queue.NewInspector(b), 0
	figures := func(queues int) int64 {
		for ; enqueued < queues; enqueued++ {
			_, err := queue.NewClient(b).Enqueue(t.Context(), task.New("t", nil), task.Queue(fmt.Sprint("queue-", enqueued)))
			if err != nil {
				t.Fatal(err)
			}
		}
		before := n.Load()
		found, err := inspector.Figures(t.Context())
		if err != nil || len(found) != queues {
			t.Fatalf("Figures() = %d queues, %v, want %d", len(found), err, queues)
		}
		return n.Load() - before
	}
	figures(1) // loads the script
	if one, fifty := figures(1), figures(50); fifty > one {
		t.Errorf("the figures of 50 queues take %d trips, want as many as those of one: %d", fifty, one)
	}
}

package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/shard"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// inShards runs f on a storage in sixteen shards.
func inShards(t *testing.T, f func(*bench)) {
	inBubble(t, func(x *bench) {
		var worlds []shard.World
		for range 16 {
			worlds = append(worlds, brokertest.NewModel())
		}
		x.b = shard.New(shard.NewHashed(worlds...))
		x.client = queue.NewClient(x.b)
		f(x)
	})
}

func TestTasksThatAreStoredTogetherLieInOneShard(t *testing.T) {
	inShards(t, func(x *bench) {
		var ts []*task.Task
		for i := range 100 {
			ts = append(ts, task.New("t", fmt.Append(nil, i)))
		}
		infos, err := x.client.EnqueueAll(t.Context(), ts)
		if err != nil || len(infos) != len(ts) {
			t.Fatalf("EnqueueAll() = %d infos, %v, want %d", len(infos), err, len(ts))
		}
		if n := x.counts("default").Pending; n != len(ts) {
			t.Errorf("%d tasks are pending, want %d", n, len(ts))
		}
		given := []*task.Task{task.New("t", nil, task.ID("a")), task.New("t", nil, task.ID("b")), task.New("t", nil, task.ID("c"))}
		if _, err := x.client.EnqueueAll(t.Context(), given); !errors.Is(err, broker.ErrApart) {
			t.Errorf("with ids of several shards: EnqueueAll() = %v, want ErrApart", err)
		}
	})
}

func TestWhatFollowsATaskLiesInItsShard(t *testing.T) {
	inShards(t, func(x *bench) {
		x.cfg.OnExhausted = func(context.Context, *task.Info, error) []*task.Task {
			return []*task.Task{task.New("after", nil)}
		}
		for i := range 20 {
			x.enqueue(fmt.Sprint("done-", i))
			x.enqueue(fmt.Sprint("fails-", i), task.MaxRetry(0))
		}
		ran := 0
		x.serve(func(ctx context.Context, tk *task.Task) error {
			if tk.Type() == "after" {
				ran++
				return nil
			}
			if id, _ := task.GetID(ctx); id[0] == 'f' {
				return errors.New("fails")
			}
			return queue.Then(ctx, task.New("after", nil, task.Queue("default")))
		})
		x.pass(time.Minute)
		if ran != 40 {
			t.Errorf("%d tasks that followed were run, want 40", ran)
		}
	})
}

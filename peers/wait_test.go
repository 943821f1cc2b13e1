package peers

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// asynq tells nobody that a task has ended, and keeps of one that is done what its
// retention says. Whoever waits with Leat looks by himself then.
func TestLeatWaitsForWhatAsynqRunsOnRedis(t *testing.T) {
	t.Parallel()
	for _, producer := range sides {
		t.Run(producer.name+"'s task", func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			x.must(producer.enqueue(x, spec{ID: "kept", Type: "t", Queue: "q", Retention: time.Hour}))
			x.must(producer.enqueue(x, spec{ID: "gone", Type: "t", Queue: "q"}))
			x.must(producer.enqueue(x, spec{ID: "failed", Type: "t", Queue: "q", MaxRetry: new(0)}))
			infos := map[string]*task.Info{}
			for _, id := range []string{"kept", "gone", "failed"} {
				info, err := x.ours.Get(t.Context(), "q", id)
				if err != nil {
					t.Fatal(err)
				}
				infos[id] = info
			}
			time.AfterFunc(500*time.Millisecond, func() {
				peer.serve(x, "q", func(_ context.Context, r run) error {
					if r.ID == "failed" {
						return errAsked
					}
					_, err := r.write([]byte("result"))
					return err
				})
			})
			if info, err := x.client.Wait(t.Context(), infos["kept"]); err != nil || string(info.Result) != "result" {
				t.Errorf("Wait(kept) = %+v, %v, want its result", info, err)
			}
			if _, err := x.client.Wait(t.Context(), infos["gone"]); !errors.Is(err, queue.ErrResultExpired) {
				t.Errorf("Wait(gone) = %v, want %v", err, queue.ErrResultExpired)
			}
			var failed *queue.FailedError
			if _, err := x.client.Wait(t.Context(), infos["failed"]); !errors.As(err, &failed) || failed.Info.LastErr != errAsked.Error() {
				t.Errorf("Wait(failed) = %v, want it failed as asked", err)
			}
			x.wantSound()
		})
	}
}

func TestAsynqRunsWhatLeatEnqueuesTogetherOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	together := []*task.Task{
		task.New("t", nil, task.Queue("q"), task.ID("now")),
		task.New("t", nil, task.Queue("q"), task.ID("later"), task.ProcessIn(time.Second)),
		task.New("t", nil, task.Queue("other"), task.ID("elsewhere"), task.Retention(time.Hour)),
	}
	if _, err := x.client.EnqueueAll(t.Context(), together); err != nil {
		t.Fatal(err)
	}
	if _, err := x.client.EnqueueAll(t.Context(), together); !errors.Is(err, queue.ErrTaskIDConflict) {
		t.Errorf("once more: %v, want %v", err, queue.ErrTaskIDConflict)
	}
	cfg := asynqConfig("q")
	cfg.Queues["other"] = 1
	startAsynq(x, cfg, func(context.Context, run) error { return nil })
	x.wantState("q", "now", "")
	x.wantState("q", "later", "")
	x.wantState("other", "elsewhere", "completed")
	x.advance("q", time.Now().Add(time.Hour)) // takes away the exact time of what asynq has forwarded
	x.wantSound()
}

func TestAsynqRunsWhatAHandlerOfLeatsEnqueuesWithItsOutcomeOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	x.must(peer.enqueue(x, spec{ID: "a", Type: "t", Queue: "q"}))
	leat.serve(x, "q", func(ctx context.Context, _ run) error {
		return queue.Then(ctx, task.New("t", []byte("p")), task.Queue("theirs"), task.ID("then"))
	})
	payloads := make(chan string, 10)
	peer.serve(x, "theirs", func(_ context.Context, r run) error {
		payloads <- r.Payload
		return nil
	})
	if got := <-payloads; got != "p" {
		t.Errorf("asynq's handler gets %q, want p", got)
	}
	x.wantState("q", "a", "")
	x.wantState("theirs", "then", "")
	x.wantSound()
}

// paged are as many tasks as fill some pages and part of one more.
const (
	paged    = 25
	pageSize = 10
)

func TestEitherInspectorPagesThroughWhatTheOtherSideWroteOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	due := time.Now().Add(time.Hour)
	for _, producer := range sides {
		for n := range paged {
			x.must(producer.enqueue(x, spec{ID: fmt.Sprintf("p%02d", n), Type: "t", Queue: producer.name}))
			x.must(producer.enqueue(x, spec{
				ID: fmt.Sprintf("s%02d", n), Type: "t", Queue: producer.name, ProcessAt: due.Add(time.Duration(n) * time.Minute),
			}))
		}
	}
	for _, producer := range sides {
		for prefix, state := range map[string]task.State{"p": task.Pending, "s": task.Scheduled} {
			var want []string
			for n := range paged {
				want = append(want, fmt.Sprintf("%s%02d", prefix, n))
			}
			name := fmt.Sprintf("%s's %s tasks", producer.name, state)
			wantPages(x, name+" with asynq", want, x.pagesOfAsynq(producer.name, state))
			wantPages(x, name+" with Leat", want, x.pagesOfLeat(producer.name, state))
		}
	}
}

func wantPages(x *bench, name string, want, got []string) {
	x.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		x.Errorf("%s: %v, want %v", name, got, want)
	}
}

func (x *bench) pagesOfAsynq(queue string, state task.State) (ids []string) {
	x.Helper()
	list := x.inspector.ListPendingTasks
	if state == task.Scheduled {
		list = x.inspector.ListScheduledTasks
	}
	for n := 1; ; n++ {
		page, err := list(queue, asynq.PageSize(pageSize), asynq.Page(n))
		x.must(err)
		if len(page) == 0 {
			return ids
		}
		for _, info := range page {
			ids = append(ids, info.ID)
		}
	}
}

func (x *bench) pagesOfLeat(name string, state task.State) (ids []string) {
	x.Helper()
	q := queue.ListQuery{Queue: name, State: state, Limit: pageSize}
	for {
		page, err := x.ours.List(x.Context(), q)
		if err != nil {
			x.Fatal(err)
		}
		for _, info := range page.Tasks {
			ids = append(ids, info.ID)
		}
		if page.Next == "" {
			return ids
		}
		q.After = page.Next
	}
}

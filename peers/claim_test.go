package peers

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// claimModes are Leat's ways for a task to be unique that asynq does not have.
// Each has a queue of its name.
var claimModes = map[string]task.Option{
	"UniqueUntilDone":  task.UniqueUntilDone(),
	"UniqueUntilStart": task.UniqueUntilStart(),
	"UniqueFor":        task.UniqueFor(time.Hour),
	"Debounce":         task.Debounce(time.Second, 0),
	"Rerun":            task.Rerun(),
}

// enqueueOnly enqueues a task with Leat that is to be the only one with its key.
func (x *bench) enqueueOnly(queue, id string, options ...task.Option) (*task.Info, error) {
	options = append(options, task.Queue(queue), task.ID(id))
	return x.client.Enqueue(x.Context(), task.New("t", []byte("p"), options...))
}

// claimed returns the keys of the claims in a queue.
func (x *bench) claimed(queue string) []string {
	return x.redis.Keys(x.Context(), "asynq:{"+queue+"}:unique:*").Val()
}

// A claimEnd is how asynq ends a task that holds a claim of Leat's.
type claimEnd struct {
	name    string
	options []task.Option
	fails   bool
	do      func(*asynq.Inspector, string) error // nil: it is run
	state   string                               // it is in then, "" being gone
	frees   bool                                 // whether asynq frees the claim
}

func claimEnds() []claimEnd {
	type inspector = asynq.Inspector
	// What is debounced is scheduled, and the others are pending.
	either := func(scheduled, pending func(*inspector, string) (int, error)) func(*inspector, string) error {
		return func(i *inspector, queue string) error {
			if queue == "Debounce" {
				return all(scheduled)(i, queue)
			}
			return all(pending)(i, queue)
		}
	}
	return []claimEnd{
		{name: "done", frees: true},
		{name: "completed", options: []task.Option{task.Retention(time.Hour)}, state: "completed", frees: true},
		{name: "deleted", do: each((*inspector).DeleteTask, "a"), frees: true},
		{name: "exhausted", options: []task.Option{task.MaxRetry(0)}, fails: true, state: "archived"},
		{name: "archived", do: each((*inspector).ArchiveTask, "a"), state: "archived"},
		{name: "all archived", do: either((*inspector).ArchiveAllScheduledTasks, (*inspector).ArchiveAllPendingTasks), state: "archived"},
		{name: "all deleted", do: either((*inspector).DeleteAllScheduledTasks, (*inspector).DeleteAllPendingTasks)},
		{name: "with its queue", do: func(i *inspector, queue string) error { return i.DeleteQueue(queue, true) }},
	}
}

// A claim without a TTL that asynq has not freed does not count: its holder is
// gone, or archived.
func TestAClaimOfLeatsIsFreeOnceAsynqHasEndedItsHolderOnRedis(t *testing.T) {
	t.Parallel()
	for _, end := range claimEnds() {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			for mode, unique := range claimModes {
				if _, err := x.enqueueOnly(mode, "a", append(end.options, unique)...); err != nil {
					t.Fatal(mode, err)
				}
				if got := x.claimed(mode); len(got) != 1 {
					t.Errorf("%s: the claims are %q, want one", mode, got)
				}
			}
			endClaims(x, end)
			for mode, unique := range claimModes {
				if got := x.claimed(mode); end.frees && len(got) > 0 {
					t.Errorf("%s: the claims %q are left", mode, got)
				}
				info, err := x.enqueueOnly(mode, "b", unique)
				if err != nil || info.ID != "b" {
					t.Errorf("%s: another one: %+v, %v, want it to be enqueued", mode, info, err)
				}
			}
			cfg := leatConfig("q")
			cfg.Queues = modeQueues()
			startLeat(x, cfg, func(context.Context, run) error { return nil })
			for mode := range claimModes {
				x.wantState(mode, "b", "")
			}
			x.wantSound()
		})
	}
}

func modeQueues() map[string]int {
	queues := map[string]int{}
	for mode := range claimModes {
		queues[mode] = 1
	}
	return queues
}

// endClaims ends the task "a" of every mode.
func endClaims(x *bench, end claimEnd) {
	x.Helper()
	if end.do == nil {
		cfg := asynqConfig("q")
		cfg.Queues = modeQueues()
		stop := startAsynq(x, cfg, func(context.Context, run) error {
			if end.fails {
				return errAsked
			}
			return nil
		})
		defer stop()
	}
	for mode := range claimModes {
		if end.do != nil {
			if err := end.do(x.inspector, mode); err != nil {
				x.Errorf("%s: %v", mode, err)
			}
		}
		x.wantState(mode, "a", end.state)
	}
}

func TestAsynqHonoursTheClaimsOfLeatsModesOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	for _, mode := range []string{"UniqueUntilDone", "UniqueUntilStart", "UniqueFor"} {
		if _, err := x.enqueueOnly(mode, "a", claimModes[mode]); err != nil {
			t.Fatal(err)
		}
		theirs := spec{ID: "b", Type: "t", Queue: mode, Payload: []byte("p"), Unique: time.Hour}
		if err := peer.enqueue(x, theirs); !errors.Is(err, errDuplicate) {
			t.Errorf("%s: asynq enqueues another one: %v, want %v", mode, err, errDuplicate)
		}
	}
	x.wantSound()
}

func TestLeatsModesHonourAClaimOfAsynqsOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	for _, mode := range []string{"UniqueUntilDone", "UniqueUntilStart", "UniqueFor"} {
		x.must(peer.enqueue(x, spec{ID: "a", Type: "t", Queue: mode, Payload: []byte("p"), Unique: time.Hour}))
		_, err := x.enqueueOnly(mode, "b", claimModes[mode])
		var duplicate *queue.DuplicateError
		if !errors.As(err, &duplicate) || duplicate.Holder != "a" {
			t.Errorf("%s: another one: %v, want it to be refused because of a", mode, err)
		}
		if _, err := x.enqueueOnly(mode, "c", claimModes[mode], task.OnConflict(task.Replace)); err != nil {
			t.Errorf("%s: replacing asynq's: %v", mode, err)
		}
		if got := x.info(mode, "a").State; got != asynq.TaskStatePending {
			t.Errorf("%s: what was replaced is %s to asynq, want pending", mode, got)
		}
		x.must(x.inspector.DeleteTask(mode, "a"))
		if got := x.claimed(mode); len(got) > 0 {
			t.Errorf("%s: asynq deletes what Leat has replaced and leaves %q", mode, got)
		}
	}
	x.wantSound()
}

// Until asynq's Done, the key names the task that has started. Leat takes it for
// the next one, and asynq's Done leaves it that.
func TestAClaimUntilTheStartIsFreeWhileAsynqRunsItsHolderOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	h, runs, letGo := hold()
	if _, err := x.enqueueOnly("q", "a", task.UniqueUntilStart()); err != nil {
		t.Fatal(err)
	}
	stop := peer.serve(x, "q", h)
	x.eventually(soon, "asynq runs it", func() bool { return len(runs) == 1 })
	x.must(x.inspector.PauseQueue("q"))
	if _, err := x.enqueueOnly("q", "b", task.UniqueUntilStart()); err != nil {
		t.Errorf("another one, while the first is run: %v", err)
	}
	close(letGo)
	x.wantState("q", "a", "")
	stop()
	if _, err := x.enqueueOnly("q", "c", task.UniqueUntilStart()); !errors.Is(err, queue.ErrDuplicateTask) {
		t.Errorf("a third one, while the second waits: %v, want %v", err, queue.ErrDuplicateTask)
	}
	x.wantSound()
}

func TestWhatWaitsBehindATaskOfAsynqsRunsAfterItOnRedis(t *testing.T) {
	t.Parallel()
	for _, runner := range sides {
		t.Run("by "+runner.name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			h, runs, letGo := hold()
			if _, err := x.enqueueOnly("q", "a", task.Rerun()); err != nil {
				t.Fatal(err)
			}
			stop := peer.serve(x, "q", h)
			x.eventually(soon, "asynq runs it", func() bool { return len(runs) == 1 })
			info, err := x.enqueueOnly("q", "b", task.Rerun())
			if err != nil || info.ID != "b" || x.info("q", "b").State != asynq.TaskStateScheduled {
				t.Fatalf("the next one: %+v, %v, want it scheduled", info, err)
			}
			close(letGo)
			x.wantState("q", "a", "")
			stop()
			// As if the time had passed after which it is looked at again.
			due := redis.Z{Member: "b", Score: float64(time.Now().Unix() - 1)}
			x.must(x.redis.ZAddXX(t.Context(), "asynq:{q}:scheduled", due).Err())
			stop = runner.serve(x, "q", h)
			x.wantState("q", "b", "")
			stop()
			// asynq does not know that b has waited. The next one clears that away.
			if _, err := x.enqueueOnly("q", "c", task.Rerun()); err != nil {
				t.Errorf("a third one: %v", err)
			}
			stop = leat.serve(x, "q", h)
			x.wantState("q", "c", "")
			stop()
			x.advance("q", time.Now().Add(broker.BehindRetry))
			if got := x.claimed("q"); len(got) > 0 {
				t.Errorf("the claims %q are left", got)
			}
			x.wantSound()
		})
	}
}

// What asynq puts into a group names its claim in its message alone, so that
// asynq itself does not free it. Leat does, whatever it does to the task.
func TestLeatFreesTheClaimOfWhatAsynqPutIntoAGroupOnRedis(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*bench) error{
		"folded":  func(x *bench) error { return x.apply(settleFolded(x.gather("g", time.Minute))) },
		"deleted": func(x *bench) error { return x.ours.Delete(x.Context(), "q", "a") },
		"all deleted": func(x *bench) error {
			r := queue.BulkRequest{Queue: "q", State: task.Aggregating, Group: "g", Do: broker.Delete}
			_, err := x.ours.Bulk(x.Context(), r)
			return err
		},
		"run": func(x *bench) error {
			if err := x.ours.Run(x.Context(), "q", "a"); err != nil {
				return err
			}
			l := x.lease(time.Now().Add(time.Minute))
			return x.apply(broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			x.must(peer.enqueue(x, spec{ID: "a", Type: "t", Queue: "q", Payload: []byte("p"), Group: "g", Unique: time.Hour}))
			if got := x.claimed("q"); len(got) != 1 {
				t.Errorf("the claims are %q, want one", got)
			}
			if err := end(x); err != nil {
				t.Fatal(err)
			}
			if got := x.claimed("q"); len(got) > 0 {
				t.Errorf("the claims %q are left", got)
			}
			x.wantSound()
		})
	}
}

// asynq frees no claim of what it folds. Those of Leat's do not count then.
func TestAClaimOfLeatsIsFreeOnceAsynqHasFoldedItsHolderOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	f := newFolder()
	options := []task.Option{task.Group("g"), task.Header("id", "p"), task.UniqueUntilDone()}
	if _, err := x.enqueueOnly("q", "a", options...); err != nil {
		t.Fatal(err)
	}
	if _, err := x.enqueueOnly("q", "b", options...); !errors.Is(err, queue.ErrDuplicateTask) {
		t.Errorf("another one: %v, want %v", err, queue.ErrDuplicateTask)
	}
	stop := serveFolding(x, "q", f.handle)
	x.eventually(soon, "asynq folds it", func() bool { return f.seen() == 1 && x.counts("q").Size() == 0 })
	stop()
	if _, err := x.enqueueOnly("q", "c", options...); err != nil {
		t.Errorf("another one after that: %v", err)
	}
	x.must(x.ours.Delete(t.Context(), "q", "c"))
	x.wantSound()
}

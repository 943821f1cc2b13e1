package peers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// A batch of Leat's is what asynq knows as an aggregation set.

// batched returns a bench with a group of three tasks of each side, which Leat
// has just leased as one batch.
func batched(t *testing.T, lease time.Duration) (*bench, broker.Batch) {
	t.Helper()
	x := newBench(t)
	for _, s := range sides {
		for n := range 3 {
			id := fmt.Sprintf("%s-%d", s.name, n)
			x.must(s.enqueue(x, spec{
				ID: id, Type: "t", Queue: "q", Payload: []byte(id), Headers: map[string]string{"id": id}, Group: "g",
			}))
		}
	}
	b := x.gather("g", lease)
	if len(b.Members) != 6 {
		t.Fatalf("Gather() returns %d entries, want 6", len(b.Members))
	}
	return x, b
}

// wantReclaimed runs a server of asynq until it has taken back what it may, and
// fails the test unless that is as many sets as wanted.
func wantReclaimed(x *bench, want int) {
	x.Helper()
	before := x.redis.ZCard(x.Context(), "asynq:{q}:aggregation_sets").Val()
	h, runs, letGo := hold()
	close(letGo)
	x.must(peer.enqueue(x, spec{ID: "probe", Type: "t", Queue: "q"}))
	stop := peer.serve(x, "q", h)
	x.eventually(soon, "asynq runs", func() bool { return len(runs) == 1 })
	// Its recoverer begins as it starts, and has two commands to send.
	x.eventually(soon, "it takes back what it may", func() bool {
		return want == 0 || x.redis.ZCard(x.Context(), "asynq:{q}:aggregation_sets").Val() == before-int64(want)
	})
	time.Sleep(300 * time.Millisecond)
	stop()
	if after := x.redis.ZCard(x.Context(), "asynq:{q}:aggregation_sets").Val(); after != before-int64(want) {
		x.Errorf("asynq has taken back %d sets, want %d", before-after, want)
	}
}

func TestAsynqLeavesABatchToLeatAsLongAsItIsLeasedOnRedis(t *testing.T) {
	t.Parallel()
	x, b := batched(t, time.Second)
	time.Sleep(time.Until(b.Until) + 100*time.Millisecond)
	wantReclaimed(x, 0) // even thirty seconds more
	if err := x.apply(settleFolded(b)); err != nil {
		t.Errorf("settling the batch: %v", err)
	}
	if c := x.counts("q"); c.Aggregating != 0 || c.Pending != 1 {
		t.Errorf("counts = %+v, want one pending: what all were folded into", c)
	}
	x.wantSound()
}

func TestABatchOfLeatsHasWhatAsynqGaveItsTasksOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	deadline := time.Now().Add(time.Hour).Truncate(time.Second)
	x.must(peer.enqueue(x, spec{
		ID: "a", Type: "mail:send", Queue: "q", Payload: []byte("\x00\xff"), Headers: map[string]string{"k": "v"}, MaxRetry: new(7),
		Timeout: time.Minute, Deadline: deadline, Unique: time.Hour, Retention: 2 * time.Hour, Group: "g",
	}))
	want := broker.Entry{
		EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "mail:send", Payload: []byte("\x00\xff"),
		Headers: map[string]string{"k": "v"}, MaxRetry: 7, Timeout: time.Minute, Deadline: deadline, Retention: 2 * time.Hour,
		Group: "g", Claim: broker.Claim{Key: "mail:send:d07d34efac6328007ad67c7e0a985e00"},
	}
	b := x.gather("g", time.Minute)
	if diff := cmp.Diff(want, b.Members[0].Entry); diff != "" {
		t.Errorf("Gather() (-want +got):\n%s", diff)
	}
	// Kept as completed, it frees its claim, and shows what it came to.
	x.must(x.apply(broker.Change{Settle: []broker.Settlement{{
		Token: b.Token, Entry: b.Members[0].Entry, To: broker.Completed, At: time.Now().Add(time.Hour), Result: []byte("result"),
	}}}))
	if info := x.info("q", "a"); info.State != asynq.TaskStateCompleted || string(info.Result) != "result" {
		t.Errorf("asynq says that it is %s with the result %q", info.State, info.Result)
	}
	if keys := x.claimed("q"); len(keys) > 0 {
		t.Errorf("the claims %q are left", keys)
	}
	x.wantSound()
}

// asynq does not add the group's name when it takes a set back, so that nobody
// looks at the group again.
func TestABatchThatAsynqTookBackIsFoldedAgainOnRedis(t *testing.T) {
	t.Parallel()
	for _, by := range sides {
		t.Run("by "+by.name, func(t *testing.T) {
			t.Parallel()
			x, b := batched(t, time.Second)
			set := x.redis.ZRange(t.Context(), "asynq:{q}:aggregation_sets", 0, -1).Val()
			if len(set) != 1 || !strings.HasPrefix(set[0], "asynq:{q}:g:g:") {
				t.Fatalf("aggregation_sets = %q, want one of the group", set)
			}
			past := redis.Z{Member: set[0], Score: float64(time.Now().Unix() - 1)}
			x.must(x.redis.ZAddXX(t.Context(), "asynq:{q}:aggregation_sets", past).Err())
			wantReclaimed(x, 1)
			if err := x.apply(settleFolded(b)); !errors.Is(err, broker.ErrLeaseLost) {
				t.Errorf("settling the batch that asynq took back: %v, want %v", err, broker.ErrLeaseLost)
			}
			time.Sleep(time.Until(b.Until) + 100*time.Millisecond)
			x.advance("q", time.Now())
			wantGroup(x, "g", 6)
			x.wantSound()

			f := newFolder()
			if by.name == leat.name {
				leat.serve(x, "q", f.handle)
				foldAll(x, "g")
			} else {
				serveFolding(x, "q", f.handle)
			}
			wantFolded(x, f, 3)
		})
	}
}

// What a server of asynq that was killed while it folded has left, asynq takes
// back two minutes after it began, and strands: see above.
func TestASetThatAsynqLeftIsFoldedInTheEndOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	for _, s := range sides {
		for n := range 3 {
			id := fmt.Sprintf("%s-%d", s.name, n)
			x.must(s.enqueue(x, spec{
				ID: id, Type: "t", Queue: "q", Payload: []byte(id), Headers: map[string]string{"id": id}, Group: "g",
			}))
		}
	}
	// As asynq freezes a group, which it empties and drops thereby.
	ctx, set := t.Context(), "asynq:{q}:g:g:0b4ca4e1-6b2b-4e5c-8a38-3b2a2f6b1d0e"
	x.must(x.redis.Rename(ctx, "asynq:{q}:g:g", set).Err())
	x.must(x.redis.SRem(ctx, "asynq:{q}:groups", "g").Err())
	x.must(x.redis.ZAdd(ctx, "asynq:{q}:aggregation_sets", redis.Z{Member: set, Score: float64(time.Now().Unix() + 3)}).Err())

	f := newFolder()
	leat.serve(x, "q", f.handle)
	foldAll(x, "g")
	time.Sleep(time.Second)
	if n := f.seen(); n != 0 {
		t.Errorf("%d tasks were folded while asynq had them", n)
	}
	wantFolded(x, f, 3)
	x.wantSound()
}

func TestAsynqsInspectorLeavesABatchOfLeatsAloneOnRedis(t *testing.T) {
	t.Parallel()
	x, b := batched(t, time.Minute)
	for name, do := range map[string]func(string, string) error{
		"RunTask": x.inspector.RunTask, "ArchiveTask": x.inspector.ArchiveTask, "DeleteTask": x.inspector.DeleteTask,
	} {
		if err := do("q", "leat-0"); err == nil {
			t.Errorf("%s() succeeds with a task that is being folded", name)
		}
	}
	for name, do := range map[string]func(string, string) (int, error){
		"RunAllAggregatingTasks":     x.inspector.RunAllAggregatingTasks,
		"ArchiveAllAggregatingTasks": x.inspector.ArchiveAllAggregatingTasks,
		"DeleteAllAggregatingTasks":  x.inspector.DeleteAllAggregatingTasks,
	} {
		if n, err := do("q", "g"); err != nil || n != 0 {
			t.Errorf("%s() = %d, %v, want none", name, n, err)
		}
	}
	if got := x.info("q", "leat-0").State.String(); got != "aggregating" {
		t.Errorf("GetTaskInfo() says %s, want aggregating", got)
	}
	if err := x.apply(settleFolded(b)); err != nil {
		t.Errorf("settling the batch: %v", err)
	}
	f := newFolder()
	peer.serve(x, "q", f.handle)
	wantFolded(x, f, 3)
	x.wantSound()
}

// A name that Leat refuses is no reason to lose what asynq put there.
func TestAGroupWhoseNameLeatRefusesIsLeftToAsynqOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	x.must(peer.enqueue(x, spec{ID: "a", Type: "t", Queue: "q", Payload: []byte("a"), Headers: map[string]string{"id": "a"}, Group: "a {name} of theirs"}))
	x.must(peer.enqueue(x, spec{ID: "b", Type: "t", Queue: "q", Payload: []byte("b"), Group: "g"}))
	if _, err := x.ours.Groups(t.Context(), "q"); err != nil {
		t.Errorf("Groups() = %v", err)
	}
	if _, err := x.broker.Gather(t.Context(), time.Now(), broker.GatherRequest{
		Queue: "q", Group: "a {name} of theirs", Token: "token", MaxSize: 1, Until: time.Now().Add(time.Second),
	}); !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Gather() of such a group: %v, want %v", err, broker.ErrRefused)
	}
	if b := x.gather("g", time.Minute); len(b.Members) != 1 {
		t.Errorf("Gather() of another group returns %d entries, want 1", len(b.Members))
	}
	x.advance("q", time.Now())
	if info, err := x.inspector.GetQueueInfo("q"); err != nil || info.Aggregating != 1 {
		t.Errorf("asynq counts %+v, %v, want one aggregating: the other is frozen", info, err)
	}
	f := newFolder()
	serveFolding(x, "q", func(ctx context.Context, r run) error { return f.handle(ctx, r) })
	x.eventually(soon, "asynq folds it", func() bool { return f.seen() == 1 })
	if f.folded["a"] != 1 {
		t.Errorf("asynq folded %v, want a", f.folded)
	}
}

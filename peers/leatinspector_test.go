package peers

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// stagedInfos is what Leat is to tell of a stage that asynq has set.
func stagedInfos(s *stage) map[task.State]*task.Info {
	now := time.Now()
	half := 30 * time.Minute
	infos := map[task.State]*task.Info{
		task.Pending:   {MaxRetry: 25, Timeout: half, NextProcessAt: now, UniqueKey: claimOfPending},
		task.Active:    {MaxRetry: 25, Deadline: now.Add(time.Hour)},
		task.Scheduled: {MaxRetry: 25, Timeout: half, NextProcessAt: s.due},
		task.Retry: {
			MaxRetry: 3, Retried: 1, Timeout: half, LastErr: errLater.Error(), LastFailedAt: now, NextProcessAt: now.Add(time.Hour),
		},
		task.Archived: {Timeout: half, LastErr: errLater.Error(), LastFailedAt: now},
		task.Completed: {
			MaxRetry: 25, Timeout: half, Retention: time.Hour, CompletedAt: now, Result: []byte("result"),
		},
		task.Aggregating: {MaxRetry: 25, Timeout: half, Group: stagedGroup},
	}
	for state, info := range infos {
		info.ID, info.Queue, info.State = state.String(), s.queue, state
		info.Type, info.Payload = "t:"+info.ID, []byte(stagedPayload)
	}
	return infos
}

// claimOfPending is the key of the staged task that is unique.
const claimOfPending = "t:pending:321c3cf486ed509164edec1e1981fec8"

// groupOf returns the group to be named with a state, "" for most.
func groupOf(state task.State) string {
	if state == task.Aggregating {
		return stagedGroup
	}
	return ""
}

func TestLeatsInspectorListsWhatAsynqWroteOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), peer, "q")
	same := cmp.Options{cmpopts.EquateApproxTime(soon), cmpopts.EquateEmpty()}
	for state, info := range stagedInfos(s) {
		for _, newest := range []bool{false, true} {
			page, err := s.ours.List(t.Context(), queue.ListQuery{Queue: "q", State: state, Group: groupOf(state), Newest: newest})
			if err != nil {
				t.Errorf("list of %s tasks: %v", state, err)
				continue
			}
			if diff := cmp.Diff([]*task.Info{info}, page.Tasks, same); diff != "" {
				t.Errorf("list of %s tasks (-want +got):\n%s", state, diff)
			}
		}
		got, err := s.ours.Get(t.Context(), "q", info.ID)
		if diff := cmp.Diff(info, got, same); err != nil || diff != "" {
			t.Errorf("Get(%s): %v (-want +got):\n%s", info.ID, err, diff)
		}
		found, err := s.ours.Find(t.Context(), info.ID)
		if diff := cmp.Diff([]*task.Info{info}, found, same); err != nil || diff != "" {
			t.Errorf("Find(%s): %v (-want +got):\n%s", info.ID, err, diff)
		}
	}
	s.wantSound()
}

func TestLeatsInspectorCountsWhatAsynqDidOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), peer, "q")
	info, err := s.ours.QueueInfo(t.Context(), "q")
	if err != nil {
		t.Fatal(err)
	}
	want := &queue.QueueInfo{Counts: broker.Counts{
		Queue: "q", Pending: 1, Active: 1, Scheduled: 1, Retry: 1, Archived: 1, Completed: 1, Aggregating: 1, Groups: 1,
		Paused: true, Processed: 3, Failed: 2, ProcessedTotal: 3, FailedTotal: 2, ReadySince: time.Now(),
	}}
	same := cmp.Options{cmpopts.EquateApproxTime(soon), cmpopts.IgnoreFields(queue.QueueInfo{}, "Memory", "Latency")}
	if diff := cmp.Diff(want, info, same); diff != "" {
		t.Errorf("QueueInfo() (-want +got):\n%s", diff)
	}
	if info.Memory <= 0 || info.MemoryErr != nil || info.Latency < -clockError || info.Latency > soon {
		t.Errorf("QueueInfo() says %d bytes (%v), latency %v", info.Memory, info.MemoryErr, info.Latency)
	}
	days, err := s.ours.History(t.Context(), "q", 2)
	if err != nil || len(days) != 2 || days[0].Processed != 3 || days[0].Failed != 2 {
		t.Errorf("History() = %v, %v, want 3 processed and 2 failed today", days, err)
	}
	queues, err := s.ours.Queues(t.Context())
	if err != nil || !slices.Equal(queues, []string{"q"}) {
		t.Errorf("Queues() = %q, %v, want q", queues, err)
	}
	groups, err := s.ours.Groups(t.Context(), "q")
	if err != nil || len(groups) != 1 || groups[0].Name != stagedGroup || groups[0].Size != 1 {
		t.Errorf("Groups() = %+v, %v, want %s with one", groups, err, stagedGroup)
	}
}

func TestLeatsInspectorSeesAsynqsServersOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), peer, "q")
	var servers []broker.Server
	s.eventually(soon, "the server says what it runs", func() bool {
		var err error
		servers, err = s.ours.Servers(t.Context())
		return err != nil || len(servers) == 1 && len(servers[0].Workers) == 1
	})
	host, _ := os.Hostname()
	now := time.Now()
	want := []broker.Server{{
		Host: host, PID: os.Getpid(), Concurrency: slots, Queues: map[string]int{"q": 1}, Status: "active", Started: now,
		Workers: []broker.Worker{{
			Entry: broker.EntryRef{Queue: "q", ID: "active"}, Type: "t:active", Payload: []byte(stagedPayload),
			Started: now, Deadline: now.Add(time.Hour),
		}},
	}}
	if diff := cmp.Diff(want, servers, cmpopts.EquateApproxTime(soon), cmpopts.IgnoreFields(broker.Server{}, "ID")); diff != "" {
		t.Errorf("Servers() (-want +got):\n%s", diff)
	}
	s.end()
	if servers, err := s.ours.Servers(t.Context()); err != nil || len(servers) != 0 {
		t.Errorf("Servers() after the shutdown = %v, %v, want none", servers, err)
	}
}

// moves are what Leat's inspector does to one task, by what it does, and the
// state in which that leaves it, "" being gone.
func moves() map[string]struct {
	do   func(*stage, string) error
	want string
} {
	type move = struct {
		do   func(*stage, string) error
		want string
	}
	return map[string]move{
		"run":     {func(s *stage, id string) error { return s.ours.Run(s.Context(), s.queue, id) }, "pending"},
		"archive": {func(s *stage, id string) error { return s.ours.Archive(s.Context(), s.queue, id) }, "archived"},
		"delete":  {func(s *stage, id string) error { return s.ours.Delete(s.Context(), s.queue, id) }, ""},
		"cancel":  {func(s *stage, id string) error { return s.ours.Cancel(s.Context(), s.queue, id) }, "archived"},
		"reschedule": {func(s *stage, id string) error {
			return s.ours.Reschedule(s.Context(), s.queue, id, time.Now().Add(time.Hour))
		}, "scheduled"},
	}
}

// movable are the states in which each of the moves may be made.
var movable = map[string][]task.State{
	"run":        {task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating},
	"archive":    {task.Pending, task.Scheduled, task.Retry, task.Completed, task.Aggregating},
	"delete":     {task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating},
	"cancel":     {task.Pending, task.Scheduled, task.Retry, task.Aggregating},
	"reschedule": {task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating},
}

func TestLeatsInspectorMayActOnWhatAsynqWroteOnRedis(t *testing.T) {
	t.Parallel()
	for name, move := range moves() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setStage(newBench(t), peer, "q")
			for _, state := range task.States() {
				if name == "cancel" && state == task.Active {
					continue // see TestLeatsCancelEndsAHandlerOfAsynqOnRedis
				}
				err := move.do(s, state.String())
				if slices.Contains(movable[name], state) {
					s.must(err)
					wantMoved(s, state.String(), move.want)
				} else if !errors.Is(err, broker.ErrState) {
					t.Errorf("%s %s: %v, want %v", name, state, err, broker.ErrState)
				}
			}
			s.end()
			wantRunByAsynq(s)
		})
	}
}

// wantMoved fails the test unless asynq finds a task where it is to be, and
// nowhere else.
func wantMoved(s *stage, id, want string) {
	s.Helper()
	if got := s.state(s.queue, id); got != want {
		s.Errorf("%s is %q, want %q", id, got, want)
	}
	if want != "" {
		if got := s.info(s.queue, id).State.String(); got != want {
			s.Errorf("asynq says that %s is %s, want %s", id, got, want)
		}
	}
	for _, fault := range s.faults() {
		s.Errorf("after %s, Verify() reports %q", id, fault)
	}
}

// wantRunByAsynq fails the test unless asynq runs whatever is ready, and what is
// left is sound.
func wantRunByAsynq(s *stage) {
	s.Helper()
	s.must(s.inspector.UnpauseQueue(s.queue))
	stop := peer.serve(s.bench, s.queue, func(context.Context, run) error { return nil })
	s.eventually(soon, "asynq runs what is ready", func() bool {
		c := s.counts(s.queue)
		return c.Pending+c.Active == 0
	})
	stop()
	s.wantSound()
}

func TestLeatsBulkActsOnAllThatAsynqWroteOnRedis(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]broker.Act{
		"run": broker.Run, "archive": broker.Archive, "delete": broker.Delete, "cancel": broker.Cancel, "reschedule": broker.Reschedule,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setStage(newBench(t), peer, "q")
			s.end()
			want := moves()[name].want
			for _, state := range movable[name] {
				r := queue.BulkRequest{Queue: "q", State: state, Group: groupOf(state), Do: act}
				if act == broker.Reschedule {
					r.At = time.Now().Add(time.Hour)
				}
				before := s.counts("q")
				result, err := s.ours.Bulk(t.Context(), r)
				if err != nil || result.Done < 1 {
					t.Errorf("Bulk(%s, %s) = %+v, %v; counts were %+v", name, state, result, err, before)
				}
				wantMoved(s, state.String(), want)
			}
			wantRunByAsynq(s)
		})
	}
}

func TestAsynqRunsWhatLeatsInspectorHasEditedOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), peer, "q")
	s.end()
	waiting := []string{"pending", "scheduled", "retry", "aggregating"}
	for _, id := range waiting {
		if err := s.ours.EditPayload(t.Context(), "q", id, []byte("new")); err != nil {
			t.Errorf("EditPayload(%s): %v", id, err)
		}
		if got := s.info("q", id); string(got.Payload) != "new" || got.State.String() != id {
			t.Errorf("asynq says that %s is %s with the payload %q", id, got.State, got.Payload)
		}
		if id != "pending" {
			s.must(s.ours.Run(t.Context(), "q", id))
		}
	}
	for _, id := range []string{"archived", "completed"} {
		if err := s.ours.EditPayload(t.Context(), "q", id, []byte("new")); !errors.Is(err, broker.ErrState) {
			t.Errorf("EditPayload(%s) = %v, want %v", id, err, broker.ErrState)
		}
	}
	payloads := make(chan string, 100)
	s.must(s.inspector.UnpauseQueue("q"))
	stop := peer.serve(s.bench, "q", func(_ context.Context, r run) error {
		payloads <- r.Payload
		return nil
	})
	for range waiting {
		if got := <-payloads; got != "new" {
			t.Errorf("asynq's handler gets %q, want new", got)
		}
	}
	stop()
	if keys := s.claimed("q"); len(keys) > 0 {
		t.Errorf("the claims %q are left", keys)
	}
	s.wantSound()
}

// orphan has asynq's active task seem to have lost its worker.
func (s *stage) orphan() {
	past := redis.Z{Member: "active", Score: float64(time.Now().Unix() - 1)}
	s.must(s.redis.ZAddXX(s.Context(), "asynq:{"+s.queue+"}:lease", past).Err())
}

func TestLeatsInspectorRecoversOrDropsWhatAWorkerOfAsynqsLeftOnRedis(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"recover": "pending", "drop": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setStage(newBench(t), peer, "q")
			do := s.ours.Recover
			if name == "drop" {
				do = s.ours.Drop
			}
			if err := do(t.Context(), "q", "active"); !errors.Is(err, broker.ErrState) {
				t.Errorf("%s of a task that has a worker: %v, want %v", name, err, broker.ErrState)
			}
			s.orphan()
			if info, err := s.ours.Get(t.Context(), "q", "active"); err != nil || !info.IsOrphaned {
				t.Errorf("Get() = %+v, %v, want it orphaned", info, err)
			}
			s.must(do(t.Context(), "q", "active"))
			wantMoved(s, "active", want)
			s.must(s.ours.Delete(t.Context(), "q", "pending"))
			if want != "" {
				s.must(s.ours.Delete(t.Context(), "q", "active"))
			}
			s.end() // asynq's worker finds nothing to settle
			s.wantSound()
		})
	}
}

// The stage has all that asynq ever leaves in a queue.
func TestLeatsRemoveQueueLeavesNoKeyOfAQueueOfAsynqsOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), peer, "q")
	if err := s.ours.RemoveQueue(t.Context(), "q", true); !errors.Is(err, queue.ErrQueueNotEmpty) {
		t.Errorf("RemoveQueue() of a queue with an active task = %v, want %v", err, queue.ErrQueueNotEmpty)
	}
	s.end()
	s.put(spec{ID: "unique", Unique: time.Hour})
	s.put(spec{ID: "unique-group", Unique: time.Hour, Group: "other"})
	s.must(s.inspector.DeleteTask("q", "unique-group")) // which keeps its claim
	s.put(spec{ID: "an {id} of theirs", Group: stagedGroup})
	// asynq's recoverer and forwarder put tasks into groups without naming those.
	s.put(spec{ID: "stranded", Group: "stranded"})
	s.must(s.redis.SRem(t.Context(), "asynq:{q}:groups", "stranded").Err())
	if err := s.ours.RemoveQueue(t.Context(), "q", false); !errors.Is(err, queue.ErrQueueNotEmpty) {
		t.Errorf("RemoveQueue() of a queue with tasks = %v, want %v", err, queue.ErrQueueNotEmpty)
	}
	s.must(s.ours.RemoveQueue(t.Context(), "q", true))
	for _, key := range s.redis.Keys(t.Context(), "*").Val() {
		if strings.Contains(key, "{q}") {
			t.Errorf("the key %s is left", key)
		}
	}
	if queues, err := s.inspector.Queues(); err != nil || len(queues) != 0 {
		t.Errorf("asynq's Queues() = %q, %v, want none", queues, err)
	}
	if _, err := s.ours.QueueInfo(t.Context(), "q"); !errors.Is(err, queue.ErrQueueNotFound) {
		t.Errorf("QueueInfo() = %v, want %v", err, queue.ErrQueueNotFound)
	}
	s.put(spec{ID: "again"})
	wantRunAgain(s)
}

// asynq's tools empty the group, as Leat's do not.
func TestAQueueIsRemovedOnceAsynqHasEmptiedAGroupWhoseNameLeatRefusesOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), peer, "q")
	s.end()
	const group = "a {name} of theirs"
	s.put(spec{ID: "theirs", Group: group})
	if err := s.ours.RemoveQueue(t.Context(), "q", true); !errors.Is(err, queue.ErrQueueNotEmpty) {
		t.Errorf("RemoveQueue() = %v, want %v", err, queue.ErrQueueNotEmpty)
	}
	if got := s.info("q", "theirs").Group; got != group {
		t.Errorf("the task is in the group %q, want %q", got, group)
	}
	if n, err := s.inspector.DeleteAllAggregatingTasks("q", group); err != nil || n != 1 {
		t.Errorf("DeleteAllAggregatingTasks() = %d, %v, want 1", n, err)
	}
	s.must(s.ours.RemoveQueue(t.Context(), "q", true))
	s.wantSound()
}

// wantRunAgain fails the test unless asynq runs what it has put into a queue that
// was removed.
func wantRunAgain(s *stage) {
	s.Helper()
	stop := peer.serve(s.bench, s.queue, func(context.Context, run) error { return nil })
	s.wantState(s.queue, "again", "")
	stop()
	s.wantSound()
}

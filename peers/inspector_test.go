package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"
)

func TestAsynqsInspectorListsWhatLeatWroteOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), leat, "q")
	now := time.Now()
	want := map[string]asynq.TaskInfo{
		"pending":   {State: asynq.TaskStatePending, MaxRetry: 25, Timeout: 30 * time.Minute, NextProcessAt: now},
		"active":    {State: asynq.TaskStateActive, MaxRetry: 25, Deadline: now.Add(time.Hour)},
		"scheduled": {State: asynq.TaskStateScheduled, MaxRetry: 25, Timeout: 30 * time.Minute, NextProcessAt: s.due},
		"retry": {
			State: asynq.TaskStateRetry, MaxRetry: 3, Retried: 1, Timeout: 30 * time.Minute,
			LastErr: errLater.Error(), LastFailedAt: now, NextProcessAt: now.Add(time.Hour),
		},
		"archived": {
			State: asynq.TaskStateArchived, Timeout: 30 * time.Minute, LastErr: errLater.Error(), LastFailedAt: now,
		},
		"completed": {
			State: asynq.TaskStateCompleted, MaxRetry: 25, Timeout: 30 * time.Minute,
			Retention: time.Hour, CompletedAt: now, Result: []byte("result"),
		},
		"aggregating": {
			State: asynq.TaskStateAggregating, MaxRetry: 25, Timeout: 30 * time.Minute, Group: stagedGroup,
		},
	}
	same := cmp.Options{cmpopts.EquateApproxTime(soon), cmpopts.EquateEmpty()}
	lists := map[string]func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
		"pending":   s.inspector.ListPendingTasks,
		"active":    s.inspector.ListActiveTasks,
		"scheduled": s.inspector.ListScheduledTasks,
		"retry":     s.inspector.ListRetryTasks,
		"archived":  s.inspector.ListArchivedTasks,
		"completed": s.inspector.ListCompletedTasks,
		"aggregating": func(queue string, options ...asynq.ListOption) ([]*asynq.TaskInfo, error) {
			return s.inspector.ListAggregatingTasks(queue, stagedGroup, options...)
		},
	}
	for state, info := range want {
		info.ID, info.Queue, info.Type, info.Payload = state, "q", "t:"+state, []byte(stagedPayload)
		listed, err := lists[state]("q")
		if err != nil {
			t.Errorf("list of %s tasks: %v", state, err)
		}
		if diff := cmp.Diff([]*asynq.TaskInfo{&info}, listed, same); diff != "" {
			t.Errorf("list of %s tasks (-want +got):\n%s", state, diff)
		}
		if diff := cmp.Diff(&info, s.info("q", state), same); diff != "" {
			t.Errorf("info of the %s task (-want +got):\n%s", state, diff)
		}
	}
	s.wantSound()
}

func TestAsynqsInspectorCountsWhatLeatDidOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), leat, "q")
	info, err := s.inspector.GetQueueInfo("q")
	if err != nil {
		t.Fatal(err)
	}
	want := &asynq.QueueInfo{
		Queue: "q", Size: 7, Pending: 1, Active: 1, Scheduled: 1, Retry: 1, Archived: 1, Completed: 1, Aggregating: 1, Groups: 1,
		Processed: 3, Failed: 2, ProcessedTotal: 3, FailedTotal: 2, Paused: true, Timestamp: time.Now(),
	}
	if diff := cmp.Diff(want, info, cmpopts.EquateApproxTime(soon), cmpopts.IgnoreFields(asynq.QueueInfo{}, "MemoryUsage", "Latency")); diff != "" {
		t.Errorf("GetQueueInfo() (-want +got):\n%s", diff)
	}
	if info.MemoryUsage <= 0 || info.Latency < -clockError || info.Latency > soon {
		t.Errorf("GetQueueInfo() says %d bytes, latency %v", info.MemoryUsage, info.Latency)
	}
	days, err := s.inspector.History("q", 2)
	if err != nil || len(days) != 2 || days[0].Processed != 3 || days[0].Failed != 2 {
		t.Errorf("History() = %v, %v, want 3 processed and 2 failed today", days, err)
	}
	queues, err := s.inspector.Queues()
	if err != nil || !slices.Equal(queues, []string{"q"}) {
		t.Errorf("Queues() = %q, %v, want q", queues, err)
	}
}

func TestAsynqsInspectorSeesLeatsServersOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), leat, "q")
	var servers []*asynq.ServerInfo
	s.eventually(soon, "the server says what it runs", func() bool {
		var err error
		servers, err = s.inspector.Servers()
		return err != nil || len(servers) == 1 && len(servers[0].ActiveWorkers) == 1
	})
	host, _ := os.Hostname()
	now := time.Now()
	want := []*asynq.ServerInfo{{
		Host: host, PID: os.Getpid(), Concurrency: slots, Queues: map[string]int{"q": 1}, Status: "active", Started: now,
		ActiveWorkers: []*asynq.WorkerInfo{{
			TaskID: "active", TaskType: "t:active", TaskPayload: []byte(stagedPayload), Queue: "q",
			Started: now, Deadline: now.Add(time.Hour),
		}},
	}}
	if diff := cmp.Diff(want, servers, cmpopts.EquateApproxTime(soon), cmpopts.IgnoreFields(asynq.ServerInfo{}, "ID")); diff != "" {
		t.Errorf("Servers() (-want +got):\n%s", diff)
	}
	s.end()
	if servers, err := s.inspector.Servers(); err != nil || len(servers) != 0 {
		t.Errorf("Servers() after the shutdown = %v, %v, want none", servers, err)
	}
}

func TestLeatObeysAsynqsPauseOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), leat, "q") // paused, with a server
	time.Sleep(500 * time.Millisecond)
	if got := s.state("q", "pending"); got != "pending" {
		t.Errorf("a task of a paused queue is %q", got)
	}
	s.must(s.inspector.UnpauseQueue("q"))
	s.wantState("q", "pending", "")
	s.wantSound()
}

func TestLeatRunsWhatAsynqsInspectorSendsBackOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), leat, "q")
	s.end()
	s.must(s.inspector.UpdateTaskPayload("q", "scheduled", []byte("new")))
	sent := []string{"scheduled", "retry", "archived", "completed", "aggregating"}
	for _, id := range sent {
		if err := s.inspector.RunTask("q", id); err != nil {
			t.Errorf("RunTask(%s): %v", id, err)
		}
	}
	s.must(s.inspector.UnpauseQueue("q"))
	payloads := make(chan string, 100)
	stop := leat.serve(s.bench, "q", func(_ context.Context, r run) error {
		payloads <- r.ID + " with " + r.Payload
		return nil
	})
	var got []string
	for range 1 + len(sent) {
		got = append(got, <-payloads)
	}
	want := []string{"pending with payload", "scheduled with new", "retry with payload", "archived with payload", "completed with payload", "aggregating with payload"}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	s.wantState("q", "completed", "completed")
	stop()
	if c := s.counts("q"); c.Size() != 1 || c.Completed != 1 {
		t.Errorf("what is left: %+v, want the completed one", c)
	}
	s.advance("q", time.Now().Add(2*time.Hour))
	s.wantSound()
}

// An act is something that asynq's inspector does to a stage.
type act struct {
	name   string
	do     func(*asynq.Inspector, string) error
	state  string // whose task it is about
	want   string // its state then, "" being gone
	leaves []string
}

// What asynq's inspector leaves of Leat's: the exact time of what it has moved,
// or deleted, until that time has come and Leat looks at it.
const (
	exactTime = "queue %s has an exact time for %s, which does not wait for it"
	noEntry   = "leat:due of queue %s names %s, which does not exist"
	lostClaim = "claim t:pending:321c3cf486ed509164edec1e1981fec8 of queue %s is held by %s, which does not claim it"
)

func each(do func(*asynq.Inspector, string, string) error, id string) func(*asynq.Inspector, string) error {
	return func(i *asynq.Inspector, queue string) error { return do(i, queue, id) }
}

func grouped(do func(*asynq.Inspector, string, string) (int, error)) func(*asynq.Inspector, string) error {
	return all(func(i *asynq.Inspector, queue string) (int, error) { return do(i, queue, stagedGroup) })
}

func all(do func(*asynq.Inspector, string) (int, error)) func(*asynq.Inspector, string) error {
	return func(i *asynq.Inspector, queue string) error {
		n, err := do(i, queue)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d tasks, want 1", n)
		}
		return err
	}
}

func acts() []act {
	type inspector = asynq.Inspector
	run, archive, remove := (*inspector).RunTask, (*inspector).ArchiveTask, (*inspector).DeleteTask
	moved, gone := []string{exactTime}, []string{exactTime, noEntry}
	return []act{
		{"run scheduled", each(run, "scheduled"), "scheduled", "pending", moved},
		{"run retry", each(run, "retry"), "retry", "pending", moved},
		{"run archived", each(run, "archived"), "archived", "pending", nil},
		{"run completed", each(run, "completed"), "completed", "pending", nil},
		{"run aggregating", each(run, "aggregating"), "aggregating", "pending", nil},
		{"archive pending", each(archive, "pending"), "pending", "archived", nil},
		{"archive scheduled", each(archive, "scheduled"), "scheduled", "archived", moved},
		{"archive retry", each(archive, "retry"), "retry", "archived", moved},
		{"archive completed", each(archive, "completed"), "completed", "archived", nil},
		{"archive aggregating", each(archive, "aggregating"), "aggregating", "archived", nil},
		{"delete pending", each(remove, "pending"), "pending", "", nil},
		{"delete scheduled", each(remove, "scheduled"), "scheduled", "", gone},
		{"delete retry", each(remove, "retry"), "retry", "", gone},
		{"delete archived", each(remove, "archived"), "archived", "", nil},
		{"delete completed", each(remove, "completed"), "completed", "", nil},
		{"delete aggregating", each(remove, "aggregating"), "aggregating", "", nil},
		{"run all scheduled", all((*inspector).RunAllScheduledTasks), "scheduled", "pending", moved},
		{"run all retry", all((*inspector).RunAllRetryTasks), "retry", "pending", moved},
		{"run all archived", all((*inspector).RunAllArchivedTasks), "archived", "pending", nil},
		{"run all aggregating", grouped((*inspector).RunAllAggregatingTasks), "aggregating", "pending", nil},
		{"archive all pending", all((*inspector).ArchiveAllPendingTasks), "pending", "archived", nil},
		{"archive all scheduled", all((*inspector).ArchiveAllScheduledTasks), "scheduled", "archived", moved},
		{"archive all retry", all((*inspector).ArchiveAllRetryTasks), "retry", "archived", moved},
		{"archive all aggregating", grouped((*inspector).ArchiveAllAggregatingTasks), "aggregating", "archived", nil},
		{"delete all pending", all((*inspector).DeleteAllPendingTasks), "pending", "", []string{lostClaim}},
		{"delete all scheduled", all((*inspector).DeleteAllScheduledTasks), "scheduled", "", gone},
		{"delete all retry", all((*inspector).DeleteAllRetryTasks), "retry", "", gone},
		{"delete all archived", all((*inspector).DeleteAllArchivedTasks), "archived", "", nil},
		{"delete all completed", all((*inspector).DeleteAllCompletedTasks), "completed", "", nil},
		{"delete all aggregating", grouped((*inspector).DeleteAllAggregatingTasks), "aggregating", "", nil},
	}
}

func TestAsynqsInspectorMayActOnWhatLeatWroteOnRedis(t *testing.T) {
	t.Parallel()
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			s := setStage(newBench(t), leat, "q")
			s.end()
			if err := a.do(s.inspector, "q"); err != nil {
				t.Fatal(err)
			}
			if got := s.state("q", a.state); got != a.want {
				t.Errorf("the task is %q, want %q", got, a.want)
			}
			var leaves []string
			for _, format := range a.leaves {
				leaves = append(leaves, fmt.Sprintf(format, "q", a.state))
			}
			slices.Sort(leaves)
			// A retry that happens to be due at a whole second has no exact time.
			if got := s.faults(); a.state != "retry" && !slices.Equal(got, leaves) || len(got) > len(leaves) {
				t.Errorf("Verify() = %q, want %q", got, leaves)
			}
			s.advance("q", time.Now().Add(2*time.Hour))
			for _, fault := range s.faults() {
				if fault != fmt.Sprintf(lostClaim, "q", "pending") { // until its time has passed
					t.Errorf("when all is due, Verify() reports %q", fault)
				}
			}
		})
	}
}

func TestAQueueThatAsynqDeletesMayBeUsedAgainOnRedis(t *testing.T) {
	t.Parallel()
	s := setStage(newBench(t), leat, "q")
	if err := s.inspector.DeleteQueue("q", true); err == nil {
		t.Error("DeleteQueue() deletes a queue with an active task")
	}
	s.end()
	if err := s.inspector.DeleteQueue("q", false); !errors.Is(err, asynq.ErrQueueNotEmpty) {
		t.Errorf("DeleteQueue() = %v, want %v", err, asynq.ErrQueueNotEmpty)
	}
	s.must(s.inspector.DeleteQueue("q", true))
	s.must(s.inspector.UnpauseQueue("q")) // which asynq leaves, as it does completed tasks and claims

	s.put(spec{ID: "again", Retention: time.Hour})
	stop := leat.serve(s.bench, "q", func(context.Context, run) error { return nil })
	s.wantState("q", "again", "completed")
	stop()
	if queues, err := s.inspector.Queues(); err != nil || !slices.Equal(queues, []string{"q"}) {
		t.Errorf("Queues() = %q, %v, want q once more", queues, err)
	}
	s.advance("q", time.Now().Add(2*time.Hour))
	if got, want := s.faults(), []string{fmt.Sprintf(lostClaim, "q", "pending")}; !slices.Equal(got, want) {
		t.Errorf("Verify() = %q, want %q", got, want)
	}
}

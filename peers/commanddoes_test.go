package peers

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"
)

// doings have commands change what asynq has written, and compare what asynq's inspector sees
// then, and what its server does. Each has a Redis of its own.
var doings = map[string]func(*shell){
	"task run":         moveOne("run", "pending", "scheduled", "retry", "archived", "aggregating"),
	"task archive":     moveOne("archive", "archived", "pending", "scheduled", "retry", "aggregating"),
	"task delete":      moveOne("delete", "", "pending", "scheduled", "retry", "archived", "completed", "aggregating"),
	"task run-all":     moveAll("runall", "pending", "scheduled", "retry", "archived", "aggregating"),
	"task archive-all": moveAll("archiveall", "archived", "pending", "scheduled", "retry", "aggregating"),
	"task delete-all":  moveAll("deleteall", "", "pending", "scheduled", "retry", "archived", "completed", "aggregating"),
	"task edit":        editOne,
	"task cancel":      cancelOne,
	"task enqueue":     enqueueOne,
	"queue pause":      pauseOne,
	"queue rm":         removeOne,
	"bench":            measure,
}

// moveOne moves the one task that is in each of some states, and none of those in which
// that is not allowed.
func moveOne(verb, to string, from ...string) func(*shell) {
	return func(s *shell) {
		x := setStage(s.bench, peer, "q")
		for _, state := range from {
			s.leat("task", verb, "--queue", "q", "--id", state)
			wantMoved(x, state, to)
		}
		s.wantExit(1, "active", "task", verb, "q/active")
		wantMoved(x, "active", "active")
		s.wantExit(3, "none", "task", verb, "-q", "q", "-i", "none")
		x.end()
		wantRunByAsynq(x)
	}
}

// more are options with which a second task gets into a state, in a queue that is paused.
var more = map[string][]asynq.Option{
	"pending": nil, "scheduled": {asynq.ProcessIn(time.Hour)}, "aggregating": {asynq.Group(stagedGroup)},
}

// moveAll moves all tasks of some states, as asynq's command is told to. Other than with that,
// somebody must be asked, or it must be said that nobody is to be.
func moveAll(verb, to string, from ...string) func(*shell) {
	return func(s *shell) {
		x := setStage(s.bench, peer, "q")
		for state, options := range more {
			s.put(asynq.NewTask("t", nil), append(slices.Clip(options), asynq.Queue("q"), asynq.TaskID("more-"+state))...)
		}
		for _, state := range from {
			args := []string{"task", verb, "--queue", "q", "--state", state}
			if state == "aggregating" {
				args = append(args, "--group", stagedGroup)
			}
			s.wantExit(2, "--yes", args...)
			wantMoved(x, state, state)
			s.leat(append(args, "--yes")...)
			wantMoved(x, state, to)
			if _, two := more[state]; two {
				wantMoved(x, "more-"+state, to)
			}
		}
		wantMoved(x, "active", "active")
		x.end()
		wantRunByAsynq(x)
	}
}

func editOne(s *shell) {
	x := setStage(s.bench, peer, "q")
	s.leat("task", "edit", "q/scheduled", "--payload", "new")
	if got := string(s.info("q", "scheduled").Payload); got != "new" {
		s.Errorf("asynq sees the payload %q, want new", got)
	}
	at := time.Now().Add(2 * time.Hour).Truncate(time.Second)
	s.leat("task", "reschedule", "q/retry", "--at", at.UTC().Format(time.RFC3339))
	wantMoved(x, "retry", "scheduled")
	if got := s.info("q", "retry").NextProcessAt; !got.Equal(at) {
		s.Errorf("asynq sees that it is due at %v, want %v", got, at)
	}
	x.end()
}

func cancelOne(s *shell) {
	s.put(asynq.NewTask("t", nil), asynq.Queue("q"), asynq.TaskID("a"))
	cancelled, stop := serveCancelled(s.bench, peer)
	s.eventually(soon, "asynq hears", func() bool {
		return s.redis.PubSubNumSub(s.Context(), "asynq:cancel").Val()["asynq:cancel"] > 0
	})
	s.leat("task", "cancel", "a")
	wantCancelled(s.bench, cancelled)
	s.wantState("q", "a", "retry")
	stop()
	s.wantExit(3, "none", "task", "cancel", "none")
}

func enqueueOne(s *shell) {
	deadline := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	args := []string{
		"task", "enqueue", "--type_name", "mail:send", "--payload", `{"to":"x"}`, "--queue", "q", "--id", "a", "--retry", "3", "--timeout", "90s",
		"--deadline", deadline.Format(time.RFC3339), "--retention", "1h", "--unique", "1h",
	}
	s.leat(args...)
	want := toldTask{
		ID: "a", Queue: "q", Type: "mail:send", State: "pending", Payload: `{"to":"x"}`, MaxRetry: 3,
		Timeout: 90, Deadline: deadline, Retention: 3600,
	}
	if diff := same(want, toldByAsynq(s.info("q", "a"))); diff != "" {
		s.Errorf("the task as asynq sees it (-want +got):\n%s", diff)
	}
	s.wantExit(1, "a", args...)
	s.leat("task", "enqueue", "-t", "t", "-q", "q", "-i", "later", "--process_in", "1h")
	s.leat("task", "enqueue", "-t", "t", "-q", "q", "-i", "grouped", "-g", "g")
	for id, state := range map[string]asynq.TaskState{"later": asynq.TaskStateScheduled, "grouped": asynq.TaskStateAggregating} {
		if got := s.info("q", id).State; got != state {
			s.Errorf("asynq sees that %s is %s, want %s", id, got, state)
		}
	}
	stop := serveAsynq(s.bench, "q", func(_ context.Context, r run) error {
		_, err := r.write([]byte("got " + r.Payload))
		return err
	})
	s.leat("wait", "q/a", "--timeout", "50s")
	if got, want := s.leat("result", "q/a"), `got {"to":"x"}`; got != want {
		s.Errorf("asynq's handler has written %q, want %q", got, want)
	}
	if got := s.leat("task", "enqueue", "-t", "t", "-l", "y", "-q", "q", "--retention", "1h", "--wait"); !strings.Contains(got, "got y") {
		s.Errorf("task enqueue --wait writes %q, want the result of asynq's handler", got)
	}
	stop()
	s.wantSound()
}

func pauseOne(s *shell) {
	s.put(asynq.NewTask("t", nil), asynq.Queue("q"), asynq.TaskID("a"))
	for _, c := range []struct {
		verb   string
		paused bool
	}{{"pause", true}, {"pause", true}, {"resume", false}, {"pause", true}, {"unpause", false}} {
		s.leat("queue", c.verb, "q")
		info, err := s.inspector.GetQueueInfo("q")
		if s.must(err); info.Paused != c.paused {
			s.Errorf("after queue %s, asynq sees that it is paused: %v", c.verb, info.Paused)
		}
	}
	s.leat("queue", "pause", "later") // which is not there yet
	s.put(asynq.NewTask("t", nil), asynq.Queue("later"))
	if info, err := s.inspector.GetQueueInfo("later"); err != nil || !info.Paused {
		s.Errorf("asynq sees that a queue that was paused before it came is %+v, %v", info, err)
	}
}

func removeOne(s *shell) {
	x := setStage(s.bench, peer, "q")
	s.wantExit(1, "not empty", "queue", "rm", "q")
	s.wantExit(2, "--yes", "queue", "rm", "q", "--force")
	s.wantExit(1, "being run", "queue", "rm", "q", "--force", "--yes")
	x.end()
	s.leat("queue", "remove", "q", "-f", "-y")
	if names, err := s.inspector.Queues(); err != nil || len(names) > 0 {
		s.Errorf("asynq sees the queues %q, %v, want none", names, err)
	}
	s.wantExit(3, "q", "queue", "delete", "q")
}

// measure has it that nothing of what is measured is left for asynq to see.
func measure(s *shell) {
	x := setStage(s.bench, peer, "q")
	before := s.asynqsQueues()
	told := read[map[string]any](s, "bench", "--tasks", "50", "--batch", "10", "--concurrency", "4")
	if n, _ := told["run_per_second"].(float64); n <= 0 {
		s.Errorf("bench tells %v", told)
	}
	if diff := same(before, s.asynqsQueues()); diff != "" {
		s.Errorf("queues before bench, and after (-before +after):\n%s", diff)
	}
	servers, err := s.inspector.Servers()
	if s.must(err); len(servers) != 1 || servers[0].Queues["q"] != 1 {
		s.Errorf("asynq sees the servers %+v after it, want that of asynq's", servers)
	}
	x.end()
}

package peers

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// What Leat keeps with a task that asynq knows nothing of.

// lease leases the next task of "q".
func (x *bench) lease(until time.Time) broker.Lease {
	x.Helper()
	want := broker.LeaseRequest{Queues: []broker.Share{{Queue: "q", First: 1}}, Max: 1, Until: until}
	applied, err := x.broker.Apply(x.Context(), time.Now(), nil, want)
	if err != nil {
		x.Fatal(err)
	}
	if len(applied.Leases) != 1 {
		x.Fatalf("Apply() leases %d, want 1; parked: %v", len(applied.Leases), applied.Parked)
	}
	return applied.Leases[0]
}

// putWaiting has Leat enqueue tasks that wait, each with something of Leat's own,
// and returns their ids and states.
func putWaiting(x *bench) map[string]asynq.TaskState {
	x.Helper()
	later := time.Now().Add(time.Hour)
	for id, options := range map[string][]task.Option{
		"until-done":   {task.UniqueUntilDone(), task.UniqueKey("until-done")},
		"until-start":  {task.UniqueUntilStart(), task.UniqueKey("until-start"), task.ProcessAt(later)},
		"for-a-period": {task.UniqueFor(time.Hour), task.UniqueKey("for-a-period")},
		"debounced":    {task.Debounce(time.Hour, 0), task.UniqueKey("debounced")},
		"start-by":     {task.StartBy(later)},
		"no-timeout":   {task.NoTimeout()},
		"max-crashes":  {task.MaxCrashes(7)},
		"grouped":      {task.Group(stagedGroup), task.UniqueUntilDone(), task.UniqueKey("grouped")},
		"into-a-group": {task.Group(stagedGroup), task.ProcessAt(later)},
	} {
		if _, err := x.enqueueOnly("q", id, options...); err != nil {
			x.Fatal(id, err)
		}
	}
	return map[string]asynq.TaskState{
		"until-done":   asynq.TaskStatePending,
		"until-start":  asynq.TaskStateScheduled,
		"for-a-period": asynq.TaskStatePending,
		"debounced":    asynq.TaskStateScheduled,
		"start-by":     asynq.TaskStatePending,
		"no-timeout":   asynq.TaskStatePending,
		"max-crashes":  asynq.TaskStatePending,
		"grouped":      asynq.TaskStateAggregating,
		"into-a-group": asynq.TaskStateScheduled,
	}
}

// putEnded has Leat end tasks in ways that asynq does not know, and returns what
// Leat says of each. All are archived.
func putEnded(x *bench) map[string]broker.End {
	x.Helper()
	ends := map[string]broker.End{"expired": broker.Expired, "poison": broker.Poison, "cancelled": broker.Cancelled}
	for id, end := range ends {
		if _, err := x.enqueueOnly("q", id, task.UniqueUntilDone(), task.UniqueKey(id)); err != nil {
			x.Fatal(id, err)
		}
		if end == broker.Cancelled {
			x.must(x.ours.Cancel(x.Context(), "q", id))
			continue
		}
		l := x.lease(time.Now().Add(time.Minute))
		l.Entry.LastErr = "it was " + id
		x.must(x.apply(broker.Change{Settle: []broker.Settlement{{
			Token: l.Token, Entry: l.Entry, To: broker.Archived, End: end,
			Attempt: &broker.Attempt{Started: time.Now(), Ended: time.Now(), Worker: "host:1", Err: "it was " + id},
		}}}))
	}
	parked := spec{ID: "parked", Type: strings.Repeat("long", 1000), Queue: "q"}
	x.must(peer.enqueue(x, parked))
	want := broker.LeaseRequest{Queues: []broker.Share{{Queue: "q", First: 1}}, Max: 1, Until: time.Now().Add(time.Minute)}
	applied, err := x.broker.Apply(x.Context(), time.Now(), nil, want)
	if err != nil || len(applied.Parked) != 1 {
		x.Fatalf("Apply() parks %v, %v, want one", applied.Parked, err)
	}
	ends["parked"] = broker.Undecodable
	return ends
}

func TestAsynqsInspectorReadsWhatItKnowsNothingOfOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	ends := putEnded(x)
	states := putWaiting(x)
	for id, state := range states {
		if got := x.info("q", id); got.State != state || id != "no-timeout" && got.Timeout != 30*time.Minute {
			t.Errorf("asynq says that %s is %s with the timeout %v, want %s", id, got.State, got.Timeout, state)
		}
	}
	var listed []string
	all, err := x.inspector.ListArchivedTasks("q")
	x.must(err)
	for _, info := range all {
		listed = append(listed, info.ID)
		if want := "it was " + info.ID; strings.HasPrefix(info.LastErr, "it was") && info.LastErr != want {
			t.Errorf("asynq says that the last error of %s is %q, want %q", info.ID, info.LastErr, want)
		}
	}
	slices.Sort(listed)
	if want := slices.Sorted(maps.Keys(ends)); !slices.Equal(listed, want) {
		t.Errorf("asynq lists %q as archived, want %q", listed, want)
	}
	for id, end := range ends {
		if stored, err := x.broker.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: id}); err != nil || stored.End != end {
			t.Errorf("Leat says that %s ended as %q, %v, want %q", id, stored.End, err, end)
		}
	}
	x.wantSound()
}

// extraActs are what asynq's inspector does to one task.
var extraActs = map[string]struct {
	do   func(*asynq.Inspector, string, string) error
	want string
}{
	"run":     {(*asynq.Inspector).RunTask, "pending"},
	"archive": {(*asynq.Inspector).ArchiveTask, "archived"},
	"delete":  {(*asynq.Inspector).DeleteTask, ""},
}

func TestAsynqsInspectorMayActOnWhatItKnowsNothingOfOnRedis(t *testing.T) {
	t.Parallel()
	for name, act := range extraActs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			var ids []string
			keyed := map[string]bool{} // those that are to be the only ones
			ids = slices.AppendSeq(ids, maps.Keys(putEnded(x)))
			ids = slices.AppendSeq(ids, maps.Keys(putWaiting(x)))
			for _, id := range ids {
				if stored, err := x.broker.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: id}); err != nil {
					t.Error(err)
				} else if stored.Claim.Key != "" {
					keyed[id] = true
				}
			}
			for _, id := range ids {
				if x.state("q", id) == act.want {
					continue
				}
				if err := act.do(x.inspector, "q", id); err != nil {
					t.Errorf("%s %s: %v", name, id, err)
				}
				if got := x.state("q", id); got != act.want {
					t.Errorf("%s is %q, want %q", id, got, act.want)
				}
			}
			if c := x.counts("q"); act.want == "" && c.Size() != 0 || act.want != "" && c.Size() != len(ids) {
				t.Errorf("counts = %+v, want %d in all if they are not deleted", c, len(ids))
			}
			stop := peer.serve(x, "q", func(context.Context, run) error { return nil })
			x.eventually(soon, "asynq runs what is ready", func() bool { c := x.counts("q"); return c.Pending+c.Active == 0 })
			stop()
			x.advance("q", time.Now().Add(2*time.Hour))
			for id := range keyed {
				if _, err := x.enqueueOnly("q", "new-"+id, task.UniqueUntilDone(), task.UniqueKey(id)); err != nil {
					t.Errorf("another task in place of %s: %v", id, err)
				}
			}
			x.wantSound() // what asynq has not freed is taken over by now
		})
	}
}

func TestWhatAsynqRunsAgainHasNotEndedOnRedis(t *testing.T) {
	t.Parallel()
	for _, runner := range sides {
		t.Run("by "+runner.name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			ends := putEnded(x)
			delete(ends, "parked") // which Leat parks once more
			// That it was archived anew is told by the second.
			time.Sleep(2 * time.Second)
			for id := range ends {
				x.must(x.inspector.RunTask("q", id))
				stored, err := x.broker.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: id})
				if err != nil || stored.End != 0 || stored.State != task.Pending {
					t.Errorf("%s is %s and ended as %q, %v; want it pending", id, stored.State, stored.End, err)
				}
			}
			ran := make(chan string, 10)
			stop := runner.serve(x, "q", func(_ context.Context, r run) error {
				ran <- r.ID
				return errors.Join(asynq.SkipRetry, task.SkipRetry)
			})
			for id := range ends {
				x.wantState("q", id, "archived")
			}
			stop()
			if len(ran) != len(ends) {
				t.Errorf("%d ran, want %d", len(ran), len(ends))
			}
			for id := range ends {
				stored, err := x.broker.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: id})
				if err != nil || stored.End != 0 {
					t.Errorf("%s failed and ended as %q, %v; want as a failure", id, stored.End, err)
				}
			}
			x.wantSound()
		})
	}
}

func TestAsynqMayEditThePayloadOfWhatItKnowsNothingOfOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	states := putWaiting(x)
	for id, state := range states {
		if state != asynq.TaskStateScheduled {
			continue
		}
		before, err := x.broker.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: id})
		x.must(err)
		x.must(x.inspector.UpdateTaskPayload("q", id, []byte("new")))
		after, err := x.broker.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: id})
		x.must(err)
		if string(after.Payload) != "new" || after.Version == before.Version {
			t.Errorf("%s has the payload %q, and is another version: %v", id, after.Payload, after.Version != before.Version)
		}
		if after.Claim != before.Claim || !after.DueAt.Equal(before.DueAt) || after.Group != before.Group {
			t.Errorf("%s was\n%+v and is\n%+v", id, before.Entry, after.Entry)
		}
	}
	x.wantSound()
}

// A task that waits behind another one's claim is scheduled, to asynq.
func TestAsynqMayRunWhatWaitsBehindAClaimOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	if _, err := x.enqueueOnly("q", "a", task.Rerun()); err != nil {
		t.Fatal(err)
	}
	l := x.lease(time.Now().Add(time.Minute))
	if _, err := x.enqueueOnly("q", "b", task.Rerun()); err != nil {
		t.Fatal(err)
	}
	x.must(x.inspector.RunTask("q", "b"))
	stop := peer.serve(x, "q", func(context.Context, run) error { return nil })
	x.wantState("q", "b", "")
	stop()
	x.must(x.apply(broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}}))
	if info, err := x.enqueueOnly("q", "c", task.Rerun()); err != nil || info.ID != "c" || info.State != task.Pending {
		t.Errorf("the next one: %+v, %v, want it pending", info, err)
	}
	x.advance("q", time.Now().Add(time.Hour)) // takes away the time at which b was due
	x.wantSound()
}

package view_test

import (
	"testing"
	"time"

	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/task"
)

func TestWhySaysWhyATaskIsNotRunning(t *testing.T) {
	now := time.Date(2030, 1, 31, 8, 0, 0, 0, time.UTC)
	soon := now.Add(90 * time.Second)
	for _, c := range []struct {
		info    task.Info
		paused  bool
		servers int
		want    string
	}{
		{task.Info{State: task.Active}, false, 1, ""},
		{task.Info{State: task.Active, IsOrphaned: true}, false, 1, "its worker is lost; a server is about to take it back"},
		{task.Info{State: task.Active, IsOrphaned: true}, false, 0, "its worker is lost, and no server serves its queue to take it back"},
		{task.Info{State: task.Active, CancelAsked: true}, false, 1, "somebody has asked for it to end, and its handler has not yet"},
		{task.Info{State: task.Pending}, true, 1, "its queue is paused"},
		{task.Info{State: task.Pending}, false, 0, "no server serves its queue"},
		{task.Info{State: task.Pending}, false, 2, "it waits for a worker that is free"},
		{task.Info{State: task.Scheduled, NextProcessAt: soon}, true, 0, "it waits for its time, in 1m30s"},
		{task.Info{State: task.Scheduled, NextProcessAt: now}, true, 1, "its queue is paused"},
		{task.Info{State: task.Scheduled, NextProcessAt: now.Add(time.Second), UniqueKey: "k"}, false, 1, "it waits for its time, in 1s, or when no other task holds its unique key"},
		{task.Info{State: task.Retry, NextProcessAt: soon, Retried: 2}, false, 1, "it failed 2 times, and it waits for its time, in 1m30s"},
		{task.Info{State: task.Retry, NextProcessAt: now, Retried: 1}, false, 1, "it failed once, and it is due, and about to be made ready"},
		{task.Info{State: task.Aggregating, Group: "g"}, false, 1, "it waits in group g to be folded with others"},
		{task.Info{State: task.Aggregating, Group: "g"}, false, 0, "no server serves its queue"},
		{task.Info{State: task.Archived, End: "poison"}, false, 1, "too many of its workers were lost"},
		{task.Info{State: task.Archived, End: "cancelled"}, false, 1, "it was cancelled"},
		{task.Info{State: task.Archived, LastErr: "no", Retried: 3, MaxRetry: 3}, false, 1, "it failed, and has used 3 of 3 retries"},
		{task.Info{State: task.Archived}, false, 1, "it was archived by hand"},
		{task.Info{State: task.Completed}, false, 1, ""},
	} {
		if got := view.Why(now, &c.info, c.paused, c.servers); got != c.want {
			t.Errorf("Why(%s, paused %t, %d servers) = %q, want %q", c.info.State, c.paused, c.servers, got, c.want)
		}
	}
}

package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
)

func TestTheOptionsOfUniqueness(t *testing.T) {
	type options = []task.Option
	for _, c := range []struct {
		options options
		want    task.Uniqueness
	}{
		{options{task.UniqueUntilDone()}, task.Uniqueness{Mode: task.UntilDone, OnConflict: task.Reject}},
		{options{task.UniqueUntilStart()}, task.Uniqueness{Mode: task.UntilStart, OnConflict: task.Reject}},
		{options{task.UniqueFor(1)}, task.Uniqueness{Mode: task.ForPeriod, For: time.Millisecond, OnConflict: task.Reject}},
		{options{task.Debounce(time.Second, time.Minute)},
			task.Uniqueness{Mode: task.Debounced, For: time.Second, MaxWait: time.Minute, OnConflict: task.Replace}},
		{options{task.Debounce(time.Second, 0)}, task.Uniqueness{Mode: task.Debounced, For: time.Second, OnConflict: task.Replace}},
		{options{task.Rerun()}, task.Uniqueness{Mode: task.RunAgain, OnConflict: task.Replace}},
		{options{task.Rerun(), task.OnConflict(task.Replace)}, task.Uniqueness{Mode: task.RunAgain, OnConflict: task.Replace}},
		{options{task.UniqueKey("k"), task.OnConflict(task.Ignore), task.UniqueUntilDone()},
			task.Uniqueness{Mode: task.UntilDone, Key: "k", OnConflict: task.Ignore}},
		{options{task.UniqueFor(time.Hour), task.UniqueFor(time.Minute)},
			task.Uniqueness{Mode: task.ForPeriod, For: time.Minute, OnConflict: task.Reject}},
	} {
		got, err := task.Resolve(noon, c.options)
		if err != nil {
			t.Fatalf("Resolve(%v) = %v, want nil", c.options, err)
		}
		if diff := cmp.Diff(c.want, got.Unique); diff != "" {
			t.Errorf("Resolve(%v).Unique (-want +got):\n%s", c.options, diff)
		}
	}
}

func TestTheModeOfTheCallWinsOverThatOfTheTask(t *testing.T) {
	got, err := task.Resolve(noon, []task.Option{task.Unique(time.Hour), task.UniqueKey("k")}, []task.Option{task.UniqueUntilStart()})
	if want := (task.Uniqueness{Mode: task.UntilStart, Key: "k", OnConflict: task.Reject}); err != nil || got.Unique != want {
		t.Errorf("Resolve() = %+v, %v, want %+v, nil", got.Unique, err, want)
	}
}

func TestOptionsThatContradictEachOtherAreRefused(t *testing.T) {
	type options = []task.Option
	for _, c := range []struct {
		options options
		want    string
	}{
		{options{task.Unique(time.Hour), task.UniqueUntilDone()}, `invalid task.UniqueUntilDone "Unique": is chosen as well`},
		{options{task.Rerun(), task.Debounce(1, 0)}, `invalid task.Debounce "Rerun": is chosen as well`},
		{options{task.Rerun(), task.OnConflict(task.Reject)}, `invalid task.OnConflict "reject": must be Replace with Rerun`},
		{options{task.Debounce(1, 0), task.OnConflict(task.Ignore)}, `must be Replace with Debounce`},
		{options{task.Rerun(), task.ProcessIn(1)}, `invalid task.Rerun 2025-06-01 12:00:00.000000001 +0000 UTC: does not go with a time to run at`},
		{options{task.Debounce(1, 0), task.Group("g")}, `invalid task.Debounce "g": does not go with a group`},
		{options{task.ProcessIn(time.Hour), task.StartBy(noon.Add(time.Minute))}, `is before the time to run at`},
	} {
		_, err := task.Resolve(noon, c.options)
		if !errors.Is(err, task.ErrInvalid) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("Resolve(%v) = %v, want %s", c.options, err, c.want)
		}
	}
}

func TestModesAndConflictsPrintAsTheirWords(t *testing.T) {
	for got, want := range map[string]string{
		task.UntilTTL.String(): "Unique", task.RunAgain.String(): "Rerun", task.UniqueMode(9).String(): "UniqueMode(9)", task.UniqueMode(0).String(): "",
		task.Reject.String(): "reject", task.Replace.String(): "replace", task.Conflict(-1).String(): "Conflict(-1)", task.Conflict(0).String(): "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

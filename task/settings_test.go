package task_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
)

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// defaults returns what no option at all comes to, with change made to it.
func defaults(change func(*task.Settings)) task.Settings {
	s := task.Settings{Queue: "default", MaxRetry: 25, Timeout: 30 * time.Minute}
	if change != nil {
		change(&s)
	}
	return s
}

func TestResolve(t *testing.T) {
	type options = []task.Option
	for _, c := range []struct {
		name    string
		options options
		want    func(*task.Settings)
	}{
		{"no option gives the defaults", nil, nil},
		{"an id", options{task.ID("order-17")}, func(s *task.Settings) { s.ID = "order-17" }},
		{"no retries", options{task.MaxRetry(0)}, func(s *task.Settings) { s.MaxRetry = 0 }},
		{"a queue", options{task.Queue("low")}, func(s *task.Settings) { s.Queue = "low" }},
		{"a group", options{task.Group("g")}, func(s *task.Settings) { s.Group = "g" }},
		{"a unique claim stays exact", options{task.Unique(1900 * time.Millisecond)},
			func(s *task.Settings) {
				s.Unique = task.Uniqueness{Mode: task.UntilTTL, For: 1900 * time.Millisecond, OnConflict: task.Reject}
			}},
		{"half a second of timeout stays half a second", options{task.Timeout(500 * time.Millisecond)},
			func(s *task.Settings) { s.Timeout = 500 * time.Millisecond }},
		{"a timeout is rounded up to the millisecond", options{task.Timeout(time.Microsecond)},
			func(s *task.Settings) { s.Timeout = time.Millisecond }},
		{"half a second of retention stays half a second", options{task.Retention(500 * time.Millisecond)},
			func(s *task.Settings) { s.Retention = 500 * time.Millisecond }},
		{"the longest timeout there is", options{task.Timeout(math.MaxInt64)},
			func(s *task.Settings) { s.Timeout = time.Duration(math.MaxInt64).Truncate(time.Millisecond) }},
		{"a deadline replaces the default timeout", options{task.Deadline(noon.Add(time.Hour))},
			func(s *task.Settings) { s.Timeout, s.Deadline = 0, noon.Add(time.Hour) }},
		{"a deadline beside a timeout", options{task.Deadline(noon.Add(time.Hour)), task.Timeout(time.Minute)},
			func(s *task.Settings) { s.Timeout, s.Deadline = time.Minute, noon.Add(time.Hour) }},
		{"a deadline is rounded up to the millisecond", options{task.Deadline(noon.Add(1))},
			func(s *task.Settings) { s.Timeout, s.Deadline = 0, noon.Add(time.Millisecond) }},
		{"a timeout of 0 and a zero deadline are none", options{task.Timeout(0), task.Deadline(time.Time{})}, nil},
		{"a time to begin by is rounded up to the millisecond", options{task.StartBy(noon.Add(1))},
			func(s *task.Settings) { s.StartBy = noon.Add(time.Millisecond) }},
		{"a zero time to begin by is none", options{task.StartBy(time.Time{})}, nil},
		{"no timeout", options{task.NoTimeout()}, func(s *task.Settings) { s.Timeout = 0 }},
		{"a timeout after none", options{task.NoTimeout(), task.Timeout(time.Second)},
			func(s *task.Settings) { s.Timeout = time.Second }},
		{"a timeout of 0 after none is the default", options{task.NoTimeout(), task.Timeout(0)}, nil},
		{"crashes", options{task.MaxCrashes(1)}, func(s *task.Settings) { s.MaxCrashes = 1 }},
		{"a time to run at", options{task.ProcessAt(noon.Add(time.Hour))},
			func(s *task.Settings) { s.ProcessAt = noon.Add(time.Hour) }},
		{"a time to run at is rounded up to the millisecond", options{task.ProcessAt(noon.Add(1))},
			func(s *task.Settings) { s.ProcessAt = noon.Add(time.Millisecond) }},
		{"a time to run in", options{task.ProcessIn(24 * time.Hour)},
			func(s *task.Settings) { s.ProcessAt = noon.Add(24 * time.Hour) }},
		{"a time that has come means at once", options{task.ProcessAt(noon)}, nil},
		{"a time that has passed means at once", options{task.ProcessIn(-time.Second)}, nil},
		{"headers add up", options{task.Header("a", "1"), task.Header("b", ""), task.Header("a", "2")},
			func(s *task.Settings) { s.Headers = map[string]string{"a": "2", "b": ""} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := task.Resolve(noon, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(defaults(c.want), got); diff != "" {
				t.Errorf("Resolve(%v) (-want +got):\n%s", c.options, diff)
			}
		})
	}
}

func TestLaterOptionsWin(t *testing.T) {
	client := []task.Option{task.Queue("client"), task.MaxRetry(1), task.Timeout(time.Second), task.Header("from", "client")}
	own := []task.Option{task.Queue("task"), task.MaxRetry(2), task.ProcessAt(noon.Add(time.Hour))}
	call := []task.Option{task.Queue("first"), task.Queue("call"), task.ProcessIn(0), task.Header("from", "call")}

	got, err := task.Resolve(noon, client, own, call)
	if err != nil {
		t.Fatal(err)
	}
	want := task.Settings{Queue: "call", MaxRetry: 2, Timeout: time.Second, Headers: map[string]string{"from": "call"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Resolve (-want +got):\n%s", diff)
	}
}

func TestBadOptionsAreRefused(t *testing.T) {
	for _, c := range []struct {
		option task.Option
		want   string
	}{
		{nil, `invalid task.Option <nil>: must not be nil`},
		{task.ID(""), `invalid task.ID "": must not be empty`},
		{task.ID("a b"), `invalid task.ID "a b": has ' ' at byte 1`},
		{task.ID("run~step"), `invalid task.ID "run~step": has '~' at byte 3`},
		{task.Queue(" "), `invalid task.Queue " ": has ' ' at byte 0`},
		{task.Queue("{x}"), `invalid task.Queue "{x}": has '{' at byte 0`},
		{task.Queue(strings.Repeat("q", 257)), `is longer than 256 bytes`},
		{task.Group(""), `invalid task.Group "": must not be empty`},
		{task.Group("a\nb"), `invalid task.Group "a\nb": has '\n' at byte 1`},
		{task.MaxRetry(-1), `invalid task.MaxRetry -1: must be 0 to 2147483647`},
		{task.MaxRetry(1 << 31), `invalid task.MaxRetry 2147483648: must be 0 to 2147483647`},
		{task.Timeout(-1), `invalid task.Timeout -1ns: must not be negative`},
		{task.Retention(-time.Hour), `invalid task.Retention -1h0m0s: must not be negative`},
		{task.Unique(0), `invalid task.Unique 0s: must be at least 1s`},
		{task.Unique(time.Second - 1), `invalid task.Unique 999.999999ms: must be at least 1s`},
		{task.StartBy(time.Unix(0, 0)), `invalid task.StartBy 1970-01-01`},
		{task.StartBy(noon.AddDate(9000, 0, 0)), `must be before the year 10000`},
		{task.MaxCrashes(0), `invalid task.MaxCrashes 0: must be 1 to 2147483647`},
		{task.MaxCrashes(1 << 31), `invalid task.MaxCrashes 2147483648: must be 1 to 2147483647`},
		{task.UniqueFor(0), `invalid task.UniqueFor 0s: must be positive`},
		{task.UniqueFor(-1), `invalid task.UniqueFor -1ns: must not be negative`},
		{task.Debounce(0, 0), `invalid task.Debounce 0s: must be positive`},
		{task.Debounce(2, 1), `invalid task.Debounce 1ns: must not wait for less than for quiet`},
		{task.UniqueKey("a"), `invalid task.UniqueKey "a": is for a task that is to be unique`},
		{task.UniqueKey(""), `invalid task.UniqueKey "": must not be empty`},
		{task.OnConflict(task.Ignore), `invalid task.OnConflict "ignore": is for a task that is to be unique`},
		{task.OnConflict(7), `invalid task.OnConflict "Conflict(7)": must be Reject, Ignore or Replace`},
		{task.Deadline(time.Unix(0, 0)), `must be after 1970-01-01`},
		{task.Deadline(noon.AddDate(9000, 0, 0)), `must be before the year 10000`},
		{task.Deadline(time.Date(9999, 12, 31, 23, 59, 59, 1, time.UTC)), `must be before the year 10000`}, // rounded up
		{task.ProcessAt(time.Unix(math.MaxInt64/2, 0)), `must be before the year 10000`},
		{task.Header("", "v"), `invalid task.Header "": must have a key`},
		{task.Header("\xff", "v"), `invalid task.Header "\xff": is not valid UTF-8`},
		{task.Header("k", "\xff"), `invalid task.Header "\xff": is not valid UTF-8`},
	} {
		got, err := task.Resolve(noon, []task.Option{c.option})
		if !errors.Is(err, task.ErrInvalid) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("Resolve(%v): got error %v, want %s", c.option, err, c.want)
		}
		if diff := cmp.Diff(task.Settings{}, got); diff != "" {
			t.Errorf("Resolve(%v) with an error (-want +got):\n%s", c.option, diff)
		}
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	_, err := task.Resolve(noon,
		[]task.Option{task.MaxRetry(-1), task.Queue("ok")},
		[]task.Option{nil, task.Timeout(-1)},
		[]task.Option{task.MaxRetry(3), task.Unique(time.Millisecond), task.ID("")},
	)
	faults, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v, want several errors joined", err)
	}
	var got []string
	for _, fault := range faults.Unwrap() {
		if invalid, ok := errors.AsType[*task.InvalidError](fault); ok {
			got = append(got, invalid.Field)
		}
	}
	want := []string{"task.MaxRetry", "task.Option", "task.Timeout", "task.Unique", "task.ID"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields refused (-want +got):\n%s", diff)
	}
}

func TestResolveDoesNotTouchTheListsItIsGiven(t *testing.T) {
	spare := make([]task.Option, 3)
	spare[0], spare[1], spare[2] = task.MaxRetry(1), task.MaxRetry(2), task.MaxRetry(3)
	before := slices.Clone(spare)
	if _, err := task.Resolve(noon, spare[:1], []task.Option{task.Queue("low")}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(spare, before) {
		t.Errorf("the list's spare room is now %v, was %v", spare, before)
	}
}

package aggregate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/task"
)

// at demands that handlers were called when, for so many tasks each.
func (x *bench) at(want ...string) {
	x.Helper()
	var got []string
	for _, r := range x.called() {
		got = append(got, fmt.Sprintf("%s %s of %d", r.at, r.group, len(r.tasks)))
	}
	if !slices.Equal(got, want) {
		x.Errorf("called\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestABatchStartsWhenNothingHasJoinedItsGroupForItsGrace(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: 2500 * time.Millisecond}, x.joined()) // three seconds
		x.pass(300 * time.Millisecond)
		x.add("g", "a") // counts from the first second
		x.pass(2 * time.Second)
		x.add("g", "b") // from the third
		x.pass(time.Minute)
		x.at("6s g of 2")
	})
}

func TestATaskWaitsNoLongerThanItsMaxDelay(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: 3 * time.Second, MaxDelay: 7 * time.Second}, x.joined())
		x.pass(500 * time.Millisecond)
		for i := range 16 {
			x.add("g", fmt.Sprint("t", i)) // counts from 1s, 2s, …, 16s
			x.pass(time.Second)
		}
		x.pass(time.Minute)
		x.at("8s g of 8", "16s g of 8")
	})
}

func TestABatchStartsAsSoonAsItIsFull(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: time.Hour, MaxSize: 3}, x.joined())
		x.pass(1234 * time.Millisecond)
		x.add("g", "a", "b")
		x.pass(100 * time.Millisecond)
		x.at()
		x.add("g", "c")
		x.pass(0)
		x.at("1.334s g of 3")
		x.add("g", names("d", 7)...)
		x.pass(5 * time.Millisecond)
		x.at("1.334s g of 3", "1.339s g of 3", "1.339s g of 3")
	})
}

func TestABatchStartsAsSoonAsItsPayloadsAreLarge(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: time.Hour, MaxBytes: 10}, x.joined())
		x.pass(time.Second)
		x.add("g", "aaa", "bbb", "ccc")
		x.pass(100 * time.Millisecond)
		x.at()
		x.add("g", "dd")
		x.pass(0)
		x.at("1.1s g of 3") // 9 bytes: the fourth would make it 11
		x.add("g", strings.Repeat("e", 30))
		x.pass(100 * time.Millisecond)
		x.at("1.1s g of 3", "1.105s g of 1", "1.105s g of 1")
	})
}

func TestManyBatchesOfOneGroupRunAtOnce(t *testing.T) {
	inBubble(t, func(x *bench) {
		var running, most atomic.Int32
		x.handle(aggregate.Rule{MaxSize: 10, Parallel: 5}, aggregate.Raw(func(_ context.Context, group string, tasks []*task.Task) (*task.Task, error) {
			x.note(group, tasks)
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(time.Minute)
			return folded(tasks), nil
		}))
		x.add("g", names("t", 200)...)
		x.pass(4*time.Minute + time.Second)
		if n := len(x.called()); n != 20 || most.Load() != 5 {
			x.Errorf("%d batches, at most %d at once, in four minutes; want 20, 5 at once, each of which takes one", n, most.Load())
		}
		if got := x.payloads(); !slices.Equal(got, names("t", 200)) {
			x.Errorf("folded were %d tasks, want each of 200 once", len(got))
		}
	})
}

func TestTwoPatternsHaveWindowsOfASecondAndADay(t *testing.T) {
	inBubble(t, func(x *bench) {
		agg := aggregate.New()
		agg.Handle("default", "", aggregate.Rule{Grace: time.Second}, x.joined())
		agg.Handle("default", "daily:", aggregate.Rule{Grace: 24 * time.Hour}, x.joined())
		agg.Handle("other", "da", aggregate.Rule{Grace: time.Minute}, x.joined())
		x.start(agg)
		x.add("daily:a", "a", "b")
		x.add("daily", "c")
		x.addWith("daily", []string{"d"}, task.Queue("other"))
		x.addWith("nobodys", []string{"e"}, task.Queue("other"))
		x.pass(48 * time.Hour)
		x.at("1s daily of 1", "1m0s daily of 1", "24h0m0s daily:a of 2")
	})
}

func TestTenThousandIdleGroupsCostNoCalls(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: 24 * time.Hour}, x.joined())
		var ts []*task.Task
		for i := range 10_000 {
			ts = append(ts, task.New("member", nil, task.Group(fmt.Sprint("g", i))))
		}
		x.client.EnqueueMany(x.Context(), ts)
		x.pass(time.Second)
		before := x.counted("Advance")
		x.pass(time.Minute)
		if n := x.counted("Advance") - before; n != 6 {
			x.Errorf("%d calls in a minute, want 6: the groups are listed every ten seconds", n)
		}
		x.at()
	})
}

func TestAFloodOfTasksIsNoFloodOfCalls(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: 10 * time.Second}, x.joined())
		x.pass(time.Second)
		before := x.counted("Advance")
		for i := range 2000 {
			x.add(fmt.Sprint("g", i%100), fmt.Sprint("t", i))
			x.pass(500 * time.Microsecond)
		}
		x.pass(0)
		// Each 5ms a wait and a look.
		if n := x.counted("Advance") - before; n > 410 {
			x.Errorf("%d calls in a second, want about 400", n)
		}
	})
}

func TestABatchCostsAWaitALookARequestAndACommit(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.NoHistory = true
		x.handle(aggregate.Rule{Grace: 10 * time.Second, MaxSize: 100}, x.joined())
		x.pass(time.Second)
		before := x.counted("Advance", "Groups")
		for i := range 50 {
			x.add("g", names(fmt.Sprint("t", i, "-"), 100)...)
			x.pass(time.Second)
		}
		if n := x.counted("Advance", "Groups") - before; n != 50*4 || len(x.called()) != 50 {
			x.Errorf("%d calls for %d full batches, want 4 for each of 50", n, len(x.called()))
		}
		before = x.counted("Advance", "Groups")
		x.add("g", "a", "b")
		x.pass(time.Minute)
		if n := x.counted("Advance", "Groups") - before; n != 4 {
			x.Errorf("%d calls for one that is not full, want 4", n)
		}
	})
}

package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// second is a rule for tests that are not about one.
var second = aggregate.Rule{Grace: time.Second}

func TestAFoldThatComesToNothingGoesBackTogetherAndIsArchivedAtTheLimit(t *testing.T) {
	for name, test := range map[string]struct {
		fold func() (*task.Task, error)
		want string
	}{
		"an error":          {func() (*task.Task, error) { return nil, errSome }, "no luck"},
		"a panic":           {func() (*task.Task, error) { panic("no luck") }, "panic at aggregate/fold_test.go"},
		"nothing":           {func() (*task.Task, error) { return nil, nil }, "must not be nil"},
		"an end of its own": {func() (*task.Task, error) { runtime.Goexit(); return nil, nil }, "runtime.Goexit"},
		"no end":            {func() (*task.Task, error) { time.Sleep(time.Hour); return nil, errSome }, "has not returned: task timed out"},
		"a bad task":        {func() (*task.Task, error) { return task.New("", nil), nil }, "invalid task type"},
		"its own group":     {func() (*task.Task, error) { return task.New("folded", nil, task.Group("g")), nil }, "would be again"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.handle(second, aggregate.Raw(func(_ context.Context, group string, tasks []*task.Task) (*task.Task, error) {
					x.note(group, tasks)
					return test.fold()
				}))
				x.addWith("g", []string{"a", "b", "c"}, task.MaxRetry(1), task.Timeout(3*time.Second))
				x.pass(6 * time.Second)
				var at []time.Time
				for _, s := range x.in(task.Retry) {
					at = append(at, s.DueAt)
					if s.Retried != 1 || !strings.Contains(s.LastErr, test.want) || len(x.get(s.ID).Attempts) != 1 {
						x.Errorf("%s is retried for the %d. time after %q, want the first after %q, with its attempt", s.ID, s.Retried, s.LastErr, test.want)
					}
				}
				if len(at) != 3 || at[0] != at[2] {
					x.Errorf("they are retried at %v, want three at one time", at)
				}
				x.pass(time.Minute)
				for _, s := range x.in(task.Archived) {
					if !strings.Contains(s.LastErr, test.want) {
						x.Errorf("%s is archived with %q, want %q", s.ID, s.LastErr, test.want)
					}
				}
				runs := x.called()
				if len(x.in(task.Archived)) != 3 || len(runs) != 2 || !slices.Equal(runs[1].tasks, []string{"a", "b", "c"}) {
					x.Errorf("%d are archived after %v, want all after two calls with all of them", len(x.in(task.Archived)), runs)
				}
				if left := x.in(task.Pending); len(left) > 0 {
					x.Errorf("there is %v, want nothing", left)
				}
				x.verify()
				x.pass(time.Hour) // until the last has returned
			})
		})
	}
}

func TestAFoldedTaskGoesWhereItsOptionsSayOrToTheQueueOfItsBatch(t *testing.T) {
	inBubble(t, func(x *bench) {
		agg := aggregate.New()
		agg.Handle("mail", "own", second, aggregate.Raw(func(context.Context, string, []*task.Task) (*task.Task, error) {
			return task.New("own", nil, task.Queue("default")), nil
		}))
		agg.Handle("mail", "", second, aggregate.Raw(func(context.Context, string, []*task.Task) (*task.Task, error) {
			return task.New("theirs", nil, task.Retention(time.Hour)), nil
		}))
		x.cfg.Client = queue.NewClient(x.b)
		x.cfg.Client.Defaults = []task.Option{task.MaxRetry(7), task.Queue("low")}
		x.cfg.Client.Use(func(next queue.EnqueueFunc) queue.EnqueueFunc {
			return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
				return next(ctx, t, append(options, task.Header("seen", "yes"))...)
			}
		})
		var told []string
		x.cfg.Client.Observer = func(_ context.Context, e queue.Event) {
			x.mu.Lock()
			defer x.mu.Unlock()
			told = append(told, e.Kind.String()+" "+e.Entry.Type)
		}
		x.start(agg)
		x.addWith("own", []string{"a"}, task.Queue("mail"))
		x.addWith("their", []string{"b"}, task.Queue("mail"))
		x.pass(time.Minute)
		for name, typ := range map[string]string{"default": "own", "mail": "theirs"} {
			found, err := x.client.Broker().List(x.Context(), broker.ListRequest{Queue: name, State: task.Pending, Limit: 10})
			if err != nil || len(found) != 1 || found[0].Type != typ || found[0].MaxRetry != 7 || found[0].Headers["seen"] != "yes" {
				x.Errorf("in queue %s is %+v, %v, want %s, as the client makes it", name, found, err, typ)
			}
		}
		if slices.Sort(told); !slices.Equal(told, []string{"enqueued own", "enqueued theirs"}) {
			x.Errorf("the client's observer was told %q, want of both", told)
		}
	})
}

func TestAFoldedTaskThatIsRefusedIsAFailureOfTheFold(t *testing.T) {
	for name, test := range map[string]struct {
		options []task.Option
		want    string
	}{
		"its id is taken":  {[]task.Option{task.ID("taken")}, queue.ErrTaskIDConflict.Error()},
		"it is not unique": {[]task.Option{task.UniqueUntilDone(), task.UniqueKey("taken")}, "already exists: key taken is held by task taken"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.handle(second, aggregate.Raw(func(context.Context, string, []*task.Task) (*task.Task, error) {
					return task.New("folded", nil, test.options...), nil
				}))
				if _, err := x.client.Enqueue(x.Context(), task.New("other", nil), task.ID("taken"), task.UniqueUntilDone(), task.UniqueKey("taken")); err != nil {
					x.Fatal(err)
				}
				x.add("g", "a", "b")
				x.pass(5 * time.Second)
				waiting := x.in(task.Retry)
				if len(waiting) != 2 || waiting[0].DueAt != waiting[1].DueAt || !strings.Contains(waiting[1].LastErr, test.want) {
					x.Errorf("to be retried is %+v, want both at one time, after %q", waiting, test.want)
				}
				if err := queue.NewInspector(x.client.Broker()).Delete(x.Context(), "default", "taken"); err != nil {
					x.Fatal(err)
				}
				x.pass(time.Minute)
				if left := x.in(task.Pending); len(left) != 1 || left[0].Type != "folded" {
					x.Errorf("there is %v, want the folded task", left)
				}
			})
		})
	}
}

func TestMembersOfAFoldAreDoneWithItAndKeptIfTheySaySo(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(second, aggregate.Raw(func(_ context.Context, _ string, tasks []*task.Task) (*task.Task, error) {
			fmt.Fprint(tasks[1].ResultWriter(), "in the fold")
			return folded(tasks), nil
		}))
		x.add("g", "a")
		x.addWith("g", []string{"kept"}, task.Retention(time.Hour))
		x.pass(5 * time.Second)
		if s := x.get("kept"); s.State != task.Completed || string(s.Result) != "in the fold" {
			x.Errorf("it is %v with %q, want it completed with its result", s.State, s.Result)
		}
		if _, err := x.client.Broker().Entry(x.Context(), broker.EntryRef{Queue: "default", ID: "a"}); !errors.Is(err, broker.ErrNotFound) {
			x.Errorf("Entry(a) = %v, want it gone", err)
		}
		batched := x.seen(queue.EventBatched)
		if len(batched) != 1 || batched[0].Count != 2 || batched[0].Entry.Group != "g" || len(x.seen(queue.EventSettled)) != 2 {
			x.Errorf("observed are %+v and %d settled, want one batch of two", batched, len(x.seen(queue.EventSettled)))
		}
	})
}

func TestAPayloadThatCannotBeDecodedIsArchivedAndHarmsNoOther(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(second, aggregate.Fold(func(_ context.Context, _ string, items []int) (*task.Task, error) {
			sum := 0
			for _, n := range items {
				sum += n
			}
			return task.New("folded", []byte(fmt.Sprint(sum))), nil
		}))
		x.add("g", "1", "bad", "20")
		x.add("bad", "worse")
		x.pass(5 * time.Second)
		if left := x.in(task.Pending); len(left) != 1 || string(left[0].Payload) != "21" {
			x.Errorf("there is %v, want the sum of two", left)
		}
		for _, id := range []string{"bad", "worse"} {
			if s := x.get(id); s.State != task.Archived || !strings.Contains(s.LastErr, "want int") {
				x.Errorf("%s is %v after %q, want it archived, as no int", id, s.State, s.LastErr)
			}
		}
	})
}

func TestAnExpiredTaskIsArchivedAndHarmsNoOther(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: time.Minute}, x.joined())
		x.add("g", "a")
		x.addWith("g", []string{"late"}, task.StartBy(time.Now().Add(10*time.Second)))
		x.pass(2 * time.Minute)
		if s := x.get("late"); s.State != task.Archived || s.End != broker.Expired {
			x.Errorf("it is %v, %v, want it archived as expired", s.State, s.End)
		}
		x.at("1m0s g of 1")
	})
}

func TestAFoldOfAThousandIsOneCommit(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(second, x.joined())
		x.add("g", names("t", 990)...)
		x.pass(time.Second)
		if n := x.calls["Apply"]; n != 1 {
			x.Errorf("%d calls of Apply, want one", n)
		}
		if runs := x.called(); len(runs) != 1 || len(runs[0].tasks) != 990 || runs[0].at > 5*time.Millisecond {
			x.Errorf("called %d times, want once for all, as soon as somebody has looked", len(runs))
		}
	})
}

func TestEachTaskIsInOneBatchThatSucceedsInSpiteOfFaultsOfTheBroker(t *testing.T) {
	for n := 1; n <= 12; n++ {
		for what, fault := range map[string]brokertest.Fault{"before": {Before: errFault}, "unsaid": {Before: errSome}, "after": {After: errLost}} {
			for _, method := range []string{"Gather", "Apply", "Joined", "Wait", "Groups", "Extend"} {
				inBubble(t, func(x *bench) {
					x.fault = func(called string, i int) brokertest.Fault {
						if called == method && i == n {
							return fault
						}
						return brokertest.Fault{}
					}
					x.handle(aggregate.Rule{Grace: 2 * time.Second, MaxSize: 4}, aggregate.Raw(func(_ context.Context, group string, tasks []*task.Task) (*task.Task, error) {
						x.note(group, tasks)
						time.Sleep(5 * time.Second) // it is extended once
						return folded(tasks), nil
					}))
					x.add("g", names("t", 10)...)
					x.add("h", names("u", 10)...)
					x.pass(5 * time.Minute)
					if got, want := x.payloads(), append(names("t", 10), names("u", 10)...); !slices.Equal(got, want) {
						x.Errorf("fault %s call %d of %s: folded are %v, want each task once", what, n, method, got)
					}
					if left := x.in(task.Archived); len(left) > 0 {
						x.Errorf("fault %s call %d of %s: archived are %v, want none", what, n, method, left)
					}
					x.verify()
				})
			}
		}
	}
}

// An exiting ends the goroutine that decodes it, unless it is a 1.
type exiting int

// UnmarshalJSON implements [json.Unmarshaler].
func (e *exiting) UnmarshalJSON(b []byte) error {
	if *e = 1; string(b) != "1" {
		runtime.Goexit()
	}
	return nil
}

func TestATypeThatEndsItsGoroutineHarmsNoOtherTask(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(second, aggregate.Fold(func(_ context.Context, _ string, items []exiting) (*task.Task, error) {
			return task.New("folded", fmt.Append(nil, len(items))), nil
		}))
		x.add("g", "0", "1")
		x.pass(2 * time.Second)
		if got := x.payloads(); !slices.Equal(got, []string{"1"}) {
			x.Errorf("folded are %v tasks, want one", got)
		}
		if s := x.get("0"); s.State != task.Retry || s.Crashes != 0 || !strings.Contains(s.LastErr, "runtime.Goexit") {
			x.Errorf("the other is %v after %q, want it to be retried", s.State, s.LastErr)
		}
	})
}

func TestWhatFollowsTasksWhoseFoldHasFailedIsEnqueuedHoweverMuch(t *testing.T) {
	for name, fold := range map[string]func() (*task.Task, error){
		"it fails":      func() (*task.Task, error) { return nil, errSome },
		"it is refused": func() (*task.Task, error) { return task.New("folded", nil, task.ID("taken")), nil },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.cfg.OnExhausted = func(context.Context, *task.Info, error) []*task.Task {
					return slices.Repeat([]*task.Task{task.New("heir", nil)}, 15)
				}
				if _, err := x.client.Enqueue(x.Context(), task.New("other", nil), task.ID("taken")); err != nil {
					x.Fatal(err)
				}
				x.handle(second, aggregate.Raw(func(context.Context, string, []*task.Task) (*task.Task, error) { return fold() }))
				x.addWith("g", names("t", 100), task.MaxRetry(0))
				x.pass(2 * time.Second)
				if archived, pending := len(x.in(task.Archived)), len(x.in(task.Pending)); archived != 100 || pending != 1501 {
					x.Errorf("archived are %d, pending %d, want 100, and 15 for each with the other one", archived, pending)
				}
			})
		})
	}
}

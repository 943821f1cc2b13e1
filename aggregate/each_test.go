package aggregate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

func TestOnlyTheTaskThatFailedIsRetriedAndTheOthersHaveTheirResults(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(second, aggregate.Each(func(_ context.Context, group string, tasks []*task.Task) []error {
			x.note(group, tasks)
			errs := make([]error, len(tasks))
			for i, tk := range tasks {
				if string(tk.Payload()) == "b" && len(x.called()) == 1 {
					errs[i] = errSome
					continue
				}
				fmt.Fprintf(tk.ResultWriter(), "result of %s", tk.Payload())
			}
			return errs
		}))
		x.addWith("g", []string{"a", "b", "c"}, task.Retention(time.Hour))
		x.pass(5 * time.Second)
		for _, id := range []string{"a", "c"} {
			if s := x.get(id); s.State != task.Completed || string(s.Result) != "result of "+id {
				x.Errorf("%s is %v with %q, want it completed with its own result", id, s.State, s.Result)
			}
		}
		if s := x.get("b"); s.State != task.Retry || s.Retried != 1 || s.LastErr != "no luck" {
			x.Errorf("b is %v, retried %d times after %q, want it retried", s.State, s.Retried, s.LastErr)
		}
		x.pass(time.Minute)
		if s := x.get("b"); s.State != task.Completed || string(s.Result) != "result of b" {
			x.Errorf("b is %v with %q, want it completed", s.State, s.Result)
		}
		// Its group gets it back ten seconds after the first batch, and waits for others.
		x.at("1s g of 3", "12s g of 1")
		x.verify()
	})
}

func TestWhoWaitsForATaskOfABatchIsTold(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(second, aggregate.EachOf(func(_ context.Context, _ string, items []int) ([]aggregate.Result[int], error) {
			results := make([]aggregate.Result[int], len(items))
			for i, n := range items {
				if results[i].Value = 2 * n; n == 13 {
					results[i].Err = fmt.Errorf("unlucky: %w", task.SkipRetry)
				}
			}
			return results, nil
		}))
		kind := task.Define[int, int]("double", task.Group("g"))
		var infos []*task.Info
		for _, n := range []int{4, 13} {
			info, err := kind.Enqueue(x.Context(), x.client, n)
			if err != nil {
				x.Fatal(err)
			}
			infos = append(infos, info)
		}
		if got, err := kind.Wait(x.Context(), x.client, infos[0]); got != 8 || err != nil {
			x.Errorf("Wait() = %d, %v, want 8", got, err)
		}
		if _, err := kind.Wait(x.Context(), x.client, infos[1]); !errors.Is(err, queue.ErrTaskFailed) || !strings.Contains(err.Error(), "unlucky") {
			x.Errorf("Wait() = %v, want that it has failed, and why", err)
		}
	})
}

func TestOutcomesThatAreNoneFailAll(t *testing.T) {
	for name, test := range map[string]struct {
		h    aggregate.Handler
		want string
		to   task.State
	}{
		"too few":  {aggregate.Each(func(context.Context, string, []*task.Task) []error { return []error{nil} }), "1 outcomes for 2 tasks", task.Archived},
		"a panic":  {aggregate.Each(func(context.Context, string, []*task.Task) []error { panic("no luck") }), "no luck", task.Retry},
		"an error": {aggregate.EachOf(func(context.Context, string, []string) ([]aggregate.Result[int], error) { return nil, errSome }), "no luck", task.Retry},
		"too many": {aggregate.EachOf(func(context.Context, string, []string) ([]aggregate.Result[int], error) {
			return make([]aggregate.Result[int], 3), nil
		}), "3 outcomes for 2 tasks", task.Archived},
		"no JSON": {aggregate.EachOf(func(context.Context, string, []string) ([]aggregate.Result[func()], error) {
			return make([]aggregate.Result[func()], 2), nil
		}), "result of member", task.Archived},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.handle(second, test.h)
				for _, id := range []string{"a", "b"} {
					payload, _ := json.Marshal(id)
					if _, err := x.client.Enqueue(x.Context(), task.New("member", payload, task.ID(id), task.Group("g"))); err != nil {
						x.Fatal(err)
					}
				}
				x.pass(3 * time.Second)
				for _, id := range []string{"a", "b"} {
					if s := x.get(id); s.State != test.to || !strings.Contains(s.LastErr, test.want) {
						x.Errorf("%s is %v after %q, want it %v after %q", id, s.State, s.LastErr, test.to, test.want)
					}
				}
			})
		})
	}
}

func TestAnExhaustedTaskOfABatchIsFollowedByWhatTheServerWants(t *testing.T) {
	for name, h := range map[string]aggregate.Handler{
		"each": aggregate.Each(func(_ context.Context, _ string, tasks []*task.Task) []error { return []error{errSome, nil} }),
		"fold": aggregate.Raw(func(_ context.Context, _ string, tasks []*task.Task) (*task.Task, error) { return nil, errSome }),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				handled := 0
				x.cfg.ErrorHandler = func(context.Context, *task.Task, error) { handled++ }
				x.cfg.OnExhausted = func(_ context.Context, info *task.Info, err error) []*task.Task {
					return []*task.Task{task.New("heir", []byte(info.ID+" of "+err.Error()))}
				}
				x.handle(second, h)
				x.addWith("g", []string{"a", "b"}, task.MaxRetry(0))
				x.pass(5 * time.Second)
				var got []string
				for _, s := range x.in(task.Pending) {
					got = append(got, string(s.Payload))
				}
				want := []string{"a of no luck", "b of no luck"}
				if name == "each" {
					want = want[:1]
				}
				if slices.Sort(got); !slices.Equal(got, want) || handled != len(want) {
					x.Errorf("there is %q, and the ErrorHandler was called %d times; want %q", got, handled, want)
				}
			})
		})
	}
}

func TestATaskThatIsRunByHandStaysOut(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: 10 * time.Second}, x.joined())
		x.add("g", "a", "b")
		if err := queue.NewInspector(x.client.Broker()).Run(x.Context(), "default", "a"); err != nil {
			x.Fatal(err)
		}
		x.pass(time.Minute)
		if s := x.get("a"); s.State != task.Pending {
			x.Errorf("it is %v, want it pending", s.State)
		}
		x.at("10s g of 1")
	})
}

func TestATaskForLaterJoinsItsGroupWhenItIsDue(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.handle(aggregate.Rule{Grace: 10 * time.Second}, x.joined())
		x.addWith("g", []string{"a"}, task.ProcessIn(5*time.Second))
		x.add("g", "b")
		x.pass(time.Minute)
		x.at("15s g of 2")
	})
}

func TestEachOutcomeIsRecordedOnceInSpiteOfFaultsOfTheBroker(t *testing.T) {
	for n := 1; n <= 8; n++ {
		for what, fault := range map[string]brokertest.Fault{"before": {Before: errFault}, "unsaid": {Before: errSome}, "after": {After: errLost}} {
			inBubble(t, func(x *bench) {
				x.fault = func(method string, i int) brokertest.Fault {
					if (method == "Gather" || method == "Apply") && i == n {
						return fault
					}
					return brokertest.Fault{}
				}
				x.handle(aggregate.Rule{Grace: 2 * time.Second, MaxSize: 4}, aggregate.Each(func(_ context.Context, group string, tasks []*task.Task) []error {
					x.note(group, tasks)
					return nil
				}))
				x.add("g", names("t", 10)...)
				x.pass(5 * time.Minute)
				if c, err := x.client.Broker().Counts(x.Context(), time.Now(), "default"); err != nil || c[0].Processed != 10 || c[0].Size() != 0 {
					x.Errorf("fault %s call %d: counts are %+v, %v, want ten processed and none left", what, n, c, err)
				}
				if len(x.called()) != 3 {
					x.Errorf("fault %s call %d: called %v, want three times", what, n, x.called())
				}
				x.verify()
			})
		}
	}
}

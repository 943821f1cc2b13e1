package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A ledger has steps that are booked, and undone.
type ledger struct {
	mu     sync.Mutex
	undone []string
	deny   map[int]int // input of a booking: how often it cannot be undone

	book workflow.Step[int, int] // books after as many milliseconds as its input says
	hang workflow.Step[int, int] // does not return before its context ends
	slip workflow.Step[int, int] // fails by itself, again and again
	fail workflow.Step[int, int]
}

func newLedger() *ledger {
	l := &ledger{deny: make(map[int]int)}
	undo := workflow.NewStep("unbook", func(_ context.Context, u workflow.Undo[int, int]) (workflow.None, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.deny[u.Input] > 0 {
			l.deny[u.Input]--
			return workflow.None{}, errSome
		}
		text := fmt.Sprintf("%d→%d", u.Input, u.Output)
		if u.Unknown {
			text = fmt.Sprintf("%d?", u.Input)
		}
		l.undone = append(l.undone, text)
		return workflow.None{}, nil
	}, task.MaxRetry(2))
	reversible := func(name string, f func(context.Context, int) (int, error), opts ...task.Option) workflow.Step[int, int] {
		return workflow.Reversible(workflow.NewStep(name, f, opts...), undo)
	}
	l.book = reversible("book", func(_ context.Context, n int) (int, error) {
		time.Sleep(time.Duration(n) * time.Millisecond)
		return n + 1, nil
	})
	l.hang = reversible("hang", func(ctx context.Context, n int) (int, error) {
		<-ctx.Done()
		return 0, context.Cause(ctx)
	}, task.Timeout(2*time.Second), task.MaxRetry(1))
	l.slip = reversible("slip", func(context.Context, int) (int, error) { return 0, errSome }, task.MaxRetry(1000))
	l.fail = workflow.NewStep("fail", func(context.Context, int) (int, error) { return 0, task.SkipRetry })
	return l
}

// list returns what was undone, in order.
func (l *ledger) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.undone)
}

func (l *ledger) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, l.list()); diff != "" {
		t.Errorf("undone (-want +got):\n%s", diff)
	}
}

// chain books one thing after another, and then does what is last.
func (l *ledger) chain(g *dag.Graph, in dag.Val[int], last workflow.Step[int, int]) dag.Val[int] {
	for range 3 {
		in = dag.Do(g, l.book, in)
	}
	return dag.Do(g, last, in)
}

func TestWhatWasDoneIsUndoneInReverseOrderOfItsEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(l *ledger, g *dag.Graph, in dag.Val[int]) dag.Val[int]
		want  []string
	}{
		{"a chain", func(l *ledger, g *dag.Graph, in dag.Val[int]) dag.Val[int] { return l.chain(g, in, l.fail) }, []string{"12→13", "11→12", "10→11"}},
		{"a map", func(l *ledger, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			items := dag.Map(g, l.book, dag.Const(g, []int{20, 40, 10, 30}))
			return dag.Do(g, l.fail, dag.Pick(g, items, func(l []int) int { return len(l) }))
		}, []string{"40→41", "30→31", "20→21", "10→11"}},
		{"a map and a chain beside it", func(l *ledger, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			items := dag.Map(g, l.book, dag.Const(g, []int{20, 5}))
			both := dag.Join2(g, items, dag.Do(g, l.book, in), func(l []int, n int) int { return n })
			return dag.Do(g, l.fail, both)
		}, []string{"20→21", "10→11", "5→6"}},
		{"what a failed step is beside of", func(l *ledger, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			slow := dag.Do(g, l.book, dag.Const(g, 500))
			return dag.Join2(g, slow, dag.Do(g, l.fail, in), add)
		}, []string{"500→501"}},
		{"an arm that was taken", func(l *ledger, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			arm := func(g *dag.Graph) dag.Val[int] { return dag.Do(g, l.book, in) }
			return dag.Do(g, l.fail, dag.If(g, dag.Const(g, true), arm, arm))
		}, []string{"10→11"}},
		{"nothing", func(l *ledger, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, l.book, dag.Do(g, l.fail, in))
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				l := newLedger()
				w := dag.New("undone", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return c.build(l, g, in) })
				run, err := w.Start(t.Context(), serve(t, b, w), 10)
				if err != nil {
					t.Fatal(err)
				}
				wantState(t, run.Handle, workflow.Failed, recovery)
				l.want(t, c.want...)
				quiet(t, b, run.Handle)
				if err := run.Retry(t.Context()); len(c.want) > 0 && !errors.Is(err, workflow.ErrRunState) {
					t.Errorf("Retry() of a run that was undone = %v, want ErrRunState", err)
				}
			})
		})
	}
}

func TestARunThatIsNotDoneIsUndoneWhateverForAndInDoubt(t *testing.T) {
	chain := []string{"12→13", "11→12", "10→11"}
	for _, c := range []struct {
		name string
		last func(*ledger) workflow.Step[int, int]
		end  func(t *testing.T, b broker.Broker, run workflow.Run[int])
		to   workflow.State
		want []string
	}{
		{"failure by a timeout", func(l *ledger) workflow.Step[int, int] { return l.hang }, nil, workflow.Failed, append([]string{"13?"}, chain...)},
		{"failure by itself", func(l *ledger) workflow.Step[int, int] { return l.fail }, nil, workflow.Failed, chain},
		{"cancel while it runs", func(l *ledger) workflow.Step[int, int] { return l.hang }, cancelRun, workflow.Cancelled, append([]string{"13?"}, chain...)},
		{"cancel in a back-off", func(l *ledger) workflow.Step[int, int] { return l.slip }, cancelRun, workflow.Cancelled, chain},
		{"cancel in a back-off from a timeout", func(l *ledger) workflow.Step[int, int] { return l.hang }, func(t *testing.T, b broker.Broker, run workflow.Run[int]) {
			time.Sleep(1200 * time.Millisecond)
			cancelRun(t, b, run)
		}, workflow.Cancelled, append([]string{"13?"}, chain...)},
		{"deadline while it runs", func(l *ledger) workflow.Step[int, int] { return l.hang }, deadlineRun, workflow.TimedOut, append([]string{"13?"}, chain...)},
		{"deadline in a back-off", func(l *ledger) workflow.Step[int, int] { return l.slip }, deadlineRun, workflow.TimedOut, chain},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				l := newLedger()
				w := dag.New("undone", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return l.chain(g, in, c.last(l)) })
				run, err := w.Start(t.Context(), serve(t, b, w), 10, workflow.RunDeadline(time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if c.end != nil {
					c.end(t, b, run)
				}
				wantState(t, run.Handle, c.to, recovery)
				l.want(t, c.want...)
				quiet(t, b, run.Handle)
			})
		})
	}
}

func cancelRun(t *testing.T, _ broker.Broker, run workflow.Run[int]) {
	if err := run.Cancel(t.Context()); err != nil {
		t.Errorf("Cancel() = %v, want nil", err)
	}
}

// deadlineRun has the deadline of a run come.
func deadlineRun(t *testing.T, b broker.Broker, run workflow.Run[int]) {
	s := stage{t: t, broker: b, run: run}
	s.hasten("~~deadline~")
}

// crashIn leases what is ready in a queue, as a worker that dies, until that is seen.
func crashIn(t *testing.T, b broker.Broker, name string) {
	t.Helper()
	ref, now := firstIn(t, b, name), time.Now()
	want := broker.LeaseRequest{Queues: []broker.Share{{Queue: name}}, Max: 1, Until: now.Add(10 * time.Second)}
	if applied, err := b.Apply(t.Context(), now, nil, want); err != nil || len(applied.Leases) != 1 {
		t.Fatalf("lease %s: %v, %v", ref, applied.Leases, err)
	}
	for range 4 { // somebody looks, and then waits for a while
		time.Sleep(5 * time.Second)
		if _, err := b.Advance(t.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{name}, Limit: 10}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStepWhoseWorkerDiedIsUndoneInDoubt(t *testing.T) {
	for _, again := range []string{"waits", "is leased in a pause"} {
		t.Run(again, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				l := newLedger()
				w := dag.New("undone", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
					return dag.Do(g, l.book, in, dag.With(task.Queue("victims")))
				})
				run, err := w.Start(t.Context(), serve(t, b, w), 10)
				if err != nil {
					t.Fatal(err)
				}
				crashIn(t, b, "victims")
				if again == "is leased in a pause" {
					if err := run.Pause(t.Context()); err != nil {
						t.Fatal(err)
					}
					serveQueue(t, b, "victims", w)
					time.Sleep(time.Second)
				}
				if err := run.Cancel(t.Context()); err != nil {
					t.Fatal(err)
				}
				wantState(t, run.Handle, workflow.Cancelled, recovery)
				l.want(t, "10?")
				quiet(t, b, run.Handle)
			})
		})
	}
}

func TestWhatCannotBeUndoneLeavesTheRunStuckUntilItIsResumed(t *testing.T) {
	for name, c := range map[string]struct {
		deny   int
		resume int
	}{
		"undone by its retries": {deny: 2},
		"resumed once":          {deny: 3, resume: 1},
		"resumed twice":         {deny: 6, resume: 2},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				l := newLedger()
				l.deny[11] = c.deny
				w := dag.New("stuck", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return l.chain(g, in, l.fail) }, workflow.FailureRetention(time.Minute))
				client := serve(t, b, w)
				run, err := w.Start(t.Context(), client, 10, workflow.RunID("r"))
				if err != nil {
					t.Fatal(err)
				}
				for range c.resume {
					wantState(t, run.Handle, workflow.Stuck, recovery)
					l.want(t, "12→13")
					time.Sleep(time.Hour) // it is kept as long as it is stuck
					if err := run.Retry(t.Context()); !errors.Is(err, workflow.ErrRunState) {
						t.Errorf("Retry() of a run that is stuck = %v, want ErrRunState", err)
					}
					if _, err := w.Start(t.Context(), client, 10, workflow.RunID("r"), workflow.IfRunning(workflow.CancelRunning)); !errors.Is(err, workflow.ErrRunExists) {
						t.Errorf("Start() in place of a run that is stuck = %v, want ErrRunExists", err)
					}
					if err := run.Resume(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				wantState(t, run.Handle, workflow.Failed, recovery)
				l.want(t, "12→13", "11→12", "10→11")
				quiet(t, b, run.Handle)
			})
		})
	}
}

func TestAnUndoThatIsDeletedLeavesTheRunStuck(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		l := newLedger()
		l.deny[11] = 1
		w := dag.New("stuck", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return l.chain(g, in, l.fail) })
		run, err := w.Start(t.Context(), serve(t, b, w), 10)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		backs, err := b.List(t.Context(), broker.ListRequest{Queue: "default", State: task.Retry, Limit: 2})
		if err != nil || len(backs) != 1 {
			t.Fatalf("List() = %v, %v, want the undo that backs off", backs, err)
		}
		move(t, b, backs[0].EntryRef, broker.Delete)
		wantState(t, run.Handle, workflow.Stuck, recovery)
		if err := run.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantState(t, run.Handle, workflow.Failed, recovery)
		l.want(t, "12→13", "11→12", "10→11")
		quiet(t, b, run.Handle)
	})
}

func TestNoSingleFaultOfTheBrokerStopsAnUndo(t *testing.T) {
	for _, kind := range []string{"before", "after"} {
		t.Run(kind, func(t *testing.T) {
			for n, hit := 0, true; hit && !t.Failed(); n++ {
				synctest.Test(t, func(t *testing.T) { hit = undoWithFault(t, n, kind) })
			}
		})
	}
}

func undoWithFault(t *testing.T, n int, kind string) bool {
	t.Logf("the fault is at call %d", n)
	model, l := brokertest.NewModel(), newLedger()
	w := dag.New("undone", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		items := dag.Map(g, l.book, dag.Const(g, []int{20, 40}))
		return l.chain(g, dag.Pick(g, items, func(l []int) int { return len(l) }), l.fail)
	})
	faults := &single{at: n, kind: kind}
	serve(t, brokertest.Faulty(model, faults.plan), w)
	run, err := w.Start(t.Context(), queue.NewClient(model), 10)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, run.Handle, workflow.Failed, time.Hour)
	got := slices.Compact(l.list())
	if diff := cmp.Diff([]string{"4→5", "3→4", "2→3", "40→41", "20→21"}, got); diff != "" {
		t.Errorf("undone (-want +got):\n%s", diff)
	}
	return faults.hit && n < 100
}

// Steps are undone under whatever names they have, also if these look like those of
// items: the second of "add" is called "add.2".
func TestStepsAndItemsOfMapsAreUndone(t *testing.T) {
	var mu sync.Mutex
	var undone []int
	undo := workflow.NewStep("subtract", func(_ context.Context, u workflow.Undo[int, int]) (workflow.None, error) {
		mu.Lock()
		defer mu.Unlock()
		undone = append(undone, u.Input)
		return workflow.None{}, nil
	})
	add := workflow.Reversible(workflow.NewStep("add", func(_ context.Context, n int) (int, error) { return n + 1, nil }), undo)
	bad := workflow.NewStep("bad", func(context.Context, int) (int, error) { return 0, errSome }, task.MaxRetry(0))
	w := dag.New("undoes", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		n := dag.Do(g, add, dag.Do(g, add, dag.Do(g, add, in)))
		list := dag.Map(g, add, dag.Pick(g, n, func(n int) []int { return []int{n, n + 1, n + 2} }), dag.Parallel(1))
		return dag.Do(g, bad, dag.Pick(g, list, func(l []int) int { return len(l) }))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Wait(t.Context()); !errors.Is(err, workflow.ErrRunFailed) {
			t.Errorf("Wait() = %v, want ErrRunFailed", err)
		}
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff([]int{5, 4, 3, 2, 1, 0}, slices.Compact(undone)); diff != "" {
			t.Errorf("undone, in this order (-want +got):\n%s", diff)
		}
	})
}

func TestAnUndoThatAsksToBeForgottenHasUndoneNothing(t *testing.T) {
	undo := workflow.NewStep("forget", func(context.Context, workflow.Undo[int, int]) (workflow.None, error) {
		return workflow.None{}, task.Revoke
	})
	bad := workflow.NewStep("bad", func(context.Context, int) (int, error) { return 0, task.SkipRetry })
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, bad, dag.Do(g, workflow.Reversible(double, undo), in))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		err = run.Wait(t.Context())
		if e, ok := errors.AsType[*workflow.RunError](err); !ok || e.State != workflow.Stuck {
			t.Errorf("Wait() = %v, want that the run is stuck", err)
		}
	})
}

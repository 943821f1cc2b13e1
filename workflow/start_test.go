package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A met says what becomes of a start whose id belongs to a run already.
type met int

const (
	finds   met = iota // the start returns that run
	refused            // it fails
	begins             // another run begins
)

// TestAStartMeetsARunOfItsID has every policy meet a run in every state, with the same
// input and with another.
func TestAStartMeetsARunOfItsID(t *testing.T) {
	for running := workflow.UseRunning; running <= workflow.CancelRunning; running++ {
		for ended := workflow.UseEnded; ended <= workflow.AgainAlways; ended++ {
			for _, state := range []workflow.State{workflow.Running, workflow.Paused, workflow.Done, workflow.Failed, workflow.Cancelled} {
				for _, same := range []bool{true, false} {
					t.Run(fmt.Sprintf("running %d, ended %d, %s, same input %v", running, ended, state, same), func(t *testing.T) {
						inBubble(t, func(t *testing.T, b broker.Broker) { startOver(t, b, running, ended, state, same) })
					})
				}
			}
		}
	}
}

// wantMet returns what is to become of the start.
func wantMet(running workflow.IfRunningPolicy, ended workflow.IfEndedPolicy, state workflow.State, same bool) met {
	use := finds
	if !same {
		use = refused
	}
	switch {
	case !state.Ended() && running == workflow.RejectRunning:
		return refused
	case !state.Ended() && running == workflow.UseRunning:
		return use
	case ended == workflow.RejectEnded:
		return refused
	case !state.Ended(), ended == workflow.AgainAlways, ended == workflow.AgainFailed && state != workflow.Done:
		return begins
	}
	return use
}

func startOver(t *testing.T, b broker.Broker, running workflow.IfRunningPolicy, ended workflow.IfEndedPolicy, state workflow.State, same bool) {
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		failing := dag.Do(g, victim, dag.Await(g, nudge, 0))
		return dag.Join2(g, in, failing, add)
	})
	c := serve(t, b, w)
	serveQueue(t, b, "victims", w)
	first, err := w.Start(t.Context(), c, 10, workflow.RunID("r"))
	if err != nil {
		t.Fatal(err)
	}
	bringTo(t, first, state)
	in := 10
	if !same {
		in = 20
	}
	run, err := w.Start(t.Context(), c, in, workflow.RunID("r"), workflow.IfRunning(running), workflow.IfEnded(ended))
	switch want := wantMet(running, ended, state, same); want {
	case refused:
		if !errors.Is(err, workflow.ErrRunExists) {
			t.Errorf("Start() = existed %v, %v, want ErrRunExists", run.Existed, err)
		}
	default:
		if err != nil || run.Existed != (want == finds) {
			t.Fatalf("Start() = existed %v, %v, want existed %v", run.Existed, err, want == finds)
		}
		if want == begins {
			send(t, run, 1)
			if got, err := run.Result(t.Context()); got != in+2 || err != nil {
				t.Errorf("Result() = %d, %v, want %d", got, err, in+2)
			}
		}
	}
	sound(t, b)
}

// bringTo brings a run that waits for a signal into a state.
func bringTo(t *testing.T, run workflow.Run[int], state workflow.State) {
	t.Helper()
	time.Sleep(time.Second)
	switch state {
	case workflow.Paused:
		if err := run.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		return
	case workflow.Cancelled:
		cancelRun(t, nil, run)
	case workflow.Done:
		send(t, run, 1)
	case workflow.Failed:
		send(t, run, unlucky)
	default:
		return
	}
	wantState(t, run.Handle, state, recovery)
}

func TestARunBeginsAtItsTimeAndNotBeforeAndItsDeadlineCountsFromThen(t *testing.T) {
	for _, what := range []string{"left alone", "paused and resumed", "cancelled"} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				var began time.Time
				step := workflow.NewStep("step", func(ctx context.Context, n int) (int, error) {
					began = time.Now()
					<-ctx.Done()
					return 0, context.Cause(ctx)
				})
				w := dag.New("later", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, step, in) })
				at := time.Now().Add(time.Hour)
				run, err := w.Start(t.Context(), serve(t, b, w), 1, workflow.At(at), workflow.RunDeadline(time.Minute))
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(30 * time.Minute)
				switch what {
				case "cancelled":
					cancelRun(t, b, run)
					wantState(t, run.Handle, workflow.Cancelled, recovery)
					quiet(t, b, run.Handle)
					return
				case "paused and resumed":
					if err := errors.Join(run.Pause(t.Context()), run.Resume(t.Context())); err != nil {
						t.Fatal(err)
					}
				}
				wantState(t, run.Handle, workflow.TimedOut, 2*time.Hour)
				if began.Before(at) || began.After(at.Add(time.Second)) {
					t.Errorf("the step began at %v, want %v", began, at)
				}
				if took := time.Since(at); took < time.Minute || took > 2*time.Minute {
					t.Errorf("the run was over %v after its beginning, want a minute", took)
				}
				quiet(t, b, run.Handle)
			})
		})
	}
}

func TestRunsAreFoundByWhatTheyAre(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c, began := serve(t, b, shapes["chain"], shapes["map"]), time.Now()
		for i := range 25 {
			w := shapes[[]string{"chain", "map"}[i%2]]
			run, err := w.Start(t.Context(), c, i, workflow.RunID(fmt.Sprint(i)), workflow.Attribute("third", fmt.Sprint(i%3)), workflow.Attribute("who", "me"))
			if err != nil {
				t.Fatal(err)
			}
			wantState(t, run.Handle, workflow.Done, recovery)
			time.Sleep(time.Second - time.Since(began)%time.Second)
		}
		for _, q := range []struct {
			name string
			r    workflow.RunsRequest
			want []string
		}{
			{"in pages, the oldest first", workflow.RunsRequest{Workflow: "chain", Oldest: true, Limit: 4}, []string{"0", "2", "4", "6", "8", "10", "12", "14", "16", "18", "20", "22", "24"}},
			{"by an attribute", workflow.RunsRequest{Attributes: map[string]string{"third": "2", "who": "me"}, Limit: 3}, []string{"23", "20", "17", "14", "11", "8", "5", "2"}},
			{"by all of it", workflow.RunsRequest{Workflow: "map", Attributes: map[string]string{"third": "0"}, State: workflow.Done}, []string{"21", "15", "9", "3"}},
			{"of a time", workflow.RunsRequest{From: began.Add(2500 * time.Millisecond), To: began.Add(5500 * time.Millisecond)}, []string{"5", "4", "3"}},
			{"none", workflow.RunsRequest{State: workflow.Failed}, nil},
		} {
			for _, most := range []int{1000, 4} {
				if n, err := workflow.CountRuns(t.Context(), c, q.r, most); n != min(len(q.want), most) || err != nil {
					t.Errorf("CountRuns() %s, to %d = %d, %v, want %d", q.name, most, n, err, min(len(q.want), most))
				}
			}
			var got []string
			for more := true; more; more = q.r.After != "" {
				page, err := workflow.Runs(t.Context(), c, q.r)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Runs {
					got = append(got, r.ID)
				}
				q.r.After = page.Next
			}
			if diff := cmp.Diff(q.want, got); diff != "" {
				t.Errorf("Runs() %s (-want +got):\n%s", q.name, diff)
			}
		}
	})
}

func TestRunsAreKeptAsTheirEndSays(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := dag.New("kept", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, victim, in) },
			workflow.Retention(time.Hour), workflow.FailureRetention(3*time.Hour))
		c := serve(t, b, w)
		serveQueue(t, b, "victims", w)
		for in, keep := range map[int]time.Duration{1: time.Hour, unlucky: 3 * time.Hour} {
			run, err := w.Start(t.Context(), c, in)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(keep - time.Minute)
			if _, err := run.Status(t.Context()); err != nil {
				t.Errorf("Status() before %v are over = %v, want nil", keep, err)
			}
			time.Sleep(2 * time.Minute)
			if _, err := run.Status(t.Context()); !errors.Is(err, workflow.ErrRunNotFound) {
				t.Errorf("Status() after it = %v, want ErrRunNotFound", err)
			}
		}
		run, err := w.Start(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		wantState(t, run.Handle, workflow.Done, recovery)
		if err := run.Delete(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if _, err := run.Status(t.Context()); !errors.Is(err, workflow.ErrRunNotFound) {
			t.Errorf("Status() after Delete() = %v, want ErrRunNotFound", err)
		}
		sound(t, b)
	})
}

func TestStartRefusesWhatCannotBeWritten(t *testing.T) {
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) })
	for name, o := range map[string]workflow.StartOption{
		"a year of five digits":    workflow.At(time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)),
		"a key with an equal sign": workflow.Attribute("a=b", "c"),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				_, err := w.Start(t.Context(), queue.NewClient(b), 1, o)
				if _, ok := errors.AsType[*task.InvalidError](err); !ok {
					t.Errorf("Start() = %v, want an InvalidError", err)
				}
			})
		})
	}
}

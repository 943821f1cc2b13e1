package workflow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// This file has everything that can be done to a run met by everything else, at every
// call that it makes of the broker: in both orders, and in between.

// A seam does something in the middle of a call of the broker, before that is made.
type seam struct {
	mu    sync.Mutex
	armed bool
	calls int // since it is armed
	at    int
	do    func() // nil: it is done
}

func (s *seam) plan(_ int, method string) brokertest.Fault {
	s.mu.Lock()
	do := s.do
	switch {
	case !s.armed || slices.Contains([]string{"Beat", "Extend", "Advance", "Wait", "Listen"}, method), s.calls != s.at:
		do = nil
	default:
		s.do = nil
	}
	if s.armed {
		s.calls++
	}
	s.mu.Unlock()
	if do != nil {
		do()
	}
	return brokertest.Fault{}
}

func (s *seam) arm(at int, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed, s.at, s.do = true, at, do
}

// hit reports whether it has done it.
func (s *seam) hit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.do == nil
}

// A stage is a run with a step that runs until it is told to end, or one that waits for
// a signal, or both.
type stage struct {
	t       *testing.T
	broker  broker.Broker // without faults
	flow    workflow.Workflow[int, int]
	run     workflow.Run[int]
	release chan struct{}
	calls   atomic.Int32
	errs    map[string]error // what came of what was done
	mu      sync.Mutex
}

const bySignal, byTime = 1, 1000

// newStage returns a stage whose run consists of what acts need.
func newStage(t *testing.T, b broker.Broker, model *brokertest.Model, acts ...string) *stage {
	s := &stage{t: t, broker: model, release: make(chan struct{}), errs: make(map[string]error)}
	held := workflow.NewStep("held", func(ctx context.Context, n int) (int, error) {
		s.calls.Add(1)
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-s.release:
			return n, nil
		}
	})
	waits := slices.Contains(acts, "signal") || slices.Contains(acts, "timeout")
	s.flow = dag.New("stage", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		wait := func() dag.Val[int] { return dag.AwaitOr(g, nudge, time.Hour, byTime) }
		if !waits {
			return dag.Do(g, held, in)
		}
		if !slices.Contains(acts, "completion") {
			return wait()
		}
		return dag.Join2(g, dag.Do(g, held, in), wait(), add)
	})
	run, err := s.flow.Start(t.Context(), serve(t, b, s.flow), 10, workflow.RunDeadline(3*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s.run = run
	time.Sleep(time.Second)
	return s
}

// external is the run as a program sees it that is not the server.
func (s *stage) external(b broker.Broker) workflow.Run[int] {
	return s.flow.Open(queue.NewClient(b), s.run.ID)
}

// do does one thing to the run.
func (s *stage) do(act string, b broker.Broker) {
	ctx, run := s.t.Context(), s.external(b)
	var err error
	switch act {
	case "cancel":
		err = run.Cancel(ctx)
	case "pause":
		err = run.Pause(ctx)
	case "resume":
		err = run.Resume(ctx)
	case "signal":
		err = nudge.Send(ctx, run, bySignal, workflow.SignalID("one"))
	case "completion":
		close(s.release)
	case "deadline":
		s.hasten("~~deadline~")
	case "timeout":
		s.hasten("~~timer~")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs[act] = err
}

// hasten has an entry that waits for its time run now.
func (s *stage) hasten(what string) {
	page, err := s.broker.OpenEntries(s.t.Context(), broker.OpenRequest{Home: broker.Home{Queue: s.run.Queue(), ID: s.run.ID}, Limit: 100})
	if err != nil {
		s.t.Error(err)
	}
	for _, ref := range page.Entries {
		if strings.Contains(ref.ID, what) {
			c := broker.Change{Move: []broker.Move{{EntryRef: ref, Do: broker.Run}}}
			if _, err := s.broker.Apply(s.t.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{}); err != nil {
				s.t.Error(err)
			}
		}
	}
}

// finish brings the run to its end, if it has not come there.
func (s *stage) finish(acts ...string) {
	if status, err := s.run.Status(s.t.Context()); err == nil && status.State == workflow.Paused {
		if err := s.run.Resume(s.t.Context()); err != nil {
			s.t.Errorf("Resume() = %v, want nil", err)
		}
	}
	if !slices.Contains(acts, "completion") {
		close(s.release)
	}
	time.Sleep(recovery)
}

// check demands what holds whoever was faster.
func (s *stage) check(acts ...string) {
	t, ctx := s.t, s.t.Context()
	status, err := s.run.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !status.State.Ended() {
		t.Errorf("the run is %s, want that it has ended", status.State)
		explain(t, s.broker)
		return
	}
	s.checkState(status.State, acts)
	result, err := s.run.Result(ctx)
	if done := status.State == workflow.Done; done != (err == nil) {
		t.Errorf("Result() = %d, %v, of a run that is %s", result, err, status.State)
	}
	if status.State == workflow.Done {
		s.checkResult(result, acts)
	}
	if n := s.calls.Load(); n > 1 {
		t.Errorf("the step was called %d times, want once", n)
	}
	quiet(t, s.broker, s.run.Handle)
	time.Sleep(4 * time.Hour)
	later, err := s.run.Status(ctx)
	if diff := cmp.Diff(status, later); diff != "" || err != nil {
		t.Errorf("Status() four hours later, %v (-then +now):\n%s", err, diff)
	}
}

// checkState demands that the run is in a state that those can be content with who
// have done something, and that whoever was too late knows.
func (s *stage) checkState(state workflow.State, acts []string) {
	t := s.t
	for _, act := range acts {
		if err := s.errs[act]; err != nil && !errors.Is(err, workflow.ErrRunState) {
			t.Errorf("%s = %v, want nil or ErrRunState", act, err)
		}
	}
	cancelled := slices.Contains(acts, "cancel") && s.errs["cancel"] == nil
	if cancelled != (state == workflow.Cancelled) {
		t.Errorf("the run is %s, and Cancel() = %v", state, s.errs["cancel"])
	}
	if state == workflow.TimedOut && !slices.Contains(acts, "deadline") {
		t.Errorf("the run is %s, and nothing of that was done", state)
	}
	if state == workflow.Failed {
		t.Errorf("the run is %s, and nothing has failed", state)
	}
}

// checkResult demands that the signal counts if it was taken, and the time only if it
// has come.
func (s *stage) checkResult(result int, acts []string) {
	heard := slices.Contains(acts, "signal") && s.errs["signal"] == nil
	timed := slices.Contains(acts, "timeout")
	switch part := result % 10; {
	case !heard && !timed:
	case part == bySignal && heard, part == 0 && result >= byTime && timed:
	default:
		s.t.Errorf("Result() = %d, of a run with a signal (%v) or a timeout (%v)", result, heard, timed)
	}
}

var acts = []string{"cancel", "deadline", "signal", "timeout", "completion", "pause", "resume"}

// TestWhateverMeetsEndsOnce does one thing to a run and, in the middle of that, at every
// call of the broker that it leads to, another: the first of them sees the run as it was
// before the other, which comes before it, or after it, or in between.
func TestWhateverMeetsEndsOnce(t *testing.T) {
	for _, first := range acts {
		for _, second := range acts {
			if first == second {
				continue
			}
			t.Run(first+" and "+second, func(t *testing.T) {
				const most = 40 // calls: the server polls for ever
				for at, hit := 0, true; hit && at < most; at++ {
					synctest.Test(t, func(t *testing.T) { hit = meetAt(t, at, first, second) })
					if t.Failed() {
						t.Fatalf("%s comes at call %d of %s", second, at, first)
					}
				}
			})
		}
	}
}

func meetAt(t *testing.T, at int, first, second string) (hit bool) {
	model, middle := brokertest.NewModel(), new(seam)
	faulty := brokertest.Faulty(model, middle.plan)
	s := newStage(t, faulty, model, first, second)
	if first == "resume" || second == "resume" {
		s.do("pause", model)
	}
	middle.arm(at, func() {
		serve(t, model, s.flow) // somebody else, who is not held up
		s.do(second, model)
		time.Sleep(100 * time.Millisecond)
	})
	s.do(first, faulty)
	time.Sleep(15 * time.Second)
	if hit = middle.hit(); !hit {
		s.do(second, model)
		time.Sleep(time.Second)
	}
	s.finish(first, second)
	s.check(first, second)
	return hit
}

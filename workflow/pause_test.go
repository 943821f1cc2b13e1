package workflow_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// mixed is a graph of about all there is, whose steps take a moment.
func mixed(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	a := dag.Do(g, w.brief, in)
	items := dag.Map(g, w.brief, dag.Pick(g, a, list), dag.Parallel(2))
	arm := dag.If(g, dag.Pick(g, a, func(n int) bool { return n > 0 }),
		func(g *dag.Graph) dag.Val[int] { return dag.Do(g, w.brief, a) },
		func(*dag.Graph) dag.Val[int] { return in })
	slept := dag.Do(g, w.brief, in, dag.After(dag.Sleep(g, time.Second)))
	loop := dag.Until(g, w.brief, in, func(int) bool { return true }, 3)
	all := dag.Join3(g, items, arm, dag.Join2(g, slept, loop, add), func(l []int, a, b int) []int { return append(l, a, b) })
	return dag.Do(g, sum, all)
}

const mixedOf7 = 7 + 1 + 2 + 7 + 14

// TestAPauseAtAnyCallChangesNothingOfTheResult has a run paused for a minute at each of
// the calls of the broker that it makes.
func TestAPauseAtAnyCallChangesNothingOfTheResult(t *testing.T) {
	const most = 80
	for at, hit := 0, true; hit && at < most && !t.Failed(); at++ {
		synctest.Test(t, func(t *testing.T) { hit = pauseAt(t, at) })
	}
}

func pauseAt(t *testing.T, at int) bool {
	t.Logf("the pause is at call %d", at)
	model, middle, seen := brokertest.NewModel(), new(seam), newWatch()
	w := dag.New("mixed", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return mixed(seen, g, in) })
	var run workflow.Run[int]
	paused := false
	middle.arm(at, func() { paused = run.Pause(t.Context()) == nil })
	run, err := w.Start(t.Context(), queue.NewClient(model), 7)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, brokertest.Faulty(model, middle.plan), w)
	time.Sleep(10 * time.Second) // what was leased before goes on
	begun := seen.begun.Load()
	time.Sleep(time.Minute)
	if now := seen.begun.Load(); now != begun {
		t.Errorf("%d steps began in the pause", now-begun)
	}
	if paused {
		if err := run.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantMixed(t, model, run)
	return middle.hit()
}

func wantMixed(t *testing.T, b broker.Broker, run workflow.Run[int]) {
	t.Helper()
	wantState(t, run.Handle, workflow.Done, 10*time.Minute)
	if got, err := run.Result(t.Context()); got != mixedOf7 || err != nil {
		t.Errorf("Result() = %d, %v, want %d", got, err, mixedOf7)
	}
	time.Sleep(10 * time.Minute)
	quiet(t, b, run.Handle)
}

func TestARunThatIsPausedAgainAndAgainEndsInSpiteOfFaults(t *testing.T) {
	for range 20 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			t.Logf("seed %d", seed)
			model, seen := brokertest.NewModel(), newWatch()
			w := dag.New("mixed", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return mixed(seen, g, in) })
			serve(t, brokertest.Faulty(model, randomFaults(seed, 0.2)), w)
			run, err := w.Start(t.Context(), queue.NewClient(model), 7)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(seed, 3))
			for range 10 {
				time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
				if run.Pause(t.Context()) != nil {
					break
				}
				time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
				if err := run.Resume(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			wantMixed(t, model, run)
		})
	}
}

func TestTimesGoOnInAPause(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := dag.New("sleeps", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, double, in, dag.After(dag.Sleep(g, time.Hour)))
		})
		c := serve(t, b, w)
		for _, length := range []time.Duration{30 * time.Minute, 90 * time.Minute} { // it ends before the hour, and after
			run, err := w.Start(t.Context(), c, 1)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			time.Sleep(time.Minute)
			if err := run.Pause(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(length)
			if err := run.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantState(t, run.Handle, workflow.Done, time.Hour)
			want := max(time.Hour, time.Minute+length)
			if took := time.Since(began); took < want || took > want+10*time.Second {
				t.Errorf("with a pause of %v the run took %v, want %v", length, took, want)
			}
			quiet(t, b, run.Handle)
		}
	})
}

package queue_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

var errAway = errors.New("away")

// A lame broker does not answer heartbeats and sweeps as long as it is told not to.
type lame struct {
	broker.Broker
	away, hangs atomic.Bool
}

func (l *lame) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	if l.away.Load() {
		return errAway
	}
	return l.Broker.Beat(ctx, now, s)
}

func (l *lame) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	for l.hangs.Load() {
		time.Sleep(time.Second) // whatever ctx says
	}
	if l.away.Load() {
		return broker.Advanced{}, errAway
	}
	return l.Broker.Advance(ctx, now, r)
}

// onLame runs f with a server on a lame broker, that has run for a while.
func onLame(t *testing.T, f func(*bench, *lame)) {
	inBubble(t, func(x *bench) {
		l := &lame{Broker: brokertest.NewModel()}
		x.b = l
		x.serve(func(context.Context, *task.Task) error { return nil })
		x.pass(12 * time.Second)
		f(x, l)
		l.away.Store(false)
		l.hangs.Store(false)
	})
}

func TestAServerKnowsThatItIsWell(t *testing.T) {
	onLame(t, func(x *bench, _ *lame) {
		h := x.srv.Health()
		if h.State != "active" || h.ID == "" || time.Since(h.Started) != 12*time.Second || h.Concurrency != 1 || h.Running != 0 {
			t.Errorf("Health() = %+v, want a server that has been active for 12s", h)
		}
		for name, p := range map[string]queue.Pulse{"beat": h.Beat, "sweep": h.Sweep} {
			if p.Lag != 0 || p.Silent != 0 || p.Failed != 0 || p.Err != nil || time.Since(p.Last) > 5*time.Second {
				t.Errorf("%s is %+v, want it well", name, p)
			}
		}
	})
}

func TestAServerKnowsThatItsStorageIsAway(t *testing.T) {
	onLame(t, func(x *bench, l *lame) {
		l.away.Store(true)
		x.pass(20 * time.Second)
		h := x.srv.Health()
		for name, p := range map[string]queue.Pulse{"beat": h.Beat, "sweep": h.Sweep} {
			if p.Lag < 14*time.Second || p.Silent != 0 || p.Failed < 3 || !errors.Is(p.Err, errAway) {
				t.Errorf("%s is %+v, want it late, and three failures that are heard of", name, p)
			}
		}
		l.away.Store(false)
		x.pass(6 * time.Second)
		if h = x.srv.Health(); h.Beat.Failed+h.Sweep.Failed != 0 || h.Beat.Lag+h.Sweep.Lag != 0 || h.Beat.Err != nil || h.Sweep.Err != nil {
			t.Errorf("Health() = %+v after the storage is back, want it well", h)
		}
	})
}

func TestAServerKnowsThatItsSweeperHangs(t *testing.T) {
	onLame(t, func(x *bench, l *lame) {
		l.hangs.Store(true)
		x.pass(30 * time.Second)
		h := x.srv.Health()
		if h.Sweep.Silent < 15*time.Second || h.Sweep.Lag < 25*time.Second || h.Sweep.Failed != 0 {
			t.Errorf("sweep is %+v, want nothing heard of it for 15s after its time", h.Sweep)
		}
		if h.Beat.Silent != 0 || h.Beat.Lag != 0 {
			t.Errorf("beat is %+v, want it well", h.Beat)
		}
	})
}

func TestAServerKnowsItsState(t *testing.T) {
	inBubble(t, func(x *bench) {
		srv := x.newServer()
		want := func(state string, running int) {
			t.Helper()
			if h := srv.Health(); h.State != state || h.Running != running {
				t.Errorf("Health() = %s with %d tasks, want %s with %d", h.State, h.Running, state, running)
			}
		}
		want("new", 0)
		if h := srv.Health(); !h.Started.IsZero() || h.Beat != (queue.Pulse{}) || h.Sweep != (queue.Pulse{}) {
			t.Errorf("Health() = %+v before it is started, want nothing", h)
		}
		x.enqueue("a")
		if err := srv.Start(task.HandlerFunc(func(context.Context, *task.Task) error { time.Sleep(5 * time.Second); return nil })); err != nil {
			t.Fatal(err)
		}
		x.pass(time.Second)
		want("active", 1)
		srv.Stop()
		want("stopped", 1)
		ended := make(chan error)
		go func() { ended <- srv.Shutdown(x.Context()) }()
		x.pass(time.Second)
		want("draining", 1)
		if err := <-ended; err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
		want("closed", 0)
	})
}

func TestObserversAreAllTold(t *testing.T) {
	var told []string
	tell := func(name string) queue.Observer {
		return func(_ context.Context, e queue.Event) { told = append(told, name+" "+e.Kind.String()) }
	}
	bad := func(context.Context, queue.Event) { panic("bad") }
	all := queue.Observers(tell("a"), nil, bad, tell("b"), bad, tell("c"))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is kept secret")
			}
		}()
		all(t.Context(), queue.Event{Kind: queue.EventStuck})
	}()
	if len(told) != 3 || told[0] != "a stuck" || told[1] != "b stuck" || told[2] != "c stuck" {
		t.Errorf("told %q, want a, b and c in turn", told)
	}
	if queue.Observers() != nil || queue.Observers(nil, nil) != nil {
		t.Error("nobody is an observer, want nil")
	}
}

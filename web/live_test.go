package web_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

// quick has what is looked at brought up to date often.
const quick = 500 * time.Millisecond

func TestWhatComesIsShownWithoutLoadingThePageAgain(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{Refresh: quick})
		s.enqueue("a", "", task.Queue("first"))
		p := s.look("/", browsertest.Options{})
		p.WaitFor("main", "first")
		born := browsertest.Eval[float64](p, `() => performance.timeOrigin`)
		s.enqueue("b", "", task.Queue("second"))
		p.WaitFor("main", "first", "second")
		p.WaitFor("#age", "live")
		if now := browsertest.Eval[float64](p, `() => performance.timeOrigin`); now != born {
			t.Error("the page was loaded again")
		}
	})
}

func TestAPageSaysThatTheServerIsSilent(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{Refresh: quick})
	p := s.look("/", browsertest.Options{})
	p.WaitFor(`#age[data-live=on]`)
	s.down()
	p.Expect("net::ERR_")
	p.WaitFor(`#age[data-live=late]`, "as it was", "s ago")
}

func TestAPageSaysThatTheStorageIsSilentAndWhenItIsBack(t *testing.T) {
	var down atomic.Bool
	b := brokertest.Faulty(onSQLite(t), func(int, string) brokertest.Fault {
		if down.Load() {
			return brokertest.Fault{Before: broker.ErrRefused}
		}
		return brokertest.Fault{}
	})
	s := serve(t, b, web.Config{Refresh: quick})
	p := s.look("/", browsertest.Options{})
	p.WaitFor(`#age[data-live=on]`)
	down.Store(true)
	p.WaitFor(`#age[data-live=late]`)
	down.Store(false)
	p.WaitFor(`#age[data-live=on]`, "live")
}

func TestNothingIsReadForAPageThatNobodySees(t *testing.T) {
	var calls atomic.Int64
	b := brokertest.Faulty(onSQLite(t), func(int, string) brokertest.Fault { calls.Add(1); return brokertest.Fault{} })
	s := serve(t, b, web.Config{Refresh: quick})
	p := s.look("/", browsertest.Options{})
	p.WaitFor(`#age[data-live=on]`)
	p.Hide()
	idle(t, &calls)
	p.Show()
	await(t, "the storage to be read again", func(before int64) bool { return calls.Load() > before }, calls.Load())
	p.Open("/help")
	idle(t, &calls)
}

// idle waits until nothing is counted for a while that is longer than between two looks.
func idle(t *testing.T, calls *atomic.Int64) {
	t.Helper()
	await(t, "nothing to be read", func(struct{}) bool {
		before := calls.Load()
		time.Sleep(3 * quick)
		return calls.Load() == before
	}, struct{}{})
}

// await waits until holds is true.
func await[A any](t *testing.T, what string, holds func(A) bool, given A) {
	t.Helper()
	for began := time.Now(); !holds(given); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

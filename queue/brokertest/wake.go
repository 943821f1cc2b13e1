package brokertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// wakes returns a case for brokers that are a [broker.Waker]. It runs in real
// time: what is waited on may be a socket, for which a bubble does not wait.
func wakes(keep func(*trial)) func(*testing.T, func(testing.TB) Storage) {
	return inRealTime(func(x *trial) {
		if _, ok := wakerOf(x.b); !ok {
			x.Log("the broker is no broker.Waker")
			return
		}
		keep(x)
	})
}

func wakerOf(b broker.Broker) (broker.Waker, bool) {
	if w, ok := b.(*watched); ok {
		b = w.Broker
	}
	if r, ok := b.(*rooted); ok {
		b = r.b // no id is in a wake
	}
	w, ok := b.(broker.Waker)
	return w, ok
}

// A waiting is somebody who waits for a wake.
type waiting struct {
	x      *trial
	answer chan answer
	stop   context.CancelFunc
}

type answer struct {
	wake broker.Wake
	err  error
}

// wait begins to wait on a broker. Whoever waits does so until the case ends.
func (x *trial) wait(b broker.Broker, queues ...string) *waiting {
	x.Helper()
	w, ok := wakerOf(b)
	if !ok {
		x.Fatalf("%T is no broker.Waker", b)
	}
	ctx, stop := context.WithCancel(x.Context())
	g := &waiting{x: x, answer: make(chan answer, 1), stop: stop}
	go func() {
		wake, err := w.Wait(ctx, queues)
		g.answer <- answer{wake, err}
	}()
	x.Cleanup(stop)
	return g
}

// end returns how the wait ends, as it must.
func (g *waiting) end(what string) (broker.Wake, error) {
	g.x.Helper()
	select {
	case a := <-g.answer:
		return a.wake, a.err
	case <-time.After(10 * time.Second):
		g.x.Fatalf("%s: Wait() goes on for ten seconds", what)
		return broker.Wake{}, nil
	}
}

// gets demands that the one who waits gets a wake.
func (g *waiting) gets(what string, want broker.Wake) {
	g.x.Helper()
	got, err := g.end(what)
	if err != nil {
		g.x.Fatalf("%s: Wait() = %v, want nil", what, err)
	}
	equal(g.x, what+": the wake", got, want)
}

// woken demands that the next who waits for q gets a wake.
func (x *trial) woken(what string, want broker.Wake) {
	x.Helper()
	x.wait(x.b, "q").gets(what, want)
}

// farOff is the time of a wake that is left in the queue "fence": who waits for
// that queue last gets it if there is nothing else.
var farOff = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// fence leaves the wake that ends every wait for the fence.
func (x *trial) fence() broker.Wake {
	x.Helper()
	w := broker.Wake{Queue: "fence", At: farOff}
	x.passOn(w)
	return w
}

func (x *trial) passOn(wakes ...broker.Wake) {
	x.Helper()
	x.applyAnd(broker.LeaseRequest{Pass: wakes})
}

// quiet demands that there is no wake of q.
func (x *trial) quiet(what string) {
	x.Helper()
	x.quietOf("q", what)
}

func (x *trial) quietOf(name, what string) {
	x.Helper()
	fence := x.fence()
	x.wait(x.b, name, "fence").gets(what, fence)
}

// hush takes the wakes of q that there are. A broker may give one that is left
// over to whoever waits on it first.
func (x *trial) hush() {
	x.Helper()
	x.hushOf("q")
}

func (x *trial) hushOf(name string) {
	x.Helper()
	for fence := x.fence(); ; {
		got, err := x.wait(x.b, name, "fence").end("the wakes that there are")
		if err != nil {
			x.Fatalf("Wait() = %v, want nil", err)
		}
		if got.Queue == fence.Queue {
			return
		}
	}
}

// rousing demands that do wakes somebody who waits for what want is of.
func (x *trial) rousing(what string, want broker.Wake, do func()) {
	x.Helper()
	x.hushOf(want.Queue)
	g := x.wait(x.b, want.Queue)
	do()
	g.gets(what, want)
}

func wakeEarliest(x *trial) {
	x.enqueue(scheduled("q", "a", 3*time.Hour), scheduled("q", "b", 2*time.Hour), scheduled("q", "c", 4*time.Hour))
	x.woken("the earliest of three", broker.Wake{Queue: "q", At: x.get("q", "b").DueAt})
	x.quiet("when it was given")
	x.enqueue(scheduled("q", "d", 5*time.Hour))
	x.woken("a later one that came after it", broker.Wake{Queue: "q", At: x.get("q", "d").DueAt})
	x.must(broker.Change{Enqueue: []broker.Entry{
		scheduled("q", "e", 7*time.Hour), scheduled("q", "f", 6*time.Hour), scheduled("q", "g", 8*time.Hour),
	}})
	x.woken("the earliest of a change", broker.Wake{Queue: "q", At: x.get("q", "f").DueAt})
	x.quiet("at last")
}

func wakeKept(x *trial) {
	x.enqueue(entries("q", "a", "b", "c")...)
	x.woken("of three that are ready", ready)
	x.quiet("when it was given")
	x.wakesOnAnother("what is enqueued", ready, func() { x.enqueue(entry("q", "d")) })
}

// wakesOnAnother demands that do wakes somebody who waits on another broker.
func (x *trial) wakesOnAnother(what string, want broker.Wake, do func()) {
	x.Helper()
	x.hush()
	g := x.wait(x.open(), "q")
	do()
	g.gets(what, want)
}

func wakeOrder(x *trial) {
	x.enqueue(scheduled("q", "later", time.Hour), entry("q", "now"))
	x.woken("what is to be leased", ready)
	x.woken("what is to be advanced", broker.Wake{Queue: "q", At: x.get("q", "later").DueAt})
	x.quiet("at last")
}

func wakeOne(x *trial) {
	other := x.b
	if !x.storage.OneEach {
		other = x.open()
	}
	x.hush()
	for i := range 10 {
		one, two := x.wait(x.b, "q", "fence"), x.wait(other, "q", "fence")
		x.enqueue(entry("q", fmt.Sprint(i)))
		var first answer
		select {
		case first = <-one.answer:
			one = two
		case first = <-two.answer:
		case <-time.After(10 * time.Second):
			x.Fatal("nobody is woken for ten seconds")
		}
		if first.err != nil {
			x.Fatalf("Wait() = %v, want nil", first.err)
		}
		equal(x, "the wake of one", first.wake, ready)
		fence := x.fence()
		one.gets("the other", fence)
	}
}

func wakeOthers(x *trial) {
	g := x.wait(x.b, "p", "fence")
	x.enqueue(entry("q", "a"), scheduled("q", "b", time.Hour))
	fence := x.fence()
	g.gets("who waits for p", fence)
	x.woken("who waits for q", ready)
}

func wakeNone(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	leases := x.lease("q", 2)
	x.hush()
	x.extend(time.Hour, leases[0].Ref())
	x.must(settling(leases[0], broker.Completed), settling(leases[1], broker.Archived), moving(broker.Archive, "a"))
	x.enqueue(grouped("c", "g"))
	x.gather("g", "t", 1)
	x.quiet("the ends of leases, of retention and of batches")
}

func wakePassed(x *trial) {
	for what, d := range map[string]time.Duration{"past": -time.Hour, "to come": time.Hour} {
		w := broker.Wake{Queue: "q", At: time.Now().Add(d).UTC().Truncate(time.Millisecond)}
		x.passOn(w)
		x.woken(what, w)
		g := x.wait(x.b, "q")
		x.passOn(w)
		g.gets(what+", for who waits", w)
		x.quiet(what)
	}
}

func wakePassedReady(x *trial) {
	x.passOn(ready)
	x.quiet("no such queue")
	x.enqueue(entries("q", "a", "b")...)
	x.woken("entries", ready)
	x.passOn(ready)
	x.woken("entries, passed on", ready)
	want := wanted("q", 1)
	want.Pass = []broker.Wake{ready}
	x.applyAnd(want)
	x.woken("one entry more than are leased", ready)
	x.applyAnd(want)
	x.quiet("all are leased")
	x.passOn(ready)
	x.quiet("all were leased before")
	x.pause("q", true)
	x.enqueue(entry("q", "c"))
	x.woken("an entry in a queue that is paused", ready)
	x.passOn(ready)
	x.quiet("passed on in a queue that is paused")
}

func wakeEnds(x *trial) {
	g := x.wait(x.b, "q")
	g.stop()
	if _, err := g.end("its context has ended"); !errors.Is(err, context.Canceled) {
		x.Errorf("Wait() = %v, want %v", err, context.Canceled)
	}
	x.enqueue(entry("q", "a"))
	w, _ := wakerOf(x.b)
	ended, cancel := context.WithCancel(x.Context())
	cancel()
	if _, err := w.Wait(ended, []string{"q"}); !errors.Is(err, context.Canceled) {
		x.Errorf("Wait() with a context that has ended = %v, want %v", err, context.Canceled)
	}
	x.woken("what nobody was given", ready)
}

// waitUntilClosed has somebody wait on the broker, and returns what demands that
// the end of the broker has ended that.
func (x *trial) waitUntilClosed() (closed func()) {
	if _, ok := wakerOf(x.b); !ok {
		return func() {}
	}
	g := x.wait(x.b, "none")
	time.Sleep(100 * time.Millisecond) // by then it waits
	return func() {
		x.Helper()
		if _, err := g.end("the broker is closed"); !errors.Is(err, broker.ErrClosed) {
			x.Errorf("Wait() when the broker is closed = %v, want %v", err, broker.ErrClosed)
		}
	}
}

func wakeInvalid(x *trial) {
	w, _ := wakerOf(x.b)
	for _, queues := range [][]string{nil, {}, {""}, {"q", "{q}"}} {
		_, err := w.Wait(x.Context(), queues)
		x.invalid(fmt.Sprintf("%q", queues), err)
		x.refusal(fmt.Sprintf("%q", queues), err)
	}
	_, err := x.b.Apply(x.Context(), time.Now(), nil, broker.LeaseRequest{Pass: []broker.Wake{{Queue: "{q}"}}})
	x.invalid("to pass on a wake of no queue", err)
	x.refusal("to pass on a wake of no queue", err)
}

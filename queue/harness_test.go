package queue_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// A bench is a broker, a client and servers, in a bubble of fake
// time. What the server logs and observes is kept.
type bench struct {
	*testing.T
	b      broker.Broker
	client *queue.Client
	srv    *queue.Server
	log    lockedBuffer
	cfg    queue.Config

	mu     sync.Mutex
	events []queue.Event
}

// inBubble runs f on a bench of its own.
func inBubble(t *testing.T, f func(*bench)) {
	synctest.Test(t, func(t *testing.T) { f(newBench(t, brokertest.NewModel())) })
}

func newBench(t *testing.T, b broker.Broker) *bench {
	x := &bench{T: t, b: b, client: queue.NewClient(b)}
	x.cfg = queue.Config{
		Concurrency: 1,
		Logger:      slog.New(slog.NewTextHandler(&x.log, nil)),
		Observer: func(_ context.Context, e queue.Event) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.events = append(x.events, e)
		},
	}
	return x
}

// serve starts a server with x.cfg, which is shut down at the end of the test.
func (x *bench) serve(h task.HandlerFunc) {
	x.Helper()
	x.serveAny(h)
}

func (x *bench) serveAny(h task.Handler) {
	x.Helper()
	srv := x.newServer()
	x.srv = srv
	if err := srv.Start(h); err != nil {
		x.Fatalf("Start() = %v, want nil", err)
	}
	x.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			x.Errorf("Shutdown() = %v, want nil", err)
		}
	})
}

func (x *bench) newServer() *queue.Server {
	x.Helper()
	srv, err := queue.NewServer(x.b, x.cfg)
	if err != nil {
		x.Fatalf("NewServer() = %v, want nil", err)
	}
	return srv
}

// enqueue enqueues a task whose id is id, and type "test:" + id.
func (x *bench) enqueue(id string, options ...task.Option) {
	x.Helper()
	options = append([]task.Option{task.ID(id)}, options...)
	if _, err := x.client.Enqueue(x.Context(), task.New("test:"+id, []byte(id)), options...); err != nil {
		x.Fatalf("Enqueue(%s) = %v, want nil", id, err)
	}
}

// pass lets d pass, and what happens at its end happen.
func (x *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// get returns the entry default/id.
func (x *bench) get(id string) broker.Stored {
	x.Helper()
	s, err := x.b.Entry(x.Context(), broker.EntryRef{Queue: "default", ID: id})
	if err != nil {
		x.Fatalf("Entry(default/%s) = %v, want nil", id, err)
	}
	return s
}

// gone fails the test unless the entry default/id was deleted.
func (x *bench) gone(id string) {
	x.Helper()
	if s, err := x.b.Entry(x.Context(), broker.EntryRef{Queue: "default", ID: id}); err == nil {
		x.Errorf("entry %s is %s, want it deleted", id, s.State)
	}
}

// list returns the ids of the entries of the queue default in state, in order.
func (x *bench) list(state task.State) []string {
	x.Helper()
	found, err := x.b.List(x.Context(), broker.ListRequest{Queue: "default", State: state, Limit: 1 << 20})
	if err != nil {
		x.Fatalf("List(%s) = %v, want nil", state, err)
	}
	var ids []string
	for _, s := range found {
		ids = append(ids, s.ID)
	}
	return ids
}

func (x *bench) counts(name string) broker.Counts {
	x.Helper()
	c, err := x.b.Counts(x.Context(), time.Now(), name)
	if err != nil {
		x.Fatalf("Counts(%s) = %v, want nil", name, err)
	}
	return c[0]
}

// seen returns the events of one kind, in order.
func (x *bench) seen(kind queue.EventKind) []queue.Event {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(x.events), func(e queue.Event) bool { return e.Kind != kind })
}

// never fails the test if it is called.
func never(t *testing.T) task.HandlerFunc {
	return func(_ context.Context, tk *task.Task) error {
		t.Errorf("handler was called with %s, want not", tk.Type())
		return nil
	}
}

// A lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// A modelBroker is what inBubble gives a bench.
type modelBroker = brokertest.Model

// A tapped broker calls a function in place of Apply or Extend, if there is
// one. The function gets the real method.
type tapped struct {
	broker.Broker
	apply  func(call applyCall) (broker.Applied, error)
	extend func(call extendCall) ([]broker.Held, error)
}

type applyCall struct {
	ctx     context.Context
	changes []broker.Change
	want    broker.LeaseRequest
	run     func() (broker.Applied, error)
}

type extendCall struct {
	ctx    context.Context
	leases []broker.LeaseRef
	run    func() ([]broker.Held, error)
}

func (b *tapped) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	run := func() (broker.Applied, error) { return b.Broker.Apply(ctx, now, changes, want) }
	if b.apply == nil {
		return run()
	}
	return b.apply(applyCall{ctx, changes, want, run})
}

func (b *tapped) Extend(ctx context.Context, now, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	run := func() ([]broker.Held, error) { return b.Broker.Extend(ctx, now, until, leases...) }
	if b.extend == nil {
		return run()
	}
	return b.extend(extendCall{ctx, leases, run})
}

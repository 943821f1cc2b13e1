package queue

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Running is a task while its handler runs, for packages that build on this
// one: it shows the lease, and lets the handler commit more than the outcome.
//
// A task that belongs to a run, whose entry has a Home beside a queue with a name that a
// user may give, needs that: the run waits to be told. If its handler returns nil and has not called [Running.OnSettle],
// it is not the right one, or was not reached. Then the task is put off, as if
// there were no handler for it. Only [task.Revoke] drops it.
// All methods may be called from several goroutines.
type Running struct {
	server   *Server
	lease    broker.Lease
	trace    TracedAttempt
	progress progress

	mu     sync.Mutex
	settle SettleFunc
	told   func() // to be called once what settle has returned is recorded
	attrs  []slog.Attr
	then   []*request // to be enqueued if it is done
	sealed bool       // then no longer grows
}

// A SettleFunc returns the change to commit in place of one that only records
// the outcome s. The change must settle the entry of s exactly once, with s or
// with another settlement that bears the token of s.
//
// It is called after the handler has returned, or was given up, with every
// outcome except those that are not the handler's: an entry that is released,
// cancelled, expired or poison is settled without it, and its Exit enqueued if it
// has one. refused
// is nil at first. If the broker refuses the change with anything but
// [broker.ErrLeaseLost], the function is called again with that error, at most
// three times; then s is recorded alone if the handler returned an error, and if
// not, the task has failed with the broker's. If the function panics, calls
// runtime.Goexit, or returns a change that does not settle the entry, the task
// has failed with that. Of a
// failure that comes about in this way nothing else is recorded.
type SettleFunc func(s broker.Settlement, refused error) broker.Change

type runningKey struct{}

// FromContext returns the running task whose handler has ctx, and whether it is
// that of a handler.
func FromContext(ctx context.Context) (*Running, bool) {
	r, ok := ctx.Value(runningKey{}).(*Running)
	return r, ok
}

// WithEntry returns a context from which the functions of package task read what they say
// of the context of a handler for e; and what is logged with it names e.
func WithEntry(ctx context.Context, e broker.Entry) context.Context {
	return task.WithAttempt(ctx, task.Attempt{ID: e.ID, Queue: e.Queue, Type: e.Type, Retried: e.Retried, MaxRetry: e.MaxRetry})
}

// Lease returns the lease under which the task runs. What it holds is shared
// and must not be modified. Its Until is that of the beginning: a server
// extends it.
func (r *Running) Lease() broker.Lease { return r.lease }

// Broker returns the broker that the task came from.
func (r *Running) Broker() broker.Broker { return r.server.broker }

// Serves reports whether the server that runs the task serves the named queue,
// one that its handler has reserved included.
func (r *Running) Serves(queue string) bool { return slices.Contains(r.server.queues, queue) }

// OnSettle has f decide on the change that records the outcome. The last
// function that is set before the handler returns counts; nil unsets it. A task
// that belongs to a run is not done without one.
func (r *Running) OnSettle(f SettleFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle = f
}

func (r *Running) settleFunc() SettleFunc {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settle
}

// OnSettled has f called once the outcome is recorded, if that is by the change which
// the function of OnSettle has returned. The last function that is set before counts,
// also by that function, and nil unsets it. f must return soon, as an [Observer] must.
func (r *Running) OnSettled(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = f
}

// tellSettled calls what was given to OnSettled.
func (r *Running) tellSettled() {
	r.mu.Lock()
	settle, told := r.settle, r.told
	r.mu.Unlock()
	if settle != nil && told != nil {
		told()
	}
}

// LogAttrs has what the server logs of the task carry attrs, too, as that has them which
// is logged with a context from [task.WithLogAttrs]. It keeps attrs.
func (r *Running) LogAttrs(attrs ...slog.Attr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.attrs) > 0 {
		attrs = append(slices.Clip(r.attrs), attrs...)
	}
	r.attrs = attrs
}

// naming returns ctx with the attributes that LogAttrs was called with.
func (r *Running) naming(ctx context.Context) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.attrs) == 0 {
		return ctx
	}
	return task.WithLogAttrs(ctx, r.attrs...)
}

// Tracer returns the server's tracer, nil if it has none.
func (r *Running) Tracer() Tracer { return r.server.cfg.Tracer }

// Trace returns the attempt as the tracer knows it. It is never nil: if the tracer does
// not know it, or there is none, what it is told goes nowhere.
func (r *Running) Trace() TracedAttempt { return r.trace }

// Tell tells the server's Observer of e, or the client's that an entry was enqueued.
func (r *Running) Tell(ctx context.Context, e Event) { r.server.cfg.tell(ctx, e) }

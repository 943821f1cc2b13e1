package queue

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

const (
	// backgroundRetry is how soon a background that has failed is run again; after
	// each more failure it takes twice as long, up to backgroundRest. One that has
	// run for that long begins anew.
	backgroundRetry = time.Second
	backgroundRest  = time.Minute
)

// A Background is what a server runs beside the tasks for its handler, as it
// was registered with [task.Mux.Background]. It shows the server to packages that
// build on this one.
//
// The server calls each function once it begins to take tasks, on a goroutine of
// its own, and ends the context at [Server.Stop] or at the beginning of
// [Server.Shutdown], which waits for it no longer than for the handlers. One that
// goes on after that is reported in the log, and left alone. An error, a panic or
// a runtime.Goexit is logged as well, and the function called again after a second,
// after each more failure twice as late, up to a minute; what it returns once its
// context has ended says nothing. A function that returns nil is not called again.
//
// All methods may be called from several goroutines, also after the server has
// ended.
type Background struct {
	broker broker.Broker
	queues []string // that the server serves
	cfg    Config
}

type backgroundKey struct{}

// BackgroundFromContext returns the background that has ctx, and whether it is
// that of one; that of a handler is not.
func BackgroundFromContext(ctx context.Context) (*Background, bool) {
	b, ok := ctx.Value(backgroundKey{}).(*Background)
	return b, ok
}

// Broker returns the broker whose tasks the server runs.
func (b *Background) Broker() broker.Broker { return b.broker }

// Serves reports whether the server serves the named queue, one that its handler
// has reserved included.
func (b *Background) Serves(queue string) bool { return slices.Contains(b.queues, queue) }

// Unfit returns how the task of e ends if it is not to be run, because its workers have
// died too often or it is too late for it, and why; or a nil error.
func (b *Background) Unfit(e broker.Entry) (broker.End, error) { return b.cfg.unfit(time.Now(), e) }

// Settlement returns how the lease l ends of a task that was run in the background, if
// that came to err: by the policies of the server, as of a task whose handler returned
// err.
func (b *Background) Settlement(ctx context.Context, l broker.Lease, err error) broker.Settlement {
	e := l.Entry
	t := task.Received(e.Type, e.Payload, e.Headers, task.NewResultWriter(ctx, e.ID, b.cfg.MaxResult))
	return b.cfg.settlement(ctx, time.Now(), l, t, sound(err))
}

// A background is a function that is to be run beside the tasks.
type background struct {
	name string
	run  func(context.Context) error
	over chan struct{} // closed when it is not run any more
}

// backgroundsOf returns what h wants to be run beside the tasks.
func backgroundsOf(h task.Handler) (list []*background, err error) {
	m, ok := h.(interface {
		Backgrounds() map[string]func(context.Context) error
	})
	if !ok {
		return nil, nil
	}
	all := m.Backgrounds()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := task.CheckMadeName("background", name); err != nil {
			return nil, err
		}
		if all[name] == nil {
			return nil, task.Invalid("background "+name, nil, "must not be nil")
		}
		list = append(list, &background{name: name, run: all[name], over: make(chan struct{})})
	}
	return list, nil
}

// runAside starts the backgrounds. Their contexts end with ctx.
func (s *Server) runAside(ctx context.Context) {
	ctx = context.WithValue(ctx, backgroundKey{}, &Background{broker: s.broker, queues: s.queues, cfg: s.cfg})
	for _, b := range s.aside {
		go func() {
			defer close(b.over)
			s.keepRunning(ctx, b)
		}()
	}
}

// keepRunning runs b until it has returned nil or ctx has ended.
func (s *Server) keepRunning(ctx context.Context, b *background) {
	backoff := loop.Backoff{Min: backgroundRetry, Max: backgroundRest}
	for ctx.Err() == nil {
		began := time.Now()
		if s.isDone(ctx, b) {
			return
		}
		if time.Since(began) >= backgroundRest {
			backoff.Reset()
		}
		loop.Sleep(ctx, backoff.Next())
	}
}

// isDone runs b, and reports whether that has returned nil.
func (s *Server) isDone(ctx context.Context, b *background) bool {
	var err error
	if !callBack(ctx, s.cfg.Logger, "background "+b.name, func() { err = sound(b.run(ctx)) }) {
		return false
	}
	if err != nil && ctx.Err() == nil {
		s.cfg.Logger.WarnContext(ctx, "background work did not succeed", "loop", b.name, "err", err)
	}
	return err == nil
}

// leftAside waits for the backgrounds, and returns the names of those that go on
// when ctx ends.
func (s *Server) leftAside(ctx context.Context) (names []string) {
	for _, b := range s.aside {
		if !closedWithin(ctx, b.over) {
			names = append(names, b.name)
		}
	}
	return names
}

// endAside gives the backgrounds a last moment to return.
func (s *Server) endAside(ctx context.Context) {
	grace, cancel := context.WithTimeout(ctx, endGrace)
	defer cancel()
	if left := s.leftAside(grace); len(left) > 0 {
		s.cfg.Logger.WarnContext(ctx, "backgrounds go on after the server has ended", "backgrounds", left)
	}
}

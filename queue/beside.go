package queue

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/task"
)

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
	aside := s.background()
	ctx = context.WithValue(ctx, backgroundKey{}, aside)
	for _, b := range s.aside {
		go func() {
			defer close(b.over)
			aside.keepRunning(ctx, b.name, b.run)
		}()
	}
}

func (s *Server) background() *Background {
	return &Background{broker: s.broker, queues: s.queues, cfg: s.cfg, worker: s.worker, history: s.history}
}

// keepRunning calls run until it has returned nil or ctx has ended.
func (b *Background) keepRunning(ctx context.Context, name string, run func(context.Context) error) {
	backoff := loop.Backoff{Min: backgroundRetry, Max: backgroundRest}
	for ctx.Err() == nil {
		began := time.Now()
		if b.isDone(ctx, name, run) {
			return
		}
		if time.Since(began) >= backgroundRest {
			backoff.Reset()
		}
		loop.Sleep(ctx, backoff.Next())
	}
}

// isDone calls run, and reports whether that has returned nil.
func (b *Background) isDone(ctx context.Context, name string, run func(context.Context) error) bool {
	var err error
	if !callBack(ctx, b.cfg.Logger, "background "+name, func() { err = sound(run(ctx)) }) {
		return false
	}
	if err != nil && ctx.Err() == nil {
		b.cfg.Logger.WarnContext(ctx, "background work did not succeed", "loop", name, "err", err)
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

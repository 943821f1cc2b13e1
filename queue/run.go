package queue

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/leatwork/leat/task"
)

// A Runner is something that works until ctx ends, and has stopped all that it
// started when it returns. Nil says that it ended as it should.
type Runner interface {
	Run(ctx context.Context) error
}

// A RunnerFunc is a function used as a [Runner].
type RunnerFunc func(ctx context.Context) error

// Run calls f.
func (f RunnerFunc) Run(ctx context.Context) error { return f(ctx) }

// Serving returns s as a [Runner] that runs h: its Run is [Server.Run].
func (s *Server) Serving(h task.Handler) Runner {
	return RunnerFunc(func(ctx context.Context) error { return s.Run(ctx, h) })
}

// Run starts all runners. When ctx ends, or one of them returns an error, it
// stops them one after another, the last first, so that a runner may rely on
// those before it. It returns once all have returned, with their errors joined.
// A runner that returns nil earlier leaves the others running.
func Run(ctx context.Context, runners ...Runner) error {
	failed := make(chan struct{})
	fail := sync.OnceFunc(func() { close(failed) })
	running := make([]*runner, len(runners))
	for i, r := range runners {
		running[i] = start(ctx, r, fail)
	}
	select {
	case <-ctx.Done():
	case <-failed:
	case <-allDone(running):
	}
	var errs []error
	for _, r := range slices.Backward(running) {
		r.stop()
		<-r.done
		errs = append(errs, r.err)
	}
	slices.Reverse(errs)
	return errors.Join(errs...)
}

// A runner is a [Runner] that runs.
type runner struct {
	stop context.CancelFunc
	done chan struct{}
	err  error // once done
}

// start runs r with a context of its own, which outlives ctx until r is
// stopped.
func start(ctx context.Context, r Runner, fail func()) *runner {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	run := &runner{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(run.done)
		if run.err = r.Run(ctx); run.err != nil {
			fail()
		}
	}()
	return run
}

// allDone returns a channel that is closed when all of them have returned.
func allDone(running []*runner) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, r := range running {
			<-r.done
		}
	}()
	return done
}

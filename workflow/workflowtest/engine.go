package workflowtest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// An Engine carries out runs of workflows in memory, until its test ends. Its methods
// may be called from several goroutines.
type Engine struct {
	t      testing.TB
	model  *model.Model
	client *queue.Client
	config queue.Config
	mux    *task.Mux
	ended  chan struct{} // the test has

	steps map[string]*step // by type
	nodes map[string]bool  // names of steps in the workflows

	mu      sync.Mutex // of what is below, and what is in steps
	crashes []*crash
	commits int // so far
}

// A step is what the engine knows of a function.
type step struct {
	origin *plan.Origin
	calls  int
	mock   func(context.Context, []byte) ([]byte, error) // nil: its own
}

// New returns an engine that carries out runs of the workflows, as servers do on which
// they are registered with [workflow.Register]. In a bubble of package
// testing/synctest time is virtual, so that what waits for a day takes no time.
//
// Whatever queue a step is in is served, up to ten tasks are run at once, and retries
// are delayed as anywhere. It ends with the test: steps that still run then have their
// contexts ended. A test that waits for a run which waits for ever does so, too, and
// at full speed: give such waits a context with a timeout.
func New(t testing.TB, flows ...workflow.Registrable) *Engine {
	t.Helper()
	m := model.New(model.Options{})
	e := &Engine{
		t: t, model: m, client: queue.NewClient(m), mux: task.NewMux(), ended: make(chan struct{}),
		steps: make(map[string]*step), nodes: make(map[string]bool),
		config: queue.Config{
			Concurrency:     10,
			Queues:          map[string]int{task.DefaultQueue: 1},
			PollInterval:    time.Minute, // the model wakes
			ShutdownTimeout: time.Millisecond,
			Logger:          slog.New(slog.DiscardHandler),
			NoHistory:       true,
		},
	}
	ours := make([]workflow.Registrable, len(flows))
	for i, f := range flows {
		ours[i] = standIn(e.watch(f.Spec(), task.DefaultQueue))
	}
	workflow.Register(e.mux, ours...)
	var wg sync.WaitGroup
	wg.Go(e.run)
	t.Cleanup(func() {
		close(e.ended)
		wg.Wait()
		e.demandCrashes()
	})
	return e
}

// Client returns a client of the engine's queues, to start runs with.
func (e *Engine) Client() *queue.Client { return e.client }

// run has one worker after another serve, until the test ends.
func (e *Engine) run() {
	for e.serve() {
	}
}

// serve is the life of a worker. It reports whether that has crashed, so that another
// one is to take its place.
func (e *Engine) serve() (crashed bool) {
	w := &worker{Model: e.model, engine: e, dead: make(chan struct{})}
	srv, err := queue.NewServer(w, e.config)
	if err == nil {
		err = srv.Start(e.mux)
	}
	if err != nil {
		e.t.Errorf("workflowtest: %v", err)
		return false
	}
	select {
	case <-w.dead:
		crashed = true
	case <-e.ended:
	}
	if err := srv.Shutdown(context.WithoutCancel(e.t.Context())); err != nil {
		e.t.Errorf("workflowtest: %v", err)
	}
	return crashed
}

package tracing_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/tracetest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
	"github.com/leatwork/leat/workflow"
)

// A stage is a site whose processes share a storage, and run what is in it.
type stage struct {
	*site
	storage *model.Model
	mux     *task.Mux
	config  tracing.Config
}

// newStage returns one on which flows are carried out. It is for a bubble of package
// testing/synctest, in which time is what is waited for.
func newStage(t testing.TB, flows ...workflow.Registrable) *stage {
	s := &stage{site: newSite(t), storage: model.New(model.Options{}), mux: task.NewMux()}
	workflow.Register(s.mux, flows...)
	return s
}

// client adds a process that enqueues.
func (s *stage) client(name string) (*process, *queue.Client) {
	s.t.Helper()
	p := s.process(name, nil, s.config)
	c := queue.NewClient(s.storage)
	c.Tracer = p.Tracer
	return p, c
}

// server adds a process that runs tasks, until the test ends or it is killed.
func (s *stage) server(name string) *mortal {
	s.t.Helper()
	return s.serverOf(s.process(name, nil, s.config))
}

func (s *stage) serverOf(p *process) *mortal {
	s.t.Helper()
	m := &mortal{Model: s.storage}
	client := queue.NewClient(m)
	client.Tracer = p.Tracer
	srv, err := queue.NewServer(m, queue.Config{
		Concurrency: 100, Queues: map[string]int{"default": 1, "heavy": 1}, Tracer: p.Tracer, Client: client,
		PollInterval:   time.Minute,
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return time.Minute },
		Logger:         slog.New(slog.DiscardHandler),
	})
	if err == nil {
		err = srv.Start(s.mux)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil && !m.dead.Load() {
			s.t.Errorf("Shutdown() = %v, want nil", err)
		}
	})
	return m
}

// A mortal is the way to the storage of one process. Once it is killed there is none.
type mortal struct {
	*model.Model // of which it is waked, too
	dead         atomic.Bool
}

func (m *mortal) kill() { m.dead.Store(true) }

var errKilled = errors.New("the process was killed")

func (m *mortal) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if m.dead.Load() {
		return broker.Applied{}, errKilled
	}
	return m.Model.Apply(ctx, now, changes, want)
}

func (m *mortal) Extend(ctx context.Context, now, until time.Time, refs ...broker.LeaseRef) ([]broker.Held, error) {
	if m.dead.Load() {
		return nil, errKilled
	}
	return m.Model.Extend(ctx, now, until, refs...)
}

func (m *mortal) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	if m.dead.Load() {
		return broker.Advanced{}, errKilled
	}
	return m.Model.Advance(ctx, now, r)
}

// expectAs is expect, of which fold says whether what is done side by side is written once.
func (s *stage) expectAs(name string, fold bool) {
	s.t.Helper()
	s.check()
	p := printer
	p.Fold = fold
	tracetest.Golden(s.t, goldenFile(name), p.Print(s.spans()))
}

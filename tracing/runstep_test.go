package tracing_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/tracing"
	"github.com/leatwork/leat/workflow"
)

// TestAStepOfAnotherClock has the storage say that a step was ready before its run was
// started, and its function look for its input when it was given up.
func TestAStepOfAnotherClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		p := s.process("shop", nil, tracing.Config{})
		run := workflow.TracedRun{Workflow: "flow", Queue: "default", ID: "r", Root: "r:1:", State: workflow.Done}
		var started func(error)
		run.Headers, started = p.StartRun(context.Background(), run)
		started(nil)
		e := newEntry("r:1:first")
		e.Home, e.Headers, e.ready = broker.Home{Queue: "default", ID: "r"}, run.Headers, time.Now().Add(-time.Second)
		u := p.lease(e)
		var late sync.WaitGroup
		late.Go(func() {
			p.Inputs(u.ctx, run, workflow.TracedStep{ID: e.ID, Name: "first", Item: -1}, func() ([]workflow.TracedStep, int) {
				return []workflow.TracedStep{{ID: "r:1:other"}, {ID: "r:1:another"}}, 3
			})
		})
		u.settle(done(), nil)
		late.Wait()
		time.Sleep(time.Millisecond)
		p.EndRun(context.Background(), run)
		s.check()
	})
}

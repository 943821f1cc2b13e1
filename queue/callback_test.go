package queue_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// Each callback ends its goroutine at its every call, as t.FailNow does.
func TestACallbackThatEndsItsGoroutineDoesNotEndTheServer(t *testing.T) {
	for name, set := range map[string]func(*queue.Config){
		"Observer":     func(c *queue.Config) { c.Observer = func(context.Context, queue.Event) { runtime.Goexit() } },
		"BaseContext":  func(c *queue.Config) { c.BaseContext = func() context.Context { runtime.Goexit(); return nil } },
		"ErrorHandler": func(c *queue.Config) { c.ErrorHandler = func(context.Context, *task.Task, error) { runtime.Goexit() } },
		"IsFailure":    func(c *queue.Config) { c.IsFailure = func(error) bool { runtime.Goexit(); return false } },
		"RetryDelayFunc": func(c *queue.Config) {
			c.RetryDelayFunc = func(int, error, *task.Task) time.Duration { runtime.Goexit(); return 0 }
		},
		"HealthCheckFunc": func(c *queue.Config) { c.HealthCheckFunc = func(error) { runtime.Goexit() } },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.cfg.HealthCheckInterval = time.Second
				set(&x.cfg)
				x.serve(func(_ context.Context, tk *task.Task) error {
					if tk.Type() == "test:fails" {
						return errors.New("boom")
					}
					return nil
				})
				x.enqueue("fails", task.MaxRetry(2))
				for _, id := range []string{"a", "b", "c"} {
					x.enqueue(id)
					x.pass(3 * time.Second)
					x.gone(id)
				}
				if s := x.get("fails"); s.State != task.Retry || s.Retried != 1 || s.LastErr != "boom" {
					t.Errorf("stored as %s, retried %d, %q, want retry, 1, boom", s.State, s.Retried, s.LastErr)
				}
				if log := x.log.String(); !strings.Contains(log, "callback="+name) || !strings.Contains(log, "runtime.Goexit") {
					t.Errorf("log does not name %s and what it did:\n%s", name, log)
				}
			})
		})
	}
}

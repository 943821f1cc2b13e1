package queue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A diary notes what runners do.
type diary struct {
	mu    sync.Mutex
	notes []string
}

func (d *diary) note(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notes = append(d.notes, s)
}

// runner returns a runner that takes d to stop and then returns err.
func (d *diary) runner(name string, err error) queue.Runner {
	return queue.RunnerFunc(func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(time.Second)
		d.note(name)
		return err
	})
}

func TestRunStopsItsRunnersLastFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		broken := errors.New("broken")
		err := queue.Run(ctx, d.runner("a", nil), d.runner("b", broken), d.runner("c", nil))
		if !errors.Is(err, broken) {
			t.Errorf("Run() = %v, want the error of b", err)
		}
		if want := []string{"c", "b", "a"}; !slices.Equal(d.notes, want) {
			t.Errorf("stopped %v, want %v", d.notes, want)
		}
		if took := time.Since(start); took != time.Minute+3*time.Second {
			t.Errorf("took %v, want 1m3s: one is stopped after another", took)
		}
	})
}

func TestARunnerThatFailsStopsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		broken := errors.New("broken")
		fails := queue.RunnerFunc(func(context.Context) error { time.Sleep(time.Second); return broken })
		finishes := queue.RunnerFunc(func(context.Context) error { return nil })
		if err := queue.Run(t.Context(), d.runner("a", nil), finishes, fails); !errors.Is(err, broken) {
			t.Errorf("Run() = %v, want %v", err, broken)
		}
		if want := []string{"a"}; !slices.Equal(d.notes, want) {
			t.Errorf("stopped %v, want %v", d.notes, want)
		}
	})
}

func TestRunReturnsWhenAllHaveFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finishes := queue.RunnerFunc(func(context.Context) error { time.Sleep(time.Second); return nil })
		if err := queue.Run(t.Context(), finishes, finishes); err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
		if err := queue.Run(t.Context()); err != nil {
			t.Errorf("Run() of nothing = %v, want nil", err)
		}
	})
}

func TestAServerRunsBesideOthers(t *testing.T) {
	inBubble(t, func(x *bench) {
		ctx, cancel := context.WithTimeout(x.Context(), time.Minute)
		defer cancel()
		var d diary
		x.enqueue("a")
		h := task.HandlerFunc(func(context.Context, *task.Task) error { d.note("task"); return nil })
		if err := queue.Run(ctx, d.runner("before", nil), x.newServer().Serving(h)); err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
		if got := strings.Join(d.notes, " "); got != "task before" {
			t.Errorf("noted %q, want %q", got, "task before")
		}
	})
}

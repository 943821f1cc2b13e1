package task_test

import (
	"context"
	"errors"
	"testing"

	"github.com/leatwork/leat/task"
)

func TestAHandlerFuncCallsItsFunction(t *testing.T) {
	type key struct{}
	boom := errors.New("boom")
	tk := task.New("t", nil)
	ctx := context.WithValue(t.Context(), key{}, 1)

	var h task.Handler = task.HandlerFunc(func(ctx context.Context, got *task.Task) error {
		if ctx.Value(key{}) != 1 || got != tk {
			t.Errorf("called with %v and %v", ctx, got)
		}
		return boom
	})
	if err := h.ProcessTask(ctx, tk); err != boom {
		t.Errorf("got %v, want %v", err, boom)
	}
}

func TestAHandlerIsNotNil(t *testing.T) {
	var (
		none   task.Handler
		noFunc task.HandlerFunc
		noMux  *task.Mux
	)
	for name, h := range map[string]task.Handler{"interface": none, "function": noFunc, "mux": noMux} {
		if err := task.CheckHandler(h); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("CheckHandler(nil %s) = %v, want ErrInvalid", name, err)
		}
	}
	for name, h := range map[string]task.Handler{"function": task.NotFoundHandler(), "mux": task.NewMux()} {
		if err := task.CheckHandler(h); err != nil {
			t.Errorf("CheckHandler(%s) = %v, want nil", name, err)
		}
	}
}

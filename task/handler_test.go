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

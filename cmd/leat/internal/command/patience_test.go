package command

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// lateContext is one whose deadline has passed, and which ends a moment later.
type lateContext struct{ context.Context }

func (lateContext) Deadline() (time.Time, bool) { return time.Now(), true }

func TestWhatEndsAtADeadlineIsCutShortByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("has not ended within 50ms")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond, why)
		defer cancel()
		if got := cutShort(lateContext{ctx}); got != why {
			t.Errorf("cutShort(a context at its deadline) = %v, want %v", got, why)
		}
		if got := cutShort(context.Background()); got != nil {
			t.Errorf("cutShort(a context without one) = %v, want nil", got)
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if got := cutShort(ctx); got != nil {
			t.Errorf("cutShort(a context before its deadline) = %v, want nil", got)
		}
	})
}

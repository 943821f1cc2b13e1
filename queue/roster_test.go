package queue

import (
	"context"
	"testing"
)

// newTestAttempt returns an attempt whose context the test can look at.
func newTestAttempt(t *testing.T) *attempt {
	a := new(attempt)
	a.ctx, a.cancel = context.WithCancelCause(t.Context())
	return a
}

func TestAHandlerThatComesAfterTheEndIsToldAtOnce(t *testing.T) {
	var r roster
	before, after := newTestAttempt(t), newTestAttempt(t)
	r.add(before)
	if n := r.end(ErrShutdown); n != 1 {
		t.Errorf("end() = %d, want 1", n)
	}
	r.add(after)
	for name, a := range map[string]*attempt{"before": before, "after": after} {
		if cause := context.Cause(a.ctx); cause != ErrShutdown {
			t.Errorf("handler from %s the end: cause %v, want ErrShutdown", name, cause)
		}
	}
}

// The lease may seem lost because the outcome is just being recorded.
func TestALostLeaseIsNoMatterOnceTheHandlerHasReturned(t *testing.T) {
	var r roster
	a := newTestAttempt(t)
	r.add(a)
	a.claimed.Store(true)
	r.lose(a)
	if a.ctx.Err() != nil || len(r.list()) != 1 {
		t.Errorf("context ended with %v, %d attempts left, want nil, 1", context.Cause(a.ctx), len(r.list()))
	}
}

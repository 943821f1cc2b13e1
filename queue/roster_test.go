package queue

import (
	"context"
	"testing"
)

// newTestWork returns a work whose context the test can look at.
func newTestWork(t *testing.T) *work {
	w := new(work)
	w.ctx, w.cancel = context.WithCancelCause(t.Context())
	return w
}

func TestAHandlerThatComesAfterTheEndIsToldAtOnce(t *testing.T) {
	var r roster
	before, after := newTestWork(t), newTestWork(t)
	r.add(before)
	if n := r.end(ErrShutdown); n != 1 {
		t.Errorf("end() = %d, want 1", n)
	}
	r.add(after)
	for name, w := range map[string]*work{"before": before, "after": after} {
		if cause := context.Cause(w.ctx); cause != ErrShutdown {
			t.Errorf("handler from %s the end: cause %v, want ErrShutdown", name, cause)
		}
	}
}

// The lease may seem lost because the outcome is just being recorded.
func TestALostLeaseIsNoMatterOnceTheHandlerHasReturned(t *testing.T) {
	var r roster
	w := newTestWork(t)
	r.add(w)
	w.claimed.Store(true)
	r.lose(w)
	if w.ctx.Err() != nil || len(r.list()) != 1 {
		t.Errorf("context ended with %v, %d works left, want nil, 1", context.Cause(w.ctx), len(r.list()))
	}
}

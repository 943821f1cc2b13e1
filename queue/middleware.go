package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// An EnqueueFunc enqueues one task, as [Client.Enqueue] does.
type EnqueueFunc func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error)

// A ClientMiddleware wraps what enqueues a task in something that sees the task
// before, and what became of it after. It may pass on another task, more options
// or another context, or refuse the task by returning an error without calling
// next. It is called for each task, by whatever way that is enqueued: singly or
// with others, in a transaction, by [Then], or through [Client.Prepare].
//
// With several tasks in one call, next returns once all of them have got there
// and were stored together. With Then and Prepare it returns before the task is
// stored, and its Info says what will be. A second call of next for one task
// enqueues it again where that is done singly, and is refused where it is not.
type ClientMiddleware func(next EnqueueFunc) EnqueueFunc

// Use puts middleware around everything that the client enqueues. The first is
// outermost: it sees the task first and the error last. Use panics if one is nil.
func (c *Client) Use(middleware ...ClientMiddleware) {
	for _, m := range middleware {
		if m == nil {
			panic("queue: nil client middleware")
		}
	}
	c.middleware = append(c.middleware, middleware...)
}

var errMiddlewareEnded = fmt.Errorf("client middleware %w", errEnded)

var errPassed = task.Invalid("client middleware", nil, "has enqueued the task already, or has returned")

// wrapped calls end within the middleware. What goes wrong in there is an error.
func (c *Client) wrapped(ctx context.Context, t *task.Task, options []task.Option, end EnqueueFunc) (info *task.Info, err error) {
	stored := false
	enqueue := EnqueueFunc(func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
		info, err := end(ctx, t, options...)
		stored = stored || err == nil
		return info, err
	})
	for i := len(c.middleware) - 1; i >= 0; i-- {
		if enqueue = c.middleware[i](enqueue); enqueue == nil {
			return nil, task.Invalid("client middleware", nil, "returned no function")
		}
	}
	defer func() {
		if v := recover(); v != nil {
			info, err = nil, &task.PanicError{Value: v, Stack: debug.Stack()}
			if stored {
				err = fmt.Errorf("%w: %w", ErrUnknown, err)
			}
		}
	}()
	if info, err = enqueue(ctx, t, options...); info == nil && err == nil {
		err = task.Invalid("client middleware", nil, "returned neither an Info nor an error")
	}
	return info, err
}

// guarded is Enqueue with the middleware around it.
func (c *Client) guarded(ctx context.Context, t *task.Task, options []task.Option) (*task.Info, error) {
	info, err := c.wrapped(ctx, t, options, c.enqueue)
	if err != nil {
		return nil, err
	}
	return info, nil
}

// Prepare returns t as [Client.Enqueue] would store it, for a change of the
// caller's own: the options are resolved, and the middleware is run, whose next
// returns at once. What [task.OnConflict] says is left to the caller, and so is to have
// the Tracer told ([Client.Sending]).
func (c *Client) Prepare(ctx context.Context, t *task.Task, options ...task.Option) (broker.Entry, error) {
	r, err := c.prepare(ctx, t, options)
	if err != nil {
		return broker.Entry{}, fmt.Errorf("prepare: %w", err)
	}
	return r.entry, nil
}

func (c *Client) prepare(ctx context.Context, t *task.Task, options []task.Option) (made *request, err error) {
	now := time.Now()
	end := func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
		if made != nil {
			return nil, errPassed
		}
		r, err := c.request(ctx, now, t, options)
		if err != nil {
			return nil, err
		}
		made = r
		return r.told(now), nil
	}
	if len(c.middleware) == 0 {
		_, err = end(ctx, t, options...)
	} else {
		_, err = c.wrapped(ctx, t, options, end)
	}
	if err == nil && made == nil {
		err = task.Invalid("client middleware", nil, "has not called next")
	}
	return made, err
}

// through takes ts through the middleware, calls store with those that come out
// of it, in order, and lets the middleware see what became of each.
func (c *Client) through(ctx context.Context, now time.Time, ts []*task.Task, options []task.Option, store func([]*request)) []Enqueued {
	if len(c.middleware) == 0 {
		return c.straight(ctx, now, ts, options, store)
	}
	var ready []*request
	crossings := make([]*crossing, len(ts))
	for i, t := range ts {
		crossings[i] = c.cross(ctx, now, t, options)
		if r := crossings[i].arrive(); r != nil {
			ready = append(ready, r)
		}
	}
	if len(ready) > 0 {
		store(ready)
	}
	results := make([]Enqueued, len(ts))
	for i, x := range crossings {
		x.leave()
		results[i] = x.result
	}
	return results
}

// straight is through where there is no middleware.
func (c *Client) straight(ctx context.Context, now time.Time, ts []*task.Task, options []task.Option, store func([]*request)) []Enqueued {
	results := make([]Enqueued, len(ts))
	ready := make([]*request, 0, len(ts))
	index := make([]int, 0, len(ts))
	for i, t := range ts {
		r, err := c.request(ctx, now, t, options)
		if err != nil {
			results[i].Err = fmt.Errorf("enqueue: %w", err)
			continue
		}
		ready, index = append(ready, r), append(index, i)
	}
	if len(ready) > 0 {
		store(ready)
	}
	for n, r := range ready {
		results[index[n]] = Enqueued{r.info, r.err}
	}
	return results
}

// A crossing is one task of several on its way through the middleware, which has
// a goroutine for it: there it waits where it would be stored, until all are.
type crossing struct {
	asked  chan struct{} // closed when it is to be stored, or will never be
	stored chan struct{} // closed when it was
	done   chan struct{} // closed when the middleware has returned
	result Enqueued      // once done

	mu      sync.Mutex
	request *request // once asked
	passed  bool     // it can no longer be stored
}

// cross begins to take t through the middleware.
func (c *Client) cross(ctx context.Context, now time.Time, t *task.Task, options []task.Option) *crossing {
	x := &crossing{asked: make(chan struct{}), stored: make(chan struct{}), done: make(chan struct{})}
	end := func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
		r, err := c.request(ctx, now, t, options)
		if err != nil {
			return nil, fmt.Errorf("enqueue: %w", err)
		}
		return x.store(r)
	}
	go func() { // through waits for it
		defer close(x.done)
		x.result.Err = errMiddlewareEnded // unless it returns
		info, err := c.wrapped(ctx, t, options, end)
		if err != nil {
			info = nil
		}
		x.result = Enqueued{info, err}
	}()
	return x
}

// arrive waits until it is known whether the task is to be stored, and returns
// its request if it is.
func (x *crossing) arrive() *request {
	select {
	case <-x.asked:
	case <-x.done:
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.passed = true
	return x.request
}

// store waits until r was stored with the others.
func (x *crossing) store(r *request) (*task.Info, error) {
	x.mu.Lock()
	passed := x.passed || x.request != nil
	if !passed {
		x.request = r
		close(x.asked)
	}
	x.mu.Unlock()
	if passed {
		return nil, errPassed
	}
	<-x.stored
	return r.info, r.err
}

// leave waits for the middleware to return, now that all have been stored.
func (x *crossing) leave() {
	close(x.stored)
	<-x.done
	if errors.Is(x.result.Err, errMiddlewareEnded) && x.request != nil && x.request.err == nil {
		x.result.Err = fmt.Errorf("%w: %w", ErrUnknown, errMiddlewareEnded)
	}
}

package queue_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// tracing returns middleware that notes what passes it, and adds a header.
func tracing(log *[]string) queue.ClientMiddleware {
	return func(next queue.EnqueueFunc) queue.EnqueueFunc {
		return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
			*log = append(*log, "before "+t.Type())
			info, err := next(ctx, t, append(slices.Clone(options), task.Header("trace", t.Type()))...)
			switch {
			case err != nil:
				*log = append(*log, fmt.Sprintf("after %s: %v", t.Type(), err))
			default:
				*log = append(*log, fmt.Sprintf("after %s: %s", t.Type(), info.ID))
			}
			return info, err
		}
	}
}

func TestMiddlewareSeesEachTaskAndWhatBecameOfIt(t *testing.T) {
	named := func(id string) *task.Task { return task.New("test:"+id, nil, task.ID(id)) }
	for name, test := range map[string]struct {
		enqueue func(context.Context, *queue.Client) error
		stored  []string
		want    []string
	}{
		"Enqueue": {func(ctx context.Context, c *queue.Client) error {
			_, err := c.Enqueue(ctx, named("a"))
			return err
		}, []string{"a"}, []string{"before test:a", "after test:a: a"}},
		"EnqueueMany": {func(ctx context.Context, c *queue.Client) error {
			return c.EnqueueMany(ctx, []*task.Task{named("a"), named("a"), named("b")})[2].Err
		}, []string{"a", "b"}, []string{
			"before test:a", "before test:a", "before test:b",
			"after test:a: a", "after test:a: enqueue default/a: task id conflicts with another task", "after test:b: b",
		}},
		"EnqueueAll": {func(ctx context.Context, c *queue.Client) error {
			_, err := c.EnqueueAll(ctx, []*task.Task{named("a"), named("b")})
			return err
		}, []string{"a", "b"}, []string{"before test:a", "before test:b", "after test:a: a", "after test:b: b"}},
		"Prepare": {func(ctx context.Context, c *queue.Client) error {
			e, err := c.Prepare(ctx, named("a"))
			if e.Headers["trace"] != "test:a" {
				return fmt.Errorf("prepared with headers %v", e.Headers)
			}
			return err
		}, nil, []string{"before test:a", "after test:a: a"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				var log []string
				x.client.Use(tracing(&log))
				if err := test.enqueue(x.Context(), x.client); err != nil {
					x.Errorf("got error %v", err)
				}
				if diff := cmp.Diff(test.want, log); diff != "" {
					x.Errorf("log of the middleware (-want +got):\n%s", diff)
				}
				if got := x.list(task.Pending); !slices.Equal(got, test.stored) {
					x.Errorf("stored %v, want %v", got, test.stored)
				}
				for _, id := range test.stored {
					if e := x.get(id); e.Headers["trace"] != e.Type {
						x.Errorf("task %s has headers %v, want that of the middleware", id, e.Headers)
					}
				}
			})
		})
	}
}

func TestTheFirstMiddlewareIsOutermost(t *testing.T) {
	inBubble(t, func(x *bench) {
		var seen []string
		for _, name := range []string{"outer", "inner"} {
			x.client.Use(func(next queue.EnqueueFunc) queue.EnqueueFunc {
				return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
					seen = append(seen, name)
					return next(ctx, t, options...)
				}
			})
		}
		x.enqueue("a")
		if want := []string{"outer", "inner"}; !slices.Equal(seen, want) {
			x.Errorf("middleware was called in the order %v, want %v", seen, want)
		}
	})
}

// misbehaving middleware, and what an Enqueue through it says.
var misbehaving = map[string]struct {
	middleware queue.ClientMiddleware
	want       string
}{
	"refuses": {func(queue.EnqueueFunc) queue.EnqueueFunc {
		return func(context.Context, *task.Task, ...task.Option) (*task.Info, error) {
			return nil, errors.New("not today")
		}
	}, "not today"},
	"panics": {func(queue.EnqueueFunc) queue.EnqueueFunc {
		return func(context.Context, *task.Task, ...task.Option) (*task.Info, error) { panic("oops") }
	}, "oops"},
	"gives nothing": {func(queue.EnqueueFunc) queue.EnqueueFunc { return nil }, "returned no function"},
	"says nothing": {func(queue.EnqueueFunc) queue.EnqueueFunc {
		return func(context.Context, *task.Task, ...task.Option) (*task.Info, error) { return nil, nil }
	}, "returned neither an Info nor an error"},
}

func TestMiddlewareThatDoesNotPassATaskOnIsItsError(t *testing.T) {
	for name, test := range misbehaving {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.client.Use(test.middleware)
				a, b := task.New("test:a", nil), task.New("test:b", nil)
				_, one := x.client.Enqueue(x.Context(), a)
				many := x.client.EnqueueMany(x.Context(), []*task.Task{a, b})
				_, all := x.client.EnqueueAll(x.Context(), []*task.Task{a, b})
				_, prepared := x.client.Prepare(x.Context(), a)
				for way, err := range map[string]error{"Enqueue": one, "EnqueueMany": many[1].Err, "EnqueueAll": all, "Prepare": prepared} {
					if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, queue.ErrUnknown) {
						x.Errorf("%s = %v, want an error that says %q, and is certain", way, err, test.want)
					}
				}
				if got := x.list(task.Pending); len(got) > 0 {
					x.Errorf("stored %v, want nothing", got)
				}
			})
		})
	}
}

func TestMiddlewareThatRefusesOneOfAllKeepsTheOthersFromBeingStored(t *testing.T) {
	inBubble(t, func(x *bench) {
		var log []string
		x.client.Use(tracing(&log), func(next queue.EnqueueFunc) queue.EnqueueFunc {
			return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
				if t.Type() == "test:b" {
					return nil, errors.New("not b")
				}
				return next(ctx, t, options...)
			}
		})
		_, err := x.client.EnqueueAll(x.Context(), []*task.Task{task.New("test:a", nil), task.New("test:b", nil)})
		if err == nil || err.Error() != "not b" {
			x.Errorf("EnqueueAll() = %v, want only what the middleware said", err)
		}
		if got := x.list(task.Pending); len(got) > 0 {
			x.Errorf("stored %v, want nothing", got)
		}
		if len(log) != 4 || !strings.Contains(log[3], "after test:a: enqueue default/") || !strings.Contains(log[3], "another task of the call was refused") {
			x.Errorf("middleware saw %q, want that the first was not stored because of the second", log)
		}
	})
}

func TestAPanicOfTheMiddlewareAfterTheTaskWasStoredLeavesThatOpen(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.client.Use(func(next queue.EnqueueFunc) queue.EnqueueFunc {
			return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
				_, _ = next(ctx, t, options...)
				panic("too late")
			}
		})
		if _, err := x.client.Enqueue(x.Context(), task.New("test:a", nil)); !errors.Is(err, queue.ErrUnknown) {
			x.Errorf("Enqueue() = %v, want ErrUnknown", err)
		}
	})
}

func TestMiddlewareThatEndsItsGoroutineSaysWhetherTheTaskMayHaveBeenStored(t *testing.T) {
	for name, after := range map[string]bool{"before next": false, "after next": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.client.Use(func(next queue.EnqueueFunc) queue.EnqueueFunc {
					return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
						if after {
							_, _ = next(ctx, t, options...)
						}
						runtime.Goexit()
						return nil, nil
					}
				})
				tasks := []*task.Task{task.New("test:a", nil), task.New("test:b", nil)}
				_, all := x.client.EnqueueAll(x.Context(), tasks)
				for _, err := range []error{all, x.client.EnqueueMany(x.Context(), tasks)[1].Err} {
					if err == nil || errors.Is(err, queue.ErrUnknown) != after || !strings.Contains(err.Error(), "client middleware") {
						t.Errorf("error is %v, want that it is of the client middleware, and ErrUnknown: %v", err, after)
					}
				}
			})
		})
	}
}

func TestMiddlewareMayEnqueueATaskAgainOnlyWhereItIsAlone(t *testing.T) {
	again := func(errs *[]error) queue.ClientMiddleware {
		return func(next queue.EnqueueFunc) queue.EnqueueFunc {
			return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
				info, err := next(ctx, t, options...)
				_, second := next(ctx, t, options...)
				*errs = append(*errs, second)
				return info, err
			}
		}
	}
	inBubble(t, func(x *bench) {
		var errs []error
		x.client.Use(again(&errs))
		if _, err := x.client.Enqueue(x.Context(), task.New("test:a", nil)); err != nil || errs[0] != nil {
			x.Errorf("Enqueue() = %v, and %v the second time, want nil both times", err, errs[0])
		}
		if r := x.client.EnqueueMany(x.Context(), []*task.Task{task.New("test:a", nil)}); r[0].Err != nil || !errors.Is(errs[1], task.ErrInvalid) {
			x.Errorf("EnqueueMany() = %v, and %v the second time, want nil and ErrInvalid", r[0].Err, errs[1])
		}
		if _, err := x.client.Prepare(x.Context(), task.New("test:a", nil)); err != nil || !errors.Is(errs[2], task.ErrInvalid) {
			x.Errorf("Prepare() = %v, and %v the second time, want nil and ErrInvalid", err, errs[2])
		}
	})
}

func TestMiddlewareThatLeavesNextBehindBlocksNobody(t *testing.T) {
	inBubble(t, func(x *bench) {
		var late sync.WaitGroup
		x.client.Use(func(next queue.EnqueueFunc) queue.EnqueueFunc {
			return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
				late.Go(func() {
					time.Sleep(time.Second)
					if _, err := next(ctx, t, options...); !errors.Is(err, task.ErrInvalid) {
						x.Errorf("a late next = %v, want ErrInvalid", err)
					}
				})
				return nil, errors.New("gone ahead")
			}
		})
		if r := x.client.EnqueueMany(x.Context(), []*task.Task{task.New("test:a", nil)}); r[0].Err == nil {
			x.Error("EnqueueMany() = nil, want an error")
		}
		late.Wait()
	})
}

func TestUseRefusesNilMiddleware(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Use(nil) did not panic")
		}
	}()
	queue.NewClient(nil).Use(nil)
}

package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A crowd enqueues tasks from one goroutine each, into a broker that takes a second
// for each call, while a first one is under way.
type crowd struct {
	*bench
	sizes []int // how many changes each call had
	errs  map[string]chan error
}

func newCrowd(x *bench) *crowd {
	c := &crowd{bench: x, errs: make(map[string]chan error)}
	x.b = &tapped{Broker: x.b, apply: func(a applyCall) (broker.Applied, error) {
		x.mu.Lock()
		c.sizes = append(c.sizes, len(a.changes))
		x.mu.Unlock()
		select {
		case <-time.After(time.Second):
			return a.run()
		case <-a.ctx.Done():
			return broker.Applied{}, a.ctx.Err()
		}
	}}
	x.client = queue.NewClient(x.b)
	c.come(x.Context(), "first", nil)
	return c
}

// come has somebody enqueue a task.
func (c *crowd) come(ctx context.Context, id string, payload []byte) {
	done := make(chan error, 1)
	c.errs[id] = done
	go func() {
		_, err := c.client.Enqueue(ctx, task.New("test:"+id, payload), task.ID(id))
		done <- err
	}()
	synctest.Wait()
}

func (c *crowd) want(id string, want error) {
	c.Helper()
	if err := <-c.errs[id]; !errors.Is(err, want) {
		c.Errorf("Enqueue(%s) = %v, want %v", id, err, want)
	}
}

func TestWhatIsEnqueuedDuringACallGoesTogetherInTheNext(t *testing.T) {
	inBubble(t, func(x *bench) {
		c := newCrowd(x)
		for i := range 50 {
			c.come(x.Context(), fmt.Sprint(i), nil)
		}
		c.come(x.Context(), "7", nil) // its id is taken
		c.want("7", queue.ErrTaskIDConflict)
		for id := range c.errs {
			if id != "7" {
				c.want(id, nil)
			}
		}
		if got := fmt.Sprint(c.sizes); got != "[1 51]" {
			t.Errorf("calls with %s changes, want [1 51]", got)
		}
		if n := x.counts("default").Pending; n != 51 {
			t.Errorf("%d tasks pending, want 51", n)
		}
	})
}

func TestACallThatEnqueuesHasNoMoreThanFits(t *testing.T) {
	inBubble(t, func(x *bench) {
		c := newCrowd(x)
		for i := range 5 {
			c.come(x.Context(), fmt.Sprint(i), make([]byte, 2<<20-1))
		}
		for id := range c.errs {
			c.want(id, nil)
		}
		if got := fmt.Sprint(c.sizes); got != "[1 2 2 1]" {
			t.Errorf("calls with %s changes of 2 MiB, want [1 2 2 1]", got)
		}
	})
}

func TestWhoGoesBeforeItsCallHasStoredNothing(t *testing.T) {
	inBubble(t, func(x *bench) {
		c := newCrowd(x)
		ctx, cancel := context.WithCancel(x.Context())
		c.come(ctx, "gone", nil)
		c.come(x.Context(), "stays", nil)
		cancel()
		synctest.Wait()
		err := <-c.errs["gone"]
		if !errors.Is(err, context.Canceled) || errors.Is(err, queue.ErrUnknown) {
			t.Errorf("Enqueue() = %v, want certainty and %v", err, context.Canceled)
		}
		c.want("stays", nil)
		x.gone("gone")
	})
}

func TestACallGoesOnForThoseWhoStay(t *testing.T) {
	inBubble(t, func(x *bench) {
		c := newCrowd(x)
		ctx, cancel := context.WithCancel(x.Context())
		c.come(ctx, "goes", nil)
		c.come(x.Context(), "stays", nil)
		x.pass(1500 * time.Millisecond) // they are under way
		cancel()
		c.want("goes", queue.ErrUnknown)
		c.want("stays", nil)
		x.get("goes")
		x.get("stays")
	})
}

func TestACallEndsWhenNobodyWaitsForIt(t *testing.T) {
	inBubble(t, func(x *bench) {
		c := newCrowd(x)
		ctx, cancel := context.WithCancel(x.Context())
		c.come(ctx, "a", nil)
		c.come(ctx, "b", nil)
		x.pass(1500 * time.Millisecond)
		cancel()
		c.want("a", queue.ErrUnknown)
		c.want("b", queue.ErrUnknown)
		x.pass(time.Hour)
		x.gone("a")
		x.gone("b")
	})
}

func TestAnErrorOfACallIsThatOfAllItsTasks(t *testing.T) {
	inBubble(t, func(x *bench) {
		c := newCrowd(x)
		broken := errors.New("no storage")
		real := x.b.(*tapped).apply
		x.b.(*tapped).apply = func(a applyCall) (broker.Applied, error) {
			if _, err := real(a); err != nil {
				return broker.Applied{}, err
			}
			return broker.Applied{}, broken
		}
		c.come(x.Context(), "a", nil)
		c.come(x.Context(), "b", nil)
		for _, id := range []string{"a", "b"} {
			err := <-c.errs[id]
			if !errors.Is(err, broken) || !errors.Is(err, queue.ErrUnknown) {
				t.Errorf("Enqueue(%s) = %v, want %v, and that it is not known", id, err, broken)
			}
		}
	})
}

// A direct broker calls the program back before it returns.
type direct struct{ *tapped }

func (direct) Direct() {}

func TestACallThatEnqueuesFromWithinACallIsNotKeptWaiting(t *testing.T) {
	inBubble(t, func(x *bench) {
		var client *queue.Client
		x.b = direct{&tapped{Broker: x.b, apply: func(a applyCall) (broker.Applied, error) {
			if a.changes[0].Enqueue[0].ID == "outer" {
				if _, err := client.Enqueue(a.ctx, task.New("test:inner", nil), task.ID("inner")); err != nil {
					t.Errorf("Enqueue() = %v, want nil", err)
				}
			}
			return a.run()
		}}}
		client = queue.NewClient(x.b)
		if _, err := client.Enqueue(x.Context(), task.New("test:outer", nil), task.ID("outer")); err != nil {
			t.Errorf("Enqueue() = %v, want nil", err)
		}
		x.get("inner")
	})
}

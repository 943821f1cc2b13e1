package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A reported broker keeps what is reported to it, and may not take it.
type reported struct {
	*modelBroker
	seen []string
	err  error
	lost bool // it says that the lease is lost
}

func (b *reported) Report(ctx context.Context, now time.Time, reports ...broker.Progress) ([]broker.Held, error) {
	for _, r := range reports {
		b.seen = append(b.seen, string(r.Data))
	}
	if b.err != nil {
		return nil, b.err
	}
	if b.lost {
		return []broker.Held{broker.Lost}, nil
	}
	return b.modelBroker.Report(ctx, now, reports...)
}

func TestReportsAreWrittenOnceASecondAndTheLastOneAlways(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := &reported{modelBroker: x.b.(*modelBroker)}
		x.b = b
		x.enqueue("a", task.Retention(time.Hour))
		x.serve(func(ctx context.Context, _ *task.Task) error {
			for i := range 26 {
				if err := queue.Report(ctx, fmt.Append(nil, i)); err != nil {
					t.Errorf("Report(%d) = %v, want nil", i, err)
				}
				time.Sleep(110 * time.Millisecond)
			}
			return nil
		})
		x.pass(time.Minute)
		if want := []string{"0", "9", "18", "25"}; !slices.Equal(b.seen, want) {
			t.Errorf("written %q, want %q", b.seen, want)
		}
		if s := x.get("a"); string(s.Progress) != "25" || s.State != task.Completed {
			t.Errorf("it is %s with progress %q, want completed, 25", s.State, s.Progress)
		}
	})
}

func TestAReportIsWrittenWhileItsHandlerIsBusy(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error {
			data := []byte("one")
			_ = queue.Report(ctx, data)
			_ = queue.Report(ctx, append(data[:0], "two"...))
			copy(data, "bad") // it was copied
			time.Sleep(time.Minute)
			return nil
		})
		x.pass(time.Second)
		if s := x.get("a"); string(s.Progress) != "two" {
			t.Errorf("progress %q after a second, want two", s.Progress)
		}
		x.pass(time.Hour)
	})
}

func TestAReportThatCannotBeWrittenIsAnError(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := &reported{modelBroker: x.b.(*modelBroker), err: errors.New("away")}
		x.b = b
		if err := queue.Report(x.Context(), nil); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Report() outside of a handler = %v, want ErrInvalid", err)
		}
		x.enqueue("a", task.Timeout(time.Minute))
		var left context.Context
		x.serve(func(ctx context.Context, _ *task.Task) error {
			left = ctx
			if err := queue.Report(ctx, make([]byte, broker.MaxProgress+1)); !errors.Is(err, task.ErrInvalid) {
				t.Errorf("Report(too much) = %v, want ErrInvalid", err)
			}
			if err := queue.Report(ctx, nil); !errors.Is(err, b.err) {
				t.Errorf("Report() = %v, want the broker's error", err)
			}
			<-ctx.Done()
			if err := queue.Report(ctx, nil); !errors.Is(err, queue.ErrTimeout) {
				t.Errorf("Report() after the timeout = %v, want ErrTimeout", err)
			}
			return nil
		})
		x.pass(time.Hour)
		x.gone("a")
		if err := queue.Report(context.WithoutCancel(left), nil); err == nil {
			t.Error("Report() after the handler has returned = nil, want an error")
		}
	})
}

func TestAReportUnderALostLeaseSaysSo(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.b = &reported{modelBroker: x.b.(*modelBroker), lost: true}
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error {
			if err := queue.Report(ctx, nil); !errors.Is(err, queue.ErrLeaseLost) {
				t.Errorf("Report() = %v, want ErrLeaseLost", err)
			}
			return nil
		})
		x.pass(0)
	})
}

package queue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A counted broker counts who listens to it, and how often an entry is read.
type counted struct {
	*modelBroker
	listening, most, reads atomic.Int32
	deaf                   bool // it cannot be listened to, after all
}

func (b *counted) Listen(ctx context.Context, hear func(broker.Signal)) error {
	if b.deaf {
		return errors.New("deaf")
	}
	if n := b.listening.Add(1); n > b.most.Load() {
		b.most.Store(n)
	}
	defer b.listening.Add(-1)
	return b.modelBroker.Listen(ctx, hear)
}

func (b *counted) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	b.reads.Add(1)
	return b.modelBroker.Entry(ctx, ref)
}

func TestWaitReturnsWhatATaskHasLeft(t *testing.T) {
	for name, during := range map[string]func(x *bench, info *task.Info){
		"that is done before the call": func(x *bench, info *task.Info) { x.pass(2 * time.Second) },
		"that is done during the call": func(*bench, *task.Info) {},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				info, err := x.client.Enqueue(x.Context(), task.New("test:a", nil), task.Retention(time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				x.serve(func(_ context.Context, tk *task.Task) error {
					time.Sleep(time.Second)
					_, err := tk.ResultWriter().Write([]byte("42"))
					return err
				})
				during(x, info)
				got, err := x.client.Wait(x.Context(), info)
				if err != nil || got.State != task.Completed || string(got.Result) != "42" {
					t.Errorf("Wait() = %+v, %v, want it completed with result 42", got, err)
				}
			})
		})
	}
}

func TestWaitKeepsATaskWithoutRetentionForAMinute(t *testing.T) {
	inBubble(t, func(x *bench) {
		info, err := x.client.Enqueue(x.Context(), task.New("test:a", nil))
		if err != nil {
			t.Fatal(err)
		}
		x.cfg.PollInterval = time.Hour
		begin := time.Now()
		time.AfterFunc(time.Second, func() {
			x.serve(func(_ context.Context, tk *task.Task) error {
				_, err := tk.ResultWriter().Write([]byte("42"))
				return err
			})
		})
		got, err := x.client.Wait(x.Context(), info)
		if err != nil || string(got.Result) != "42" || time.Since(begin) != time.Second {
			t.Errorf("after %v, Wait() = %+v, %v, want result 42 after 1s", time.Since(begin), got, err)
		}
		if _, err := x.client.Wait(x.Context(), info); err != nil {
			t.Errorf("Wait() once more = %v, want nil", err)
		}
		x.pass(2 * time.Minute)
		if _, err := x.client.Wait(x.Context(), info); !errors.Is(err, queue.ErrResultExpired) || errors.Is(err, queue.ErrTaskNotFound) {
			t.Errorf("Wait() two minutes later = %v, want ErrResultExpired", err)
		}
	})
}

func TestWaitTellsUnknownExpiredFailedAndUnfinishedApart(t *testing.T) {
	inBubble(t, func(x *bench) {
		if _, err := x.client.Wait(x.Context(), &task.Info{Queue: "default", ID: "never"}); !errors.Is(err, queue.ErrTaskNotFound) {
			t.Errorf("Wait(unknown) = %v, want ErrTaskNotFound", err)
		}
		if _, err := x.client.Wait(x.Context(), nil); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Wait(nil) = %v, want ErrInvalid", err)
		}
		if _, err := x.client.Wait(x.Context(), &task.Info{ID: "a"}); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Wait(no queue) = %v, want ErrInvalid", err)
		}
		x.enqueue("a", task.MaxRetry(0), task.ProcessIn(time.Hour))
		ctx, cancel := context.WithTimeoutCause(x.Context(), time.Minute, errors.New("enough"))
		defer cancel()
		_, err := x.client.Wait(ctx, &task.Info{Queue: "default", ID: "a"})
		if !errors.Is(err, queue.ErrNotFinished) || !strings.Contains(err.Error(), "enough") || errors.Is(err, queue.ErrTaskFailed) {
			t.Errorf("Wait(too long) = %v, want ErrNotFinished and the cause", err)
		}
		x.serve(func(context.Context, *task.Task) error { return errors.New("broken") })
		got, err := x.client.Wait(x.Context(), &task.Info{Queue: "default", ID: "a"})
		failed, ok := errors.AsType[*queue.FailedError](err)
		if !ok || !errors.Is(err, queue.ErrTaskFailed) || failed.Info.LastErr != "broken" || got != failed.Info || !strings.Contains(err.Error(), "broken") {
			t.Errorf("Wait(failing) = %+v, %v, want a FailedError that says why, and its Info", got, err)
		}
	})
}

func TestWaitEndsWhenTheTaskIsDeletedOrCancelled(t *testing.T) {
	for act, want := range map[broker.Act]error{broker.Delete: queue.ErrResultExpired, broker.Cancel: queue.ErrTaskFailed} {
		t.Run(act.String(), func(t *testing.T) {
			inBubble(t, func(x *bench) {
				info, err := x.client.Enqueue(x.Context(), task.New("test:a", nil), task.ProcessIn(time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				time.AfterFunc(time.Minute, func() {
					c := broker.Change{Move: []broker.Move{{EntryRef: broker.EntryRef{Queue: "default", ID: info.ID}, Do: act}}}
					if _, err := x.b.Apply(context.Background(), time.Now(), []broker.Change{c}, broker.LeaseRequest{}); err != nil {
						t.Error(err)
					}
				})
				if _, err := x.client.Wait(x.Context(), info); !errors.Is(err, want) || time.Since(begin) != time.Minute {
					t.Errorf("after %v, Wait() = %v, want %v after 1m", time.Since(begin), err, want)
				}
			})
		})
	}
}

func TestAllWhoWaitShareOneListener(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := &counted{modelBroker: x.b.(*modelBroker)}
		client := queue.NewClient(b)
		var waiting sync.WaitGroup
		for range 100 {
			info, err := client.Enqueue(x.Context(), task.New("test:a", nil))
			if err != nil {
				t.Fatal(err)
			}
			waiting.Go(func() {
				if _, err := client.Wait(x.Context(), info); err != nil {
					t.Errorf("Wait() = %v, want nil", err)
				}
			})
		}
		synctest.Wait()
		if n := b.listening.Load(); n != 1 {
			t.Errorf("%d listen while 100 wait, want 1", n)
		}
		before := b.reads.Load()
		x.pass(time.Minute)
		if n := b.reads.Load() - before; n > 100*12 {
			t.Errorf("100 who listen have looked %d times in a minute, want every 5s at most", n)
		}
		x.serve(func(context.Context, *task.Task) error { return nil })
		waiting.Wait()
		synctest.Wait()
		if n := b.listening.Load(); n != 0 || b.most.Load() != 1 {
			t.Errorf("%d listen after all have left, and %d did at most, want 0 and 1", n, b.most.Load())
		}
	})
}

func TestWhoCannotListenLooksEverySecond(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := &counted{modelBroker: x.b.(*modelBroker), deaf: true}
		client := queue.NewClient(b)
		x.enqueue("a", task.ProcessIn(time.Hour))
		ctx, cancel := context.WithTimeout(x.Context(), time.Minute)
		defer cancel()
		if _, err := client.Wait(ctx, &task.Info{Queue: "default", ID: "a"}); !errors.Is(err, queue.ErrNotFinished) {
			t.Errorf("Wait() = %v, want ErrNotFinished", err)
		}
		if n := b.reads.Load(); n < 59 || n > 61 {
			t.Errorf("looked %d times in a minute, want about 60", n)
		}
	})
}

// A closing broker is listened to and read until it is closed.
type closing struct {
	*modelBroker
	closed chan struct{}
}

func (b closing) Listen(_ context.Context, hear func(broker.Signal)) error {
	hear(broker.Signal{Kind: broker.Listening})
	<-b.closed
	return broker.ErrClosed
}

func (b closing) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	select {
	case <-b.closed:
		return broker.Stored{}, broker.ErrClosed
	default:
		return b.modelBroker.Entry(ctx, ref)
	}
}

func TestWaitEndsAsSoonAsItsBrokerIsClosed(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := closing{x.b.(*modelBroker), make(chan struct{})}
		x.enqueue("a", task.ProcessIn(time.Hour))
		ctx, cancel := context.WithTimeout(x.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		time.AfterFunc(time.Second, func() { close(b.closed) })
		_, err := queue.NewClient(b).Wait(ctx, &task.Info{Queue: "default", ID: "a"})
		if took := time.Since(begin); !errors.Is(err, broker.ErrClosed) || took != time.Second {
			t.Errorf("after %v, Wait() = %v, want ErrClosed after 1s", took, err)
		}
	})
}

func TestWhoWaitsSeesProgress(t *testing.T) {
	inBubble(t, func(x *bench) {
		info, err := x.client.Enqueue(x.Context(), task.New("test:a", nil))
		if err != nil {
			t.Fatal(err)
		}
		x.serve(func(ctx context.Context, _ *task.Task) error {
			for _, word := range []string{"one", "two", "three"} {
				time.Sleep(2 * time.Second)
				if err := queue.Report(ctx, []byte(word)); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		var seen []string
		ctx := queue.OnProgress(x.Context(), func(data []byte) { seen = append(seen, string(data)) })
		if _, err := x.client.Wait(ctx, info); err != nil || !slices.Equal(seen, []string{"one", "two", "three"}) {
			t.Errorf("Wait() = %v after %q, want nil after one, two, three", err, seen)
		}
	})
}

func TestWaitOutlastsATroubleOfTheStorage(t *testing.T) {
	inBubble(t, func(x *bench) {
		var away atomic.Bool
		b := &unreadable{modelBroker: x.b.(*modelBroker), away: &away}
		client := queue.NewClient(b)
		info, err := client.Enqueue(x.Context(), task.New("test:a", nil))
		if err != nil {
			t.Fatal(err)
		}
		away.Store(true)
		time.AfterFunc(time.Minute, func() {
			away.Store(false)
			x.serve(func(context.Context, *task.Task) error { return nil })
		})
		if _, err := client.Wait(x.Context(), info); err != nil {
			t.Errorf("Wait() = %v, want nil", err)
		}
	})
}

// An unreadable broker gives away no entries while it is away.
type unreadable struct {
	*modelBroker
	away *atomic.Bool
}

func (b *unreadable) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	if b.away.Load() {
		return broker.Stored{}, errors.New("away")
	}
	return b.modelBroker.Entry(ctx, ref)
}

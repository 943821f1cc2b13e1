package tail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/tail"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
)

// open opens a storage that keeps so many events.
func open(t *testing.T, events int) broker.Broker {
	t.Helper()
	b, err := redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix(), Events: events})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// next waits for n things to happen, and returns them in words.
func next(t *testing.T, s tail.Source, n int) (words []string) {
	t.Helper()
	for len(words) < n {
		happened, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range happened {
			words = append(words, fmt.Sprintf("%s/%s %s %s%v", h.Queue, h.ID, h.State, h.Error, h.Figures))
		}
	}
	return words
}

func enqueue(t *testing.T, b broker.Broker, queueName, id string) {
	t.Helper()
	if _, err := queue.NewClient(b).Enqueue(t.Context(), task.New("mail", nil), task.Queue(queueName), task.ID(id), task.MaxRetry(0)); err != nil {
		t.Fatal(err)
	}
}

func TestWhereEventsAreKeptAllOfThemAreTold(t *testing.T) {
	b := open(t, 5000)
	i := queue.NewInspector(b)
	enqueue(t, b, "mail", "early")
	time.Sleep(2 * time.Millisecond) // events have times in milliseconds
	s, err := tail.Open(t.Context(), i, time.Now(), "mail")
	if err != nil || !s.Kept() {
		t.Fatalf("Open() = %v, %v, want a source of events that are kept", s, err)
	}
	enqueue(t, b, "mail", "a")
	enqueue(t, b, "other", "b")
	if err := errors.Join(i.Archive(t.Context(), "mail", "a"), i.Delete(t.Context(), "mail", "a")); err != nil {
		t.Fatal(err)
	}
	want := []string{"mail/a pending []", "mail/a archived []", "mail/a deleted []"}
	if got := next(t, s, 3); !slices.Equal(got, want) {
		t.Errorf("Next() told %q, want %q", got, want)
	}
	if got, err := s.Next(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("Next() = %v, %v, want nothing more", got, err)
	}
	all, err := tail.Open(t.Context(), i, time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if got := next(t, all, 5); len(got) != 5 {
		t.Errorf("from a minute ago, Next() told %q, want five things", got)
	}
}

func TestManyEventsAreReadOn(t *testing.T) {
	b := open(t, 5000)
	enqueue(t, b, "mail", "early")
	time.Sleep(2 * time.Millisecond) // events have times in milliseconds
	s, err := tail.Open(t.Context(), queue.NewInspector(b), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	tasks := make([]*task.Task, 2500)
	for n := range tasks {
		tasks[n] = task.New("mail", nil)
	}
	queue.NewClient(b).EnqueueMany(t.Context(), tasks)
	if got := next(t, s, len(tasks)); len(got) != len(tasks) {
		t.Errorf("Next() told %d things, want %d", len(got), len(tasks))
	}
}

func TestWhereNoneAreKeptFailuresAndFiguresAreSeen(t *testing.T) {
	b := open(t, 0)
	i := queue.NewInspector(b)
	enqueue(t, b, "mail", "a")
	fail(t, b, "mail")
	s, err := tail.Open(t.Context(), i, time.Now())
	if err != nil || s.Kept() {
		t.Fatalf("Open() = %v, %v, want a source that looks", s, err)
	}
	enqueue(t, b, "mail", "b")
	fail(t, b, "mail")
	want := []string{"mail/b archived it broke[]", "mail/  [{archived 1 2} {processed 1 2} {failed 1 2}]"}
	if got := next(t, s, 2); !slices.Equal(got, want) {
		t.Errorf("Next() told %q, want %q", got, want)
	}
	enqueue(t, b, "new", "c")
	if got, want := next(t, s, 1), []string{"new/  [{pending 0 1}]"}; !slices.Equal(got, want) {
		t.Errorf("Next() told %q, want %q", got, want)
	}
	before, err := tail.Open(t.Context(), i, time.Now().Add(-time.Minute), "mail")
	if err != nil {
		t.Fatal(err)
	}
	if got := next(t, before, 2); len(got) != 2 {
		t.Errorf("from a minute ago, Next() told %q, want both that failed", got)
	}
}

// fail has what is pending in a queue fail for good.
func fail(t *testing.T, b broker.Broker, queueName string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cfg := queue.Config{Queues: map[string]int{queueName: 1}, Observer: func(_ context.Context, e queue.Event) {
		if e.Kind == queue.EventSettled {
			stop()
		}
	}}
	srv, err := queue.NewServer(b, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Run(ctx, task.HandlerFunc(func(context.Context, *task.Task) error { return errors.New("it broke") })); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

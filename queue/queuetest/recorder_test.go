package queuetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/queuetest"
	"github.com/leatwork/leat/task"
)

func TestWhatWasEnqueuedIsRemembered(t *testing.T) {
	rec := queuetest.NewRecorder()
	enqueue(t, rec, "mail:welcome", task.ID("1"), task.MaxRetry(3), task.Header("a", "b"))
	enqueue(t, rec, "mail:bye", task.ID("2"), task.Queue("low"), task.ProcessIn(time.Hour))
	enqueue(t, rec, "image", task.ID("3"), task.Queue("low"), task.Group("g"))
	rec.EnqueueMany(t.Context(), []*task.Task{task.New("image", []byte("x")), task.New("image", nil)}, task.Queue("many"))
	if _, err := rec.Enqueue(t.Context(), task.New("image", nil), task.ID("3"), task.Queue("low")); !errors.Is(err, queue.ErrTaskIDConflict) {
		t.Fatalf("Enqueue() = %v, want ErrTaskIDConflict", err)
	}
	other := queue.NewClient(rec.Broker())
	if _, err := other.Enqueue(t.Context(), task.New("other", nil)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		filters []queuetest.Filter
		want    []string
	}{
		"all":      {nil, []string{"mail:welcome", "mail:bye", "image", "image", "image", "other"}},
		"type":     {[]queuetest.Filter{queuetest.OfType("mail")}, []string{"mail:welcome", "mail:bye"}},
		"queue":    {[]queuetest.Filter{queuetest.InQueue("low")}, []string{"mail:bye", "image"}},
		"both":     {[]queuetest.Filter{queuetest.InQueue("low"), queuetest.OfType("mail")}, []string{"mail:bye"}},
		"own":      {[]queuetest.Filter{func(i *task.Info) bool { return len(i.Payload) == 1 }}, []string{"image"}},
		"nothing":  {[]queuetest.Filter{queuetest.InQueue("none")}, nil},
		"sentinel": {[]queuetest.Filter{queuetest.OfType("other")}, []string{"other"}},
	} {
		var got []string
		for _, i := range rec.Enqueued(c.filters...) {
			got = append(got, i.Type)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	first := rec.Enqueued()[:3]
	if got := first[0]; got.ID != "1" || got.Queue != "default" || got.State != task.Pending || got.MaxRetry != 3 || got.Headers["a"] != "b" {
		t.Errorf("the first is remembered as %+v", got)
	}
	if got := first[1]; got.State != task.Scheduled || time.Until(got.NextProcessAt) < 59*time.Minute {
		t.Errorf("the second is remembered as %+v", got)
	}
	if got := first[2]; got.State != task.Aggregating || got.Group != "g" {
		t.Errorf("the third is remembered as %+v", got)
	}
}

func TestWhatTakesThePlaceOfATaskIsRememberedToo(t *testing.T) {
	rec := queuetest.NewRecorder()
	for range 2 {
		enqueue(t, rec, "index", task.Debounce(time.Minute, time.Hour))
	}
	if got := rec.Enqueued(); len(got) != 2 || got[0].ID != got[1].ID {
		t.Errorf("Enqueued() = %v, want two of one id", got)
	}
}

func TestInlineRunsATaskBeforeItIsSaidToBeEnqueued(t *testing.T) {
	rec := queuetest.NewRecorder()
	var ran []string
	broken := errors.New("broken")
	mux := task.NewMux()
	mux.HandleFunc("first", func(ctx context.Context, _ *task.Task) error {
		ran = append(ran, "first")
		_, err := rec.Enqueue(ctx, task.New("second", nil), task.Queue("other"))
		return err
	})
	mux.HandleFunc("second", func(context.Context, *task.Task) error { ran = append(ran, "second"); return nil })
	mux.HandleFunc("fails", func(context.Context, *task.Task) error { ran = append(ran, "fails"); return broken })

	enqueue(t, rec, "first", task.ID("early"))
	rec.Inline(mux)
	info := enqueue(t, rec, "fails", task.ID("f"))
	enqueue(t, rec, "second", task.ProcessIn(time.Hour))
	if diff := cmp.Diff([]string{"first", "fails", "second"}, ran); diff != "" {
		t.Errorf("what was run (-want +got):\n%s", diff)
	}
	got, err := rec.Inspector().Get(t.Context(), info.Queue, info.ID)
	if err != nil || got.State != task.Retry || !strings.Contains(got.LastErr, "broken") {
		t.Errorf("Get() = %+v, %v; want that it failed and will be retried", got, err)
	}
	if _, err := rec.Enqueue(t.Context(), task.New("odd", nil)); !errors.Is(err, task.ErrHandlerNotFound) {
		t.Errorf("Enqueue() without a handler = %v, want ErrHandlerNotFound", err)
	}
	rec.Inline(nil)
	enqueue(t, rec, "second")
	if len(ran) != 3 {
		t.Errorf("after Inline(nil): %v were run, want no more", ran)
	}
}

func TestInlineLeavesOutNoneThatSeveralGoroutinesEnqueue(t *testing.T) {
	rec := queuetest.NewRecorder()
	var mu sync.Mutex
	ran := make(map[string]bool)
	rec.Inline(task.HandlerFunc(func(_ context.Context, tk *task.Task) error {
		mu.Lock()
		defer mu.Unlock()
		ran[tk.Type()] = true
		return nil
	}))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for n := range 10 {
				if _, err := rec.Enqueue(t.Context(), task.New(fmt.Sprintf("%d-%d", g, n), nil)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(ran) != 80 {
		t.Errorf("%d tasks were run, want 80", len(ran))
	}
}

func enqueue(t *testing.T, rec *queuetest.Recorder, typ string, options ...task.Option) *task.Info {
	t.Helper()
	info, err := rec.Enqueue(t.Context(), task.New(typ, nil), options...)
	if err != nil {
		t.Fatalf("Enqueue(%s) = %v, want nil", typ, err)
	}
	return info
}

package task_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/leatwork/leat/task"
)

func TestALaterWriteReplacesTheResult(t *testing.T) {
	w := task.NewResultWriter(t.Context(), "id-1", 0)
	if got := w.Result(); got != nil {
		t.Errorf("the result of no write is %q, want nil", got)
	}
	for _, text := range []string{"first", "the second"} {
		if n, err := fmt.Fprint(w, text); n != len(text) || err != nil {
			t.Errorf("write of %q: %d, %v", text, n, err)
		}
	}
	if got := string(w.Result()); got != "the second" {
		t.Errorf("the result is %q, want the second", got)
	}
	if got := w.TaskID(); got != "id-1" {
		t.Errorf("TaskID() = %q, want id-1", got)
	}
}

func TestAnEmptyResultIsNotNone(t *testing.T) {
	w := task.NewResultWriter(t.Context(), "id-1", 0)
	if _, err := w.Write(nil); err != nil {
		t.Fatal(err)
	}
	if got := w.Result(); got == nil || len(got) != 0 {
		t.Errorf("the result is %#v, want it empty but not nil", got)
	}
}

func TestAResultWriterCopiesWhatIsWritten(t *testing.T) {
	w := task.NewResultWriter(t.Context(), "id-1", 0)
	buffer := []byte("kept")
	if _, err := w.Write(buffer); err != nil {
		t.Fatal(err)
	}
	copy(buffer, "gone")
	if got := string(w.Result()); got != "kept" {
		t.Errorf("the result is %q, want kept", got)
	}
}

func TestAResultThatIsTooLargeIsRefused(t *testing.T) {
	w := task.NewResultWriter(t.Context(), "id-1", 4)
	if _, err := w.Write([]byte("four")); err != nil {
		t.Errorf("a result of the largest size: %v", err)
	}
	n, err := w.Write([]byte("fives"))
	want := "write result of task id-1: invalid result size 5: is larger than 4 bytes"
	if n != 0 || !errors.Is(err, task.ErrInvalid) || err.Error() != want {
		t.Errorf("got %d, %v, want 0, %s", n, err, want)
	}
	if got := string(w.Result()); got != "four" {
		t.Errorf("the result is now %q, want it unchanged", got)
	}
}

func TestNoResultIsTakenAfterTheContextEnded(t *testing.T) {
	shutdown := errors.New("shutdown")
	ctx, cancel := context.WithCancelCause(t.Context())
	w := task.NewResultWriter(ctx, "id-1", 0)
	if _, err := w.Write([]byte("in time")); err != nil {
		t.Fatal(err)
	}
	cancel(shutdown)
	if n, err := w.Write([]byte("late")); n != 0 || !errors.Is(err, shutdown) || !strings.Contains(err.Error(), "id-1") {
		t.Errorf("got %d, %v, want 0 and the cause, naming the task", n, err)
	}
	if got := string(w.Result()); got != "in time" {
		t.Errorf("the result is %q, want what was written in time", got)
	}
}

func TestAResultWriterMayBeSharedByGoroutines(t *testing.T) {
	w := task.NewResultWriter(t.Context(), "id-1", 0)
	var wg sync.WaitGroup
	for i := range 8 {
		text := strings.Repeat(fmt.Sprint(i), 100)
		wg.Go(func() {
			for range 50 {
				_, _ = w.Write([]byte(text))
				if r := string(w.Result()); len(r) != 100 || strings.Trim(r, r[:1]) != "" {
					t.Errorf("the result is a mixture: %q", r)
				}
			}
		})
	}
	wg.Wait()
}

package wake_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/internal/wake"
	"github.com/leatwork/leat/queue/broker"
)

var noon = time.Date(2030, 3, 17, 12, 0, 0, 0, time.UTC)

// want fails the test unless who waits for queues gets w at once.
func want(t *testing.T, b *wake.Board, w broker.Wake, queues ...string) {
	t.Helper()
	got, err := b.Wait(t.Context(), queues)
	if err != nil || got != w {
		t.Errorf("Wait(%q) = %+v, %v, want %+v, nil", queues, got, err, w)
	}
}

// wantNone fails the test if who waits for queues gets anything within a second.
func wantNone(t *testing.T, b *wake.Board, queues ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got, err := b.Wait(ctx, queues); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait(%q) = %+v, %v, want the context's error", queues, got, err)
	}
}

func TestAWakeIsKeptForWhoWaitsNextAndGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b wake.Board
		b.Leave(broker.Wake{Queue: "a"})
		b.Leave(broker.Wake{Queue: "a"})
		b.Leave(broker.Wake{Queue: "a", At: noon.Add(time.Second)})
		b.Leave(broker.Wake{Queue: "a", At: noon})
		b.Leave(broker.Wake{Queue: "b", At: noon.Add(-time.Second)})
		wantNone(t, &b, "c")
		want(t, &b, broker.Wake{Queue: "a"}, "b", "a")
		want(t, &b, broker.Wake{Queue: "b", At: noon.Add(-time.Second)}, "a", "b")
		want(t, &b, broker.Wake{Queue: "a", At: noon}, "a", "b")
		wantNone(t, &b, "a", "b")
	})
}

func TestOneOfThoseWhoWaitIsWokenTheFirstOneFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b wake.Board
		woken := make(chan int, 3)
		for i := range 3 {
			go func() {
				if _, err := b.Wait(t.Context(), []string{"a"}); err == nil {
					woken <- i
				}
			}()
			synctest.Wait()
		}
		for i := range 3 {
			b.Leave(broker.Wake{Queue: "a"})
			synctest.Wait()
			if len(woken) != 1 {
				t.Fatalf("%d were woken, want 1", len(woken))
			}
			if got := <-woken; got != i {
				t.Errorf("woke %d, want %d", got, i)
			}
		}
	})
}

func TestAWakeForSomebodyWhoWaitsNoMoreIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 { // which of two ready channels is chosen is chance
			var b wake.Board
			ctx, cancel := context.WithCancel(t.Context())
			given := make(chan bool)
			go func() {
				_, err := b.Wait(ctx, []string{"a"})
				given <- err == nil
			}()
			synctest.Wait()
			b.Leave(broker.Wake{Queue: "a", At: noon})
			cancel()
			if !<-given {
				want(t, &b, broker.Wake{Queue: "a", At: noon}, "a")
			}
		}
	})
}

func TestWhoWaitsLooksWhenTheTimeHasPassedAndWhenProdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b wake.Board
		var looks []time.Duration
		began, again, failure := time.Now(), time.Duration(0), errors.New("no answer")
		look := func() (time.Duration, error) {
			looks = append(looks, time.Since(began))
			if len(looks) == 5 {
				b.Leave(broker.Wake{Queue: "a"})
			}
			return again, nil
		}
		woken := make(chan error)
		go func() {
			_, err := b.WaitLooking(t.Context(), []string{"a"}, look)
			woken <- err
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		again = time.Second
		b.Prod()
		if err := <-woken; err != nil {
			t.Errorf("WaitLooking() = %v, want nil", err)
		}
		if want := []time.Duration{0, 0, time.Minute, 61 * time.Second, 62 * time.Second}; !slices.Equal(looks, want) {
			t.Errorf("looked after %v, want %v", looks, want)
		}
		if _, err := b.WaitLooking(t.Context(), []string{"a"}, func() (time.Duration, error) { return 0, failure }); err != failure {
			t.Errorf("WaitLooking() = %v, want %v", err, failure)
		}
	})
}

func TestWhatIsForgottenWakesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b wake.Board
		b.Leave(broker.Wake{Queue: "a"})
		b.Leave(broker.Wake{Queue: "a", At: noon})
		b.Forget("a")
		wantNone(t, &b, "a")
	})
}

func TestClosingEndsEveryWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b wake.Board
		ended := make(chan error, 1)
		go func() {
			_, err := b.Wait(t.Context(), []string{"a"})
			ended <- err
		}()
		synctest.Wait()
		b.Close()
		_, later := b.Wait(t.Context(), []string{"a"})
		for _, err := range []error{<-ended, later} {
			if !errors.Is(err, broker.ErrClosed) {
				t.Errorf("Wait() = %v, want %v", err, broker.ErrClosed)
			}
		}
		b.Leave(broker.Wake{Queue: "a"})
	})
}

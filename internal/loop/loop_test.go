package loop_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/internal/loop"
)

func TestEveryCallsAtOnceAndAfterEachPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 35*time.Second)
		defer cancel()
		start := time.Now()
		var calls []time.Duration
		loop.Every(ctx, slog.New(slog.DiscardHandler), "test", 10*time.Second, func(context.Context) error {
			calls = append(calls, time.Since(start))
			time.Sleep(time.Second)
			return nil
		})
		want := []time.Duration{0, 11 * time.Second, 22 * time.Second, 33 * time.Second}
		if !slices.Equal(calls, want) {
			t.Errorf("called at %v, want %v", calls, want)
		}
		if got := time.Since(start); got != 35*time.Second {
			t.Errorf("returned after %v, want 35s, when its context ended", got)
		}
	})
}

func TestAnErrorIsLoggedAndRetriedButNotEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second-1)
		defer cancel()
		var log strings.Builder
		calls := 0
		loop.Every(ctx, slog.New(slog.NewTextHandler(&log, nil)), "beat", time.Second, func(context.Context) error {
			calls++
			return errors.New("no storage")
		})
		if calls != 10 {
			t.Errorf("called %d times in 10s, want 10", calls)
		}
		if n := strings.Count(log.String(), "no storage"); n != 3 {
			t.Errorf("logged %d lines in 10s, want 3, after 0s, 3s and 9s:\n%s", n, &log)
		}
		if !strings.Contains(log.String(), "loop=beat") {
			t.Errorf("log does not name the loop:\n%s", &log)
		}
	})
}

func TestNoPaceKeepsTheCPUBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second-1)
		defer cancel()
		calls := 0
		loop.Paced(ctx, slog.New(slog.DiscardHandler), "test", func(context.Context) (time.Duration, error) {
			calls++
			return -time.Hour, nil
		})
		if calls != 1000 {
			t.Errorf("called %d times in a second, want 1000", calls)
		}
	})
}

func TestBackoffDoublesAndBeginsAnew(t *testing.T) {
	b := loop.Backoff{Min: 50 * time.Millisecond, Max: 2 * time.Second}
	var got []time.Duration
	for range 8 {
		got = append(got, b.Next()/time.Millisecond)
	}
	if want := []time.Duration{50, 100, 200, 400, 800, 1600, 2000, 2000}; !slices.Equal(got, want) {
		t.Errorf("delays %d ms, want %d ms", got, want)
	}
	b.Reset()
	if got := b.Next(); got != 50*time.Millisecond {
		t.Errorf("delay after a reset %v, want 50ms", got)
	}
}

func TestATroubleThatLastsIsToldLessAndLessOften(t *testing.T) {
	throttle := loop.Throttle{Interval: 3 * time.Second}
	began := time.Date(2030, 3, 17, 12, 0, 0, 0, time.UTC)
	told := func(from, to time.Duration) (at []time.Duration) {
		for d := from; d < to; d += time.Second {
			if throttle.Allow(began.Add(d)) {
				at = append(at, d/time.Second)
			}
		}
		return at
	}
	if got, want := told(0, 4*time.Minute), []time.Duration{0, 3, 9, 21, 45, 93, 153, 213}; !slices.Equal(got, want) {
		t.Errorf("told after %d s, want %d s", got, want)
	}
	if got, want := told(10*time.Minute, 10*time.Minute+10*time.Second), []time.Duration{600, 603, 609}; !slices.Equal(got, want) {
		t.Errorf("after a pause told after %d s, want %d s", got, want)
	}
}

func TestWhatIsInTroubleTogetherComplainsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := loop.Together(t.Context())
		kinds := make([]*loop.Throttle, 6)
		for i := range kinds {
			kinds[i] = loop.Complaints(ctx)
		}
		said := make([]int, len(kinds))
		for range 60 {
			for i, k := range kinds {
				if i == 0 || time.Now().Second()%(5*i) == 0 {
					if k.Allow(time.Now()) {
						said[i]++
					}
				}
			}
			time.Sleep(time.Second)
		}
		total := 0
		for i, n := range said {
			if total += n; n == 0 {
				t.Errorf("kind %d was never allowed, want the first of each", i)
			}
		}
		if total > 10 {
			t.Errorf("%d complaints were allowed in a minute, of each kind %v; want 10 at most", total, said)
		}
	})
}

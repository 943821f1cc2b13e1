package task

import (
	"math"
	"testing"
	"time"
)

func TestTheDefaultDelayLiesInItsRange(t *testing.T) {
	for _, c := range []struct{ retried, least, most int }{
		{0, 15, 44},
		{1, 16, 74},
		{2, 31, 118},
		{3, 96, 212},
		{4, 271, 416},
		{5, 640, 814},
		{6, 1311, 1514},
		{7, 2416, 2648},
	} {
		least, most := time.Duration(c.least)*time.Second, time.Duration(c.most)*time.Second
		if got := backoff(c.retried, 0); got != least {
			t.Errorf("shortest delay after %d retries is %v, want %v", c.retried, got, least)
		}
		if got := backoff(c.retried, jitter-1); got != most {
			t.Errorf("longest delay after %d retries is %v, want %v", c.retried, got, most)
		}
		seen := map[time.Duration]bool{}
		for range 200 {
			got := DefaultRetryPolicy(c.retried, nil, nil)
			if got < least || got > most {
				t.Fatalf("delay after %d retries is %v, want %v to %v", c.retried, got, least, most)
			}
			seen[got] = true
		}
		// By chance alone, 200 draws of 30 values give fewer than ten of them
		// less than once in 10^80 runs.
		if len(seen) < 10 {
			t.Errorf("200 delays after %d retries have only %d values", c.retried, len(seen))
		}
	}
}

func TestTheDefaultDelayIsBounded(t *testing.T) {
	year := 365 * 24 * time.Hour
	for _, retried := range []int{75, 76, 1_000, 1 << 20, math.MaxInt} {
		if got := backoff(retried, jitter-1); got < year || got > year+48*time.Hour {
			t.Errorf("delay after %d retries is %v, want about a year", retried, got)
		}
	}
	for _, retried := range []int{-1, math.MinInt} {
		if got, want := backoff(retried, 3), backoff(0, 3); got != want {
			t.Errorf("delay after %d retries is %v, want %v as after none", retried, got, want)
		}
	}
}

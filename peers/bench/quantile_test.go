package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	hundred := make([]float64, 100) // 100 down to 1
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, c := range []struct {
		values  []float64
		q, want float64
	}{
		{hundred, 0, 1},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
		{[]float64{7}, 0.99, 7},
		{[]float64{3, 1, 2}, 0.5, 2},
	} {
		if got := quantile(c.values, c.q); got != c.want {
			t.Errorf("quantile(%v, %v) = %v, want %v", c.values, c.q, got, c.want)
		}
	}
	if got := quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("quantile of nothing = %v, want NaN", got)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{9, 1, 2, 4}, 3},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v, want NaN", got)
	}
}

func TestRatiosAreThoseOfTheRoundsThatHaveBoth(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, c := range []struct{ values, of, want []float64 }{
		{[]float64{8, 9}, []float64{2, 3}, []float64{4, 3}},
		{[]float64{8, 9, 5}, []float64{2}, []float64{4}},
		{[]float64{8, nan, 6}, []float64{nan, 3, 2}, []float64{3}},
		{[]float64{8}, []float64{0}, nil},
		{nil, []float64{2}, nil},
	} {
		if diff := cmp.Diff(c.want, ratios(c.values, c.of), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("ratios(%v, %v) (-want +got):\n%s", c.values, c.of, diff)
		}
	}
}

package main

import "testing"

func TestAFigureIsTheMedianAndTheSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		write  func(float64) string
		want   string
	}{
		{nil, plain, "–"},
		{[]float64{12_345}, perSecond, "12.3 k/s"},
		{[]float64{90_000, 85_000, 101_000}, perSecond, "90.0 k/s (85.0–101)"},
		{[]float64{8, 9.14}, times, "8.6 × (8.0–9.1)"},
		{[]float64{0.004}, times, "1/250"},
		{[]float64{1.25}, seconds, "1.25 s"},
	} {
		if got := figure(c.values, c.write); got != c.want {
			t.Errorf("figure(%v) = %q, want %q", c.values, got, c.want)
		}
	}
}

func TestDigits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x    float64
		n    int
		want string
	}{
		{0, 3, "0"}, {0.01234, 3, "0.0123"}, {9.999, 3, "10.0"}, {12.34, 3, "12.3"}, {123.4, 3, "123"}, {12345, 3, "12345"}, {-1.26, 2, "-1.3"},
	} {
		if got := digits(c.x, c.n); got != c.want {
			t.Errorf("digits(%v, %d) = %q, want %q", c.x, c.n, got, c.want)
		}
	}
}

func TestMetric(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{0: "0", 10: "10", 999: "999", 1000: "1 k", 2500: "2.5 k", 93_400: "93.4 k", 1e6: "1 M", 0.5: "0.5"} {
		if got := metric(x); got != want {
			t.Errorf("metric(%v) = %q, want %q", x, got, want)
		}
	}
}

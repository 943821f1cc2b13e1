package main

import (
	"math"
	"slices"
)

// quantile returns the value below which the part q of values lies, of those that
// there are the nearest; NaN of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
}

// median returns the middle of values, or the mean of the two in the middle.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ratios returns how many times as large as of each of values is, round by round.
// Rounds that lack either are left out.
func ratios(values, of []float64) (all []float64) {
	for i := range min(len(values), len(of)) {
		if of[i] != 0 && !math.IsNaN(values[i]) && !math.IsNaN(of[i]) {
			all = append(all, values[i]/of[i])
		}
	}
	return all
}

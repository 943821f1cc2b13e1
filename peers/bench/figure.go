package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// none stands in a cell for which there is no figure.
const none = "–"

// figure returns the median of values and, if there are several, in brackets the
// least and the largest.
func figure(values []float64, write func(float64) string) string {
	switch {
	case len(values) == 0:
		return none
	case len(values) == 1:
		return write(values[0])
	}
	return fmt.Sprintf("%s (%s–%s)", write(median(values)), bare(write(slices.Min(values))), bare(write(slices.Max(values))))
}

// bare returns a figure without what stands after the number.
func bare(figure string) string {
	for i, c := range figure {
		if c == ' ' || c == '×' {
			return figure[:i]
		}
	}
	return figure
}

// digits writes x with so many significant digits, but all that stand before the
// point.
func digits(x float64, n int) string {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	_, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', n-1, 64), "e")
	e, _ := strconv.Atoi(exponent) // it is one
	return strconv.FormatFloat(x, 'f', max(n-1-e, 0), 64)
}

// metric writes x with k or M for thousands and millions, as in 12 k.
func metric(x float64) string {
	unit := ""
	switch {
	case math.Abs(x) >= 1e6:
		x, unit = x/1e6, " M"
	case math.Abs(x) >= 1e3:
		x, unit = x/1e3, " k"
	}
	return strconv.FormatFloat(x, 'g', 3, 64) + unit
}

// perSecond writes a rate in thousands, so that all can be compared at a glance.
func perSecond(x float64) string { return digits(x/1000, 3) + " k/s" }

// plain writes a number with three digits.
func plain(x float64) string { return digits(x, 3) }

// times writes a ratio: 8.2 ×, or for what is less than a hundredth, 1/370.
func times(x float64) string {
	if x > 0 && x < 0.01 {
		return "1/" + digits(1/x, 2)
	}
	return digits(x, 2) + " ×"
}

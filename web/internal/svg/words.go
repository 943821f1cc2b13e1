package svg

import (
	"math"
	"strconv"
	"strings"
)

// Count writes a number in a few characters: 950, 1.2k, 3.4M.
func Count(v float64) string { return scaled(v, 1000, []string{"", "k", "M", "G", "T"}) }

// Bytes writes a size in a few characters: 950 B, 1.2 KiB.
func Bytes(v float64) string { return scaled(v, 1024, []string{" B", " KiB", " MiB", " GiB", " TiB"}) }

// Seconds writes a duration in a few characters: 5ms, 1.2s, 3m, 2h, 4d.
func Seconds(v float64) string {
	for _, unit := range []struct {
		name        string
		size, below float64
	}{{"µs", 1e-6, 1e-3}, {"ms", 1e-3, 1}, {"s", 1, 60}, {"m", 60, 3600}, {"h", 3600, 48 * 3600}, {"d", 86400, math.Inf(1)}} {
		if math.Abs(v) < unit.below && v != 0 {
			return digits(v/unit.size) + unit.name
		}
	}
	return "0s"
}

func scaled(v, base float64, units []string) string {
	unit := 0
	for math.Abs(v) >= base && unit < len(units)-1 {
		v /= base
		unit++
	}
	return digits(v) + units[unit]
}

// digits writes a number with two digits that count, or all before the point.
func digits(v float64) string {
	places := 0
	switch size := math.Abs(v); {
	case size == 0 || size >= 10:
	case size >= 1:
		places = 1
	default:
		places = min(1-int(math.Floor(math.Log10(size))), 6)
	}
	s := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

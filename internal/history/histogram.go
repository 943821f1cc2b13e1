package history

import (
	"math"
	"slices"
	"time"
)

// Buckets is how many buckets a [Histogram] has.
const Buckets = 33

// bounds are the ends of all buckets but the last, which has none: 100 µs to 94 min, four
// for each factor of ten. Documents hold the numbers of buckets, so they stay as they are.
var bounds = func() (all [Buckets - 1]time.Duration) {
	for i := range all {
		us := math.Round(100 * math.Pow(10, float64(i)/4))
		all[i] = time.Duration(us) * time.Microsecond
	}
	return all
}()

// Bound returns the end of the bucket i, which holds what is no longer than that, and
// longer than the one before. The last bucket has no end: that is 0.
func Bound(i int) time.Duration {
	if i >= len(bounds) {
		return 0
	}
	return bounds[i]
}

// bucket returns which bucket d falls into.
func bucket(d time.Duration) int {
	i, _ := slices.BinarySearch(bounds[:], d)
	return i
}

// A Histogram says how many durations fell into each bucket. The zero value is empty. A
// copy shares its counts with the original, so only one of them may be added to.
type Histogram struct {
	counts []int64 // of Buckets; nil: all are zero
	sum    time.Duration
}

// Of returns how many fell into the bucket i.
func (h Histogram) Of(i int) int64 {
	if h.counts == nil {
		return 0
	}
	return h.counts[i]
}

// Count returns how many there are.
func (h Histogram) Count() (n int64) {
	for _, c := range h.counts {
		n += c
	}
	return n
}

// Sum returns how long they were together.
func (h Histogram) Sum() time.Duration { return h.sum }

// Mean returns how long they were on average, 0 if there are none.
func (h Histogram) Mean() time.Duration {
	if n := h.Count(); n > 0 {
		return h.sum / time.Duration(n)
	}
	return 0
}

// Quantile returns about how long the part q of them was at most: 0.99 is for the p99. It
// is wrong by less than the width of a bucket, a factor of 1.78. What is in the last bucket
// counts as if it were as long as that begins. It is 0 if there are none.
func (h Histogram) Quantile(q float64) time.Duration {
	rank := min(max(q, 0), 1) * float64(h.Count())
	below := 0.0
	for i, c := range h.counts {
		if c == 0 || below+float64(c) < rank {
			below += float64(c)
			continue
		}
		return within(i, (rank-below)/float64(c))
	}
	return 0
}

// within returns the duration that lies a part of the way through a bucket.
func within(i int, part float64) time.Duration {
	switch {
	case i == 0:
		return time.Duration(part * float64(bounds[0]))
	case i == len(bounds):
		return bounds[i-1]
	}
	low, high := float64(bounds[i-1]), float64(bounds[i])
	return time.Duration(low * math.Pow(high/low, part))
}

// Add adds what is in o.
func (h *Histogram) Add(o Histogram) {
	if o.counts == nil {
		return
	}
	if h.counts == nil {
		h.counts = make([]int64, Buckets)
	}
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.sum += o.sum
}

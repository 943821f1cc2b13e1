package history

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// format is the first byte of a document that is written as follows. All numbers are
// varints, those that rise are written as what lies between them, and what is zero is left
// out where that can be seen:
//
//	format
//	how many types; of each its length and its bytes, in order
//	how many slots; of each, in order:
//	    which, counted from the one before
//	    whether there are gauges (0 or 1); if so, these
//	    how many types; of each, in order:
//	        which, counted from the one before
//	        processed, failed, retried, archived
//	        waits, runs: of each how many buckets are not empty, which and how much
//	        is in them, and if there are any the sum in µs
const format = 1

func (s *sheet) encode() []byte {
	names := s.names()
	b := binary.AppendUvarint([]byte{format}, uint64(len(names)))
	for _, name := range names {
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
	}
	b = binary.AppendUvarint(b, uint64(len(s.slots)))
	next := 0
	for _, i := range slices.Sorted(maps.Keys(s.slots)) {
		b = binary.AppendUvarint(b, uint64(i-next))
		b = s.slots[i].append(b, names)
		next = i + 1
	}
	return b
}

// names returns the types that are in any slot, sorted.
func (s *sheet) names() []string {
	seen := map[string]bool{}
	for _, slot := range s.slots {
		for name := range slot.types {
			seen[name] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func (s *slot) append(b []byte, names []string) []byte {
	if s.gauges.Known {
		b = append(b, 1)
		for _, n := range s.gauges.numbers() {
			b = appendNumber(b, *n)
		}
		b = appendNumber(b, int64(s.gauges.Oldest/time.Millisecond))
	} else {
		b = append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(s.types)))
	next := 0
	for i, name := range names {
		if f := s.types[name]; f != nil {
			b = binary.AppendUvarint(b, uint64(i-next))
			b = f.append(b)
			next = i + 1
		}
	}
	return b
}

// numbers returns those of g that are written as they are, in the order in which they are.
func (g *Gauges) numbers() []*int64 {
	return []*int64{&g.Pending, &g.Active, &g.Scheduled, &g.Retry, &g.Archived, &g.Completed, &g.Aggregating}
}

// numbers is as that of Gauges.
func (f *Figure) numbers() []*int64 {
	return []*int64{&f.Processed, &f.Failed, &f.Retried, &f.Archived}
}

func (f *Figure) append(b []byte) []byte {
	for _, n := range f.numbers() {
		b = appendNumber(b, *n)
	}
	return f.Runs.append(f.Waits.append(b))
}

func (h Histogram) append(b []byte) []byte {
	used := 0
	for _, c := range h.counts {
		if c != 0 {
			used++
		}
	}
	b = binary.AppendUvarint(b, uint64(used))
	next := 0
	for i, c := range h.counts {
		if c != 0 {
			b = binary.AppendUvarint(b, uint64(i-next))
			b = appendNumber(b, c)
			next = i + 1
		}
	}
	if used > 0 {
		b = appendNumber(b, int64(h.sum/time.Microsecond))
	}
	return b
}

// appendNumber writes a number that is none that a sheet may have as the next one that is.
func appendNumber(b []byte, n int64) []byte {
	return binary.AppendUvarint(b, uint64(min(max(n, 0), maxNumber)))
}

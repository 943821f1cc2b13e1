package spoken

import (
	"slices"
	"strconv"
	"strings"
)

// A bound is the values that a field has, and their names if they have some.
type bound struct {
	from, to int
	names    []string // of from and those behind it
}

var bounds = [6]bound{
	{0, 59, nil}, {0, 59, nil}, {0, 23, nil}, {1, 31, nil},
	{1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{0, 6, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// A field is the values that match, in order.
type field struct {
	values  []int
	bound   bound
	starred bool // it is written as all, and not as one by one
	stepped bool // it is given by a step other than 1
}

// parseField reads a field.
func parseField(text string, b bound) (f field, ok bool) {
	f = field{bound: b}
	for item := range strings.SplitSeq(text, ",") {
		values, step, ok := parseItem(item, b)
		if !ok {
			return field{}, false
		}
		f.values = append(f.values, values...)
		f.stepped = f.stepped || step > 1
		f.starred = f.starred || step == 1 && strings.ContainsAny(item[:1], "*?")
	}
	slices.Sort(f.values)
	f.values = slices.Compact(f.values)
	return f, true
}

// parseItem reads a value, a range or a star, each with a step or without.
func parseItem(item string, b bound) (values []int, step int, ok bool) {
	what, by, hasStep := strings.Cut(item, "/")
	step = 1
	if hasStep {
		n, err := strconv.Atoi(by)
		if err != nil || n < 1 {
			return nil, 0, false
		}
		step = n
	}
	first, last, isRange := strings.Cut(what, "-")
	from, to := b.from, b.to
	if what != "*" && what != "?" {
		if from, ok = b.value(first); !ok {
			return nil, 0, false
		}
		switch {
		case isRange:
			if to, ok = b.value(last); !ok {
				return nil, 0, false
			}
		case !hasStep:
			to = from
		}
	}
	for v := from; v <= to; v += step {
		values = append(values, v)
	}
	return values, step, len(values) > 0
}

// value reads a number or a name.
func (b bound) value(text string) (int, bool) {
	if i := slices.Index(b.names, strings.ToLower(text)); i >= 0 {
		return b.from + i, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= b.from && n <= b.to && text[0] != '+' && text[0] != '-'
}

// isAll reports whether f has all values that there are.
func (f field) isAll() bool { return len(f.values) == f.bound.to-f.bound.from+1 }

// single returns the only value of f, or -1.
func (f field) single() int {
	if len(f.values) != 1 {
		return -1
	}
	return f.values[0]
}

// step returns by how much the values of f lie apart, if that is always the same, from
// the last one to the first one again, too, and they begin with the first there is; or 0.
func (f field) step() int {
	all := f.bound.to - f.bound.from + 1
	n := len(f.values)
	if n < 2 || all%n != 0 || f.values[0] != f.bound.from {
		return 0
	}
	for i, v := range f.values {
		if v != f.bound.from+i*(all/n) {
			return 0
		}
	}
	return all / n
}

// run returns the ends of f's values, if they are several without a gap.
func (f field) run() (from, to int, ok bool) {
	n := len(f.values)
	from, to = f.values[0], f.values[n-1]
	return from, to, n > 1 && to-from == n-1
}

package query

import (
	"cmp"
	"strconv"
	"strings"
)

// A number is a decimal as it was written, exactly: ± 0.digits × 10^exponent. Its digits
// begin and end with one that is not zero, so that equal numbers are equal structs.
type number struct {
	negative bool
	digits   string // "" for zero
	exponent int64
}

func numberOf(n int64) number {
	v, _ := parseNumber(strconv.FormatInt(n, 10))
	return v
}

func numberOfFloat(f float64) number {
	v, _ := parseNumber(strconv.FormatFloat(f, 'g', -1, 64))
	return v
}

// parseNumber reads what JSON has as a number, also with leading zeroes or a plus.
func parseNumber(text string) (n number, ok bool) {
	if rest, minus := strings.CutPrefix(text, "-"); minus {
		n.negative, text = true, rest
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.ParseInt(text[i+1:], 10, 32)
		if err != nil {
			return number{}, false
		}
		n.exponent, text = exponent, text[:i]
	}
	whole, fraction, dotted := strings.Cut(text, ".")
	if whole == "" || dotted && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return number{}, false
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	n.exponent += int64(len(whole)) - int64(len(whole)+len(fraction)-len(digits))
	n.digits = strings.TrimRight(digits, "0")
	if n.digits == "" {
		return number{}, true
	}
	return n, true
}

// text returns n as it is written without an exponent.
func (n number) text() string {
	if n.digits == "" {
		return "0"
	}
	whole, fraction := "0", ""
	switch at := int(n.exponent); {
	case at >= len(n.digits):
		whole = n.digits + strings.Repeat("0", at-len(n.digits))
	case at > 0:
		whole, fraction = n.digits[:at], n.digits[at:]
	default:
		fraction = strings.Repeat("0", -at) + n.digits
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if n.negative {
		return "-" + whole
	}
	return whole
}

func allDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// compare returns -1, 0 or 1 as n is less than, equal to or more than m.
func (n number) compare(m number) int {
	if a, b := n.sign(), m.sign(); a != b || a == 0 {
		return cmp.Compare(a, b)
	}
	c := cmp.Or(cmp.Compare(n.exponent, m.exponent), strings.Compare(n.digits, m.digits))
	return c * n.sign()
}

func (n number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	}
	return 1
}

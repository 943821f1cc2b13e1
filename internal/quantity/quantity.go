package quantity

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Time returns a moment as tables have it, in local time; "" for none.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}

// Seconds returns how long something took, in a few letters: "1h2m3s", "1.5s", "12ms".
func Seconds(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= 10*time.Second || d <= -10*time.Second:
		d = d.Round(time.Second)
	case d >= time.Second || d <= -time.Second:
		d = d.Round(100 * time.Millisecond)
	default:
		d = d.Round(time.Millisecond)
	}
	return d.String()
}

// Bytes returns a size in a few letters: "512 B", "1.5 MiB".
func Bytes(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	size, unit := float64(n)/1024, 0
	for size >= 1024 && unit < len("KMGTPE")-1 {
		size, unit = size/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", size, "KMGTPE"[unit])
}

// Percent returns a fraction as one of a hundred: "12.50%".
func Percent(fraction float64) string { return fmt.Sprintf("%.2f%%", 100*fraction) }

// Count returns n with separators between thousands.
func Count(n int) string {
	if n < 0 {
		return "-" + Count(-n)
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Many returns how many things there are, with their name: "1 task", "2 tasks".
func Many(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "y") && !strings.HasSuffix(thing, "ay"):
		return Count(n) + " " + strings.TrimSuffix(thing, "y") + "ies"
	}
	return Count(n) + " " + thing + "s"
}

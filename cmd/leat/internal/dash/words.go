package dash

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
)

// pad returns s, which may have colours, exactly w cells wide.
func pad(s string, w int) string {
	if w <= 0 {
		return ""
	}
	have := ansi.StringWidth(s)
	if have > w {
		s = ansi.Truncate(s, w, "…")
		have = ansi.StringWidth(s)
	}
	return s + strings.Repeat(" ", max(w-have, 0))
}

// padLeft is pad with s at the right.
func padLeft(s string, w int) string {
	if have := ansi.StringWidth(s); have < w {
		return strings.Repeat(" ", w-have) + s
	}
	return pad(s, w)
}

// ends returns a line of w cells with one text at its left and one at its right, of which
// the left one gives way.
func ends(left, right string, w int) string {
	n := ansi.StringWidth(right)
	if n+1 >= w {
		return pad(right, w)
	}
	return pad(left, w-n) + right
}

// span writes a duration with the two units that matter.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + span(-d)
	case d == 0:
		return "0s"
	case d < time.Millisecond:
		return "<1ms"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Truncate(100 * time.Millisecond).String()
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < time.Hour:
		return two(d, time.Minute, "m", time.Second, "s")
	case d < 24*time.Hour:
		return two(d, time.Hour, "h", time.Minute, "m")
	}
	return two(d, 24*time.Hour, "d", time.Hour, "h")
}

func two(d, large time.Duration, l string, small time.Duration, s string) string {
	return fmt.Sprintf("%d%s%02d%s", d/large, l, d%large/small, s)
}

// age writes for how long something has been, in whole seconds.
func age(d time.Duration) string { return span(max(d, 0).Truncate(time.Second)) }

// when writes a time as seen from now: "in 5m03s", "3m20s ago".
func when(now, t time.Time) string {
	switch d := t.Sub(now); {
	case t.IsZero():
		return "-"
	case d >= time.Second:
		return "in " + age(d)
	case d > -time.Second:
		return "right now"
	default:
		return age(-d) + " ago"
	}
}

// moment writes a time exactly, and as seen from now.
func moment(now, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05") + " (" + when(now, t) + ")"
}

// percent writes which part of all some are.
func percent(some, all int) string {
	if all == 0 {
		return "-"
	}
	return quantity.Percent(float64(some) / float64(all))
}

// wrap breaks a text that has no colours into lines of at most w cells.
func wrap(text string, w int) []string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, strings.Split(ansi.Hardwrap(line, max(w, 1), true), "\n")...)
	}
	return lines
}

// title returns s with its first letter in upper case.
func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// prose breaks a text that has no colours between words, into lines of at most w cells.
func prose(text string, w int) []string {
	return strings.Split(ansi.Wrap(text, max(w, 1), ""), "\n")
}

// middle returns s on at most w cells: what is left out of an id that is longer is in its
// middle, since ids may begin alike, or end alike.
func middle(s string, w int) string {
	n := ansi.StringWidth(s)
	if n <= w || w < 5 {
		return s
	}
	front := (w - 1) / 2
	return ansi.Truncate(s, front, "") + "…" + ansi.TruncateLeft(s, n-(w-1-front), "")
}

// fault writes an error on one line.
func fault(err error) string { return plain.Name(err.Error()) }

package output

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

const (
	barWidth = 30 // in cells
	barPause = 100 * time.Millisecond
)

// A Bar shows on [Printer].Err how far something has come, if that is a terminal and
// nobody wants it quiet. It may not be used by several goroutines.
type Bar struct {
	p     *Printer
	what  string
	total int // 0: not known
	shown time.Time
	began time.Time
	on    bool
}

// NewBar returns a bar for what is done to total things; 0 is a number that is not known.
// Nothing is shown before the first [Bar.Set], and nothing stays after [Bar.End].
func NewBar(p *Printer, what string, total int) *Bar {
	return &Bar{p: p, what: what, total: total, began: time.Now(), on: !p.Quiet && IsTerminal(p.Err)}
}

// Set shows that it has been done to so many of them, not more than ten times a second.
func (b *Bar) Set(done int) {
	if now := time.Now(); b.on && now.Sub(b.shown) >= barPause {
		b.shown = now
		b.draw(barText(b.what, done, b.total, now.Sub(b.began)))
	}
}

// End takes the bar away, so that something else may be written.
func (b *Bar) End() {
	if b.on && !b.shown.IsZero() {
		b.draw("")
	}
}

func (b *Bar) draw(text string) {
	_, err := fmt.Fprint(b.p.Err, "\r"+ansi.EraseLineRight+text)
	b.on = b.on && err == nil // where it cannot be shown, it is not tried again
}

// barText returns a line such as "deleting ━━━━━━      1200/4000, 400 a second".
func barText(what string, done, total int, took time.Duration) string {
	rate := ""
	if took > time.Second {
		rate = fmt.Sprintf(", %.0f a second", float64(done)/took.Seconds())
	}
	if total <= 0 {
		return fmt.Sprintf("%s %d%s", what, done, rate)
	}
	full := min(done, total) * barWidth / total
	return fmt.Sprintf("%s %s%s %d/%d%s", what, strings.Repeat("━", full), strings.Repeat(" ", barWidth-full), done, total, rate)
}

package tmuxtest

import (
	"strings"
	"time"
)

// between is the time between two looks at a screen.
const between = 20 * time.Millisecond

// Screen returns the text that is shown now, without the blanks at the ends of lines.
func (x *Terminal) Screen() string {
	x.t.Helper()
	return x.do("capture-pane", "-p")
}

// Styled returns what is shown now with the escape sequences of its colours.
func (x *Terminal) Styled() string {
	x.t.Helper()
	return x.do("capture-pane", "-p", "-e", "-N")
}

// WaitFor waits until all of the texts are shown, and returns the screen. It fails the
// test if that takes too long.
func (x *Terminal) WaitFor(within time.Duration, texts ...string) string {
	x.t.Helper()
	return x.WaitUntil(within, strings.Join(texts, ", "), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// WaitUntil waits until holds is true of the screen, and returns that. If it takes too
// long it fails the test with what was awaited and what is shown instead.
func (x *Terminal) WaitUntil(within time.Duration, awaited string, holds func(screen string) bool) string {
	x.t.Helper()
	for began := time.Now(); ; time.Sleep(between) {
		screen := x.Screen()
		if holds(screen) {
			return screen
		}
		if time.Since(began) > within {
			x.t.Fatalf("within %v the screen has not shown %s, but\n%s", within, awaited, framed(screen))
		}
	}
}

// framed sets a screen apart from what else a test says.
func framed(screen string) string {
	return "  │" + strings.ReplaceAll(strings.TrimRight(screen, "\n"), "\n", "\n  │")
}

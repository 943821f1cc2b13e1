package tmuxtest

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("tmux.rewrite", false, "write screens to their files instead of comparing them")

// Masks hide what differs from time to time, such as ages and process ids.
type Masks []*regexp.Regexp

// Hide replaces what matches by a dot, or several that adjoin by one: how wide it is may
// differ from time to time, too. A pattern should take the blanks around with it.
func (m Masks) Hide(screen string) string {
	for _, pattern := range m {
		screen = pattern.ReplaceAllLiteralString(screen, hidden)
	}
	return adjoining.ReplaceAllLiteralString(screen, hidden)
}

const hidden = "·"

var adjoining = regexp.MustCompile(hidden + "{2,}")

// Golden waits until the screen is the one that a file keeps, both without what m hides. If
// that takes too long it fails the test. With -tmux.rewrite it waits until the screen stays
// as it is, and writes that file.
func (x *Terminal) Golden(within time.Duration, file string, m Masks) {
	x.t.Helper()
	screen := x.Screen()
	for began := time.Now(); time.Since(began) < within; {
		want, err := os.ReadFile(file)
		if !*rewrite && err == nil && tidy(screen, m) == string(want) {
			return
		}
		pause := between
		if *rewrite {
			pause = calm
		}
		time.Sleep(pause)
		last := screen
		if screen = x.Screen(); *rewrite && tidy(screen, m) == tidy(last, m) {
			break
		}
	}
	Golden(x.t, file, screen, m)
}

// calm is how long a screen that is written must have been as it is.
const calm = 700 * time.Millisecond

func tidy(screen string, m Masks) string { return strings.TrimRight(m.Hide(screen), "\n") + "\n" }

// Golden compares a screen with the one that a file keeps, both without what m hides.
// With -tmux.rewrite it writes that file.
func Golden(t testing.TB, file, screen string, m Masks) {
	t.Helper()
	got := tidy(screen, m)
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; -tmux.rewrite writes it", err)
	}
	if at, equal := differ(got, string(want)); !equal {
		t.Errorf("line %d differs from %s; the screen is\n%s\nwant\n%s", at, file, framed(got), framed(string(want)))
	}
}

// differ reports whether two texts are equal, and otherwise the first line that is not.
func differ(a, b string) (line int, equal bool) {
	if a == b {
		return 0, true
	}
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for line < len(as) && line < len(bs) && as[line] == bs[line] {
		line++
	}
	return line + 1, false
}

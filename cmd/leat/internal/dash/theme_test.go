package dash

import (
	"fmt"
	"math"
	"testing"

	"github.com/leatwork/leat/task"
)

// luminance is how bright a colour "#rrggbb" is, as WCAG has it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var parts [3]uint8
	if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &parts[0], &parts[1], &parts[2]); err != nil {
		t.Fatalf("%q is no colour: %v", hex, err)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(parts[i]) / 255
		if c <= 0.03928 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestColoursCanBeRead(t *testing.T) {
	const enough = 4.5 // for text, says WCAG
	contrast := func(a, b string) float64 {
		x, y := luminance(t, a), luminance(t, b)
		return (max(x, y) + 0.05) / (min(x, y) + 0.05)
	}
	for _, h := range []hues{green, blue, cyan, yellow, red, purple, grey} {
		for _, pair := range [][2]string{{h.light, "#ffffff"}, {h.light, "#f6f8fa"}, {h.dark, "#000000"}, {h.dark, "#282c34"}} {
			if c := contrast(pair[0], pair[1]); c < enough {
				t.Errorf("%s on %s has a contrast of %.2f, want %.1f", pair[0], pair[1], c, enough)
			}
		}
	}
}

func TestEveryStateHasALetterOfItsOwn(t *testing.T) {
	seen := map[string]task.State{}
	for _, s := range task.States() {
		sign := stateSigns[s]
		if other, taken := seen[sign]; sign == "" || taken {
			t.Errorf("%s has the letter %q, and so has %s", s, sign, other)
		}
		seen[sign] = s
	}
	if len(shownStates) != len(task.States()) {
		t.Errorf("%d states are shown, want %d", len(shownStates), len(task.States()))
	}
}

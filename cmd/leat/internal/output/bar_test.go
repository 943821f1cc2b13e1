package output

import (
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

func TestABarSaysHowFarItIs(t *testing.T) {
	for _, c := range []struct {
		done, total int
		took        time.Duration
		want        string
	}{
		{0, 4, 0, "deleting                                0/4"},
		{2, 4, 2 * time.Second, "deleting ━━━━━━━━━━━━━━━                2/4, 1 a second"},
		{9, 4, 0, "deleting ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 9/4"},
		{9, 0, 3 * time.Second, "deleting 9, 3 a second"},
	} {
		if got := barText("deleting", c.done, c.total, c.took); got != c.want {
			t.Errorf("barText(%d, %d, %v) = %q, want %q", c.done, c.total, c.took, got, c.want)
		}
	}
	if w := ansi.StringWidth(barText("", 1, 2, 0)); w != barWidth+5 {
		t.Errorf("a bar is %d cells wide, want %d", w, barWidth+5)
	}
}

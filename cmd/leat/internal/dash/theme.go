package dash

import (
	"fmt"
	"image/color"

	"charm.land/lipgloss/v2"

	"github.com/leatwork/leat/task"
)

// A theme is what things look like. Nothing is told by a colour alone.
type theme struct {
	dim, strong, heading       lipgloss.Style
	good, warn, bad, accent    lipgloss.Style
	chosen, bar, tab, tabShown lipgloss.Style
	states                     map[task.State]lipgloss.Style
}

// Hues are the colours of one meaning: on a light background, on a dark one, and of a
// terminal that has no more than sixteen.
type hues struct{ light, dark, basic string }

var (
	green  = hues{"#1a7f37", "#56d364", "2"}
	blue   = hues{"#0550ae", "#79c0ff", "4"}
	cyan   = hues{"#0b6e75", "#56d4dd", "6"}
	yellow = hues{"#875400", "#e3b341", "3"}
	red    = hues{"#b3141f", "#ff8077", "1"}
	purple = hues{"#7a35c0", "#d2a8ff", "5"}
	grey   = hues{"#59636e", "#9aa4af", "8"}
)

// newTheme returns the theme for a background, of many colours or of sixteen.
func newTheme(dark, basic bool) theme {
	pick := func(h hues) color.Color {
		switch {
		case basic:
			return lipgloss.Color(h.basic)
		case dark:
			return lipgloss.Color(h.dark)
		}
		return lipgloss.Color(h.light)
	}
	of := func(h hues) lipgloss.Style { return lipgloss.NewStyle().Foreground(pick(h)) }
	t := theme{
		dim: of(grey), strong: lipgloss.NewStyle().Bold(true), heading: of(grey).Bold(true),
		good: of(green), warn: of(yellow), bad: of(red), accent: of(blue),
		chosen: lipgloss.NewStyle().Reverse(true), bar: lipgloss.NewStyle().Bold(true),
		tab: of(grey), tabShown: lipgloss.NewStyle().Bold(true).Reverse(true),
		states: map[task.State]lipgloss.Style{
			task.Active: of(green), task.Pending: of(blue), task.Scheduled: of(cyan), task.Retry: of(yellow),
			task.Archived: of(red), task.Completed: of(grey), task.Aggregating: of(purple),
		},
	}
	if basic && dark {
		t.dim, t.heading = lipgloss.NewStyle(), lipgloss.NewStyle().Bold(true) // bright black may be black
	}
	return t
}

// isBasic reports whether a terminal has no more than sixteen colours.
func isBasic(profile fmt.Stringer) bool { return profile.String() == "ANSI" }

// Letters of states, where colours may be missing.
var stateSigns = map[task.State]string{
	task.Active: "A", task.Pending: "P", task.Scheduled: "S", task.Retry: "R",
	task.Archived: "X", task.Completed: "C", task.Aggregating: "G",
}

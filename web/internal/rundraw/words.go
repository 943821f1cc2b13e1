package rundraw

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/internal/layout"
	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
)

// titleOf says all about a figure that there is no room for.
func titleOf(r view.Run, f outline.Figure) string {
	step := f.Steps[0]
	if n := len(f.Steps); n > 1 {
		return fmt.Sprintf("%s: %d steps, %d of them have ended, %d have failed", plain.Name(f.Name(false)), n, f.Ended, f.Count[outline.Failed])
	}
	text := plain.Name(step.Name) + ": " + f.State.String()
	if detail := f.Detail(r, false); detail != "" {
		text += ", " + plain.Name(detail)
	}
	if step.TookSeconds > 0 {
		text += ", took " + outline.Short(time.Duration(step.TookSeconds*float64(time.Second)))
	}
	if step.Tries > 1 {
		text += fmt.Sprintf(", %d attempts", step.Tries)
	}
	for _, why := range []string{step.Error, step.Problem} {
		if why != "" {
			return text + ": " + plain.Cut(plain.Name(why), 200)
		}
	}
	return text
}

// detailOf says of a figure in a few letters how far it is, what it is, or else how long it took.
func detailOf(r view.Run, f outline.Figure) string {
	step := f.Steps[0]
	for _, text := range []string{f.Detail(r, false), kindWords(step)} {
		if text != "" {
			return plain.Name(text)
		}
	}
	if step.TookSeconds > 0 && f.State.Ended() {
		return outline.Short(time.Duration(step.TookSeconds * float64(time.Second)))
	}
	return ""
}

// kindWords says what a step is that is not an ordinary one.
func kindWords(s view.Step) string {
	switch {
	case s.Kind == "await":
		return "waits for " + s.Signal
	case s.Kind == "sleep":
		return "sleeps"
	case s.Kind == "choice":
		return "choice"
	case s.Kind == "first":
		return "first of several"
	}
	return ""
}

// kindOf returns the class of what a figure is.
func kindOf(f outline.Figure) string { return "kind-" + f.Steps[0].Kind }

// isSeveral reports whether a figure stands for several tasks or runs.
func isSeveral(f outline.Figure) bool { return len(f.Steps) > 1 || f.Steps[0].Kind == "map" }

// cornerOf returns how round the corners of a step are: what waits is round, and what
// chooses has corners.
func cornerOf(s view.Step, b layout.Box) int {
	switch s.Kind {
	case "await", "sleep":
		return b.Height / 2
	case "choice", "first", "gate":
		return 0
	}
	return 6
}

// dashOf returns the dashes of a step's border: that of what only the running run makes has
// some, which are runs of which it makes as many as there are, and steps that it adds.
func dashOf(s view.Step) string {
	if s.AddedBy != "" || s.Workflow && (s.Kind == "map" || s.Kind == "loop") {
		return "4 3"
	}
	return ""
}

// standalone are the colours of a drawing that is a file.
const standalone = `svg{background:#fff;font:11px system-ui,sans-serif}a{text-decoration:none}
.node rect,.frame>rect,.behind{fill:#fff;stroke:currentColor}.inner{fill:none}.frame>rect{fill:#f6f7f9}
text{fill:#1b2129}.sign,.toggle text{fill:currentColor}.detail,.case,.axis{fill:#57606c}
.edge{fill:none;stroke:#8a94a0}.arrow{fill:#8a94a0}.dim{opacity:.45}.edge.critical{stroke:#0550ae;stroke-width:2}.arrow.critical{fill:#0550ae}
.node.critical rect{stroke-width:2}.toggle{display:none}.other{fill:#0550ae}.added .work{fill-opacity:.45;stroke:currentColor;stroke-dasharray:4 2}
.work,.attempt,.cut{fill:currentColor}.wait,.tries{fill:currentColor;opacity:.35}.pause,.folded{fill:#d5dae1;opacity:.6}.grid{stroke:#d5dae1}
.state-running{color:#1a7f37}.state-waiting{color:#0b6e75}.state-retry,.state-paused{color:#875400}.state-failed{color:#b3141f}.state-done,.state-skipped,.state-cancelled{color:#59636e}`

package outline

import (
	"fmt"
	"strings"

	"github.com/leatwork/leat/internal/view"
)

// A Figure is a group of steps of a run, with how they stand.
type Figure struct {
	Steps []view.Step
	After []int // figures that it waits for, by index
	State State // of several: that of the worst of them
	Ended int   // how many have
	Count [Cancelled + 1]int
}

// Figures returns the figures of the groups of a run's steps.
func Figures(r view.Run, groups []Group) []Figure {
	all := make([]Figure, len(groups))
	for k, g := range groups {
		f := Figure{After: g.After}
		for _, i := range g.Steps {
			s := r.Steps[i]
			state := StateOf(r, s)
			f.Steps = append(f.Steps, s)
			if f.Count[state]++; state.Ended() {
				f.Ended++
			}
		}
		for _, state := range []State{Failed, Retrying, Running, Paused, Waiting, Cancelled, Done, Skipped} {
			if f.Count[state] > 0 {
				f.State = state
				break
			}
		}
		all[k] = f
	}
	return all
}

// Name returns the name of the step, or what those of several begin with and an ellipsis.
func (f *Figure) Name(ascii bool) string {
	name := f.Steps[0].Name
	if len(f.Steps) == 1 {
		return name
	}
	for _, s := range f.Steps {
		for !strings.HasPrefix(s.Name, name) {
			name = name[:len(name)-1]
		}
	}
	if name = strings.TrimRight(name, "-_.:/0123456789"); name == "" {
		name = f.Steps[0].Runs
	}
	return name + glyph(ascii, "…", "..")
}

// Members returns the names of several steps, or nil of one.
func (f *Figure) Members() (names []string) {
	if len(f.Steps) == 1 {
		return nil
	}
	for _, s := range f.Steps {
		names = append(names, s.Name)
	}
	return names
}

// Detail returns what is said of a figure of run r beside its name, in a few letters: how
// wide it is, how far it has come, and what has failed; "" if there is nothing to say.
func (f *Figure) Detail(r view.Run, ascii bool) string {
	if len(f.Steps) == 1 {
		return detail(r, f.Steps[0], ascii)
	}
	words := []string{fmt.Sprint(glyph(ascii, "⧉", "*"), len(f.Steps))}
	if f.Ended < len(f.Steps) {
		words = append(words, fmt.Sprintf("(%d/%d)", f.Ended, len(f.Steps)))
	}
	if n := f.Count[Failed]; n > 0 {
		words = append(words, fmt.Sprint(glyph(ascii, "✗", "!"), n))
	}
	return strings.Join(words, " ")
}

func detail(r view.Run, s view.Step, ascii bool) string {
	var words []string
	switch {
	case s.Kind == "map" && s.Width > 0 && s.Ended < s.Width && s.State != "skipped":
		words = append(words, fmt.Sprintf("%s%d (%d/%d)", glyph(ascii, "×", "x"), s.Width, s.Ended, s.Width))
	case s.Kind == "map" && s.Width > 0:
		words = append(words, fmt.Sprintf("%s%d", glyph(ascii, "×", "x"), s.Width))
	case s.Kind == "map":
		words = append(words, glyph(ascii, "×?", "x?"))
	case s.Kind == "loop" && s.Rounds > 0:
		words = append(words, fmt.Sprintf("%s%d", glyph(ascii, "↻", "@"), s.Rounds))
	case s.Kind == "choice" && s.Arm != "":
		words = append(words, glyph(ascii, "→", "->")+s.Arm)
	case s.Workflow:
		if ended, all := progressOf(r, s); all > 0 && s.State == "running" {
			words = append(words, fmt.Sprintf("(%d/%d)", ended, all))
		}
	}
	if s.Failed > 0 && s.Kind == "map" {
		words = append(words, fmt.Sprintf("%s%d", glyph(ascii, "✗", "!"), s.Failed))
	}
	return strings.Join(words, " ")
}

// progressOf returns how many steps of the run that a step is have ended, of how many.
func progressOf(r view.Run, s view.Step) (ended, all int) {
	for _, child := range r.Children {
		if child.Step != s.Name {
			continue
		}
		for _, step := range child.Steps {
			all++
			if step.State != "waiting" && step.State != "running" {
				ended++
			}
		}
	}
	return ended, all
}

// glyph returns a sign, or what stands for it where there is only ASCII.
func glyph(ascii bool, sign, plain string) string {
	if ascii {
		return plain
	}
	return sign
}

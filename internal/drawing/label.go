package drawing

import (
	"fmt"
	"strings"

	"github.com/leatwork/leat/internal/view"
)

// classOf returns how a step of a run stands.
func classOf(r view.Run, s view.Step) Class {
	switch s.State {
	case "done":
		return Done
	case "failed":
		return Failed
	case "skipped":
		return Skipped
	case "cancelled":
		return Cancelled
	case "running":
		if s.TaskState == "retry" {
			return Retrying
		}
		return Running
	}
	if r.State == "paused" {
		return Paused
	}
	return Waiting
}

// runClass returns how a run stands.
func runClass(r view.Run) Class {
	switch r.State {
	case "done":
		return Done
	case "failed", "timed out", "stuck":
		return Failed
	case "cancelled":
		return Cancelled
	case "paused":
		return Paused
	}
	return Running
}

var (
	marks      = map[Class]string{Waiting: "…", Running: "▶", Retrying: "↻", Paused: "⏸", Done: "✓", Failed: "✗", Skipped: "⊘", Cancelled: "⊗"}
	plainMarks = map[Class]string{Waiting: ".", Running: ">", Retrying: "r", Paused: "=", Done: "+", Failed: "x", Skipped: "-", Cancelled: "c"}
)

// Sign returns the sign of a state, as graphs have it.
func (c Class) Sign() string { return marks[c] }

// mark returns the sign of a state.
func (o Options) mark(c Class) string {
	if o.ASCII {
		return plainMarks[c]
	}
	return marks[c]
}

// glyph returns a sign, or what stands for it.
func (o Options) glyph(sign, plain string) string {
	if o.ASCII {
		return plain
	}
	return sign
}

// label returns what is said of a step beside its mark.
func (o Options) label(r view.Run, s view.Step) string {
	words := []string{s.Name}
	switch {
	case s.Kind == "map" && s.Width > 0 && s.Ended < s.Width && s.State != "skipped":
		words = append(words, fmt.Sprintf("%s%d (%d/%d)", o.glyph("×", "x"), s.Width, s.Ended, s.Width))
	case s.Kind == "map" && s.Width > 0:
		words = append(words, fmt.Sprintf("%s%d", o.glyph("×", "x"), s.Width))
	case s.Kind == "map":
		words = append(words, o.glyph("×?", "x?"))
	case s.Kind == "loop" && s.Rounds > 0:
		words = append(words, fmt.Sprintf("%s%d", o.glyph("↻", "@"), s.Rounds))
	case s.Kind == "choice" && s.Arm != "":
		words = append(words, o.glyph("→", "->")+s.Arm)
	case s.Workflow:
		if ended, all := progressOf(r, s); all > 0 && s.State == "running" {
			words = append(words, fmt.Sprintf("(%d/%d)", ended, all))
		}
	}
	if s.Failed > 0 && s.Kind == "map" {
		words = append(words, fmt.Sprintf("%s%d", o.glyph("✗", "!"), s.Failed))
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

package outline

import "github.com/leatwork/leat/internal/view"

// A State is how a step or a run stands, as it is drawn.
type State uint8

// The states.
const (
	Waiting State = iota
	Running
	Retrying
	Paused
	Done
	Failed
	Skipped
	Cancelled
)

var (
	signs = [...]string{Waiting: "…", Running: "▶", Retrying: "↻", Paused: "‖", Done: "✓", Failed: "✗", Skipped: "⊘", Cancelled: "⊗"}
	names = [...]string{
		Waiting: "waiting", Running: "running", Retrying: "retry", Paused: "paused",
		Done: "done", Failed: "failed", Skipped: "skipped", Cancelled: "cancelled",
	}
)

// Sign returns the sign of a state: one character.
func (s State) Sign() string { return signs[s] }

// String returns the name of a state.
func (s State) String() string { return names[s] }

// A Key is a state with its name and its sign.
type Key struct{ Name, Sign string }

// States returns all states, for legends.
func States() (keys []Key) {
	for s := range signs {
		keys = append(keys, Key{names[s], signs[s]})
	}
	return keys
}

// Ended reports whether what stands so has come to its end.
func (s State) Ended() bool { return s >= Done }

// StateOf returns how a step of a run stands.
func StateOf(r view.Run, s view.Step) State {
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

// StateOfRun returns how a run stands.
func StateOfRun(r view.Run) State {
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

package drawing

import "github.com/leatwork/leat/internal/outline"

// classOf returns the class of a state.
func classOf(s outline.State) Class { return Waiting + Class(s) }

var plainMarks = map[outline.State]string{
	outline.Waiting: ".", outline.Running: ">", outline.Retrying: "r", outline.Paused: "=",
	outline.Done: "+", outline.Failed: "x", outline.Skipped: "-", outline.Cancelled: "c",
}

// Sign returns the sign of a state, as graphs have it; of another class it is "".
func (c Class) Sign() string {
	if c < Waiting {
		return ""
	}
	return outline.State(c - Waiting).Sign()
}

// mark returns the sign of a state.
func (o Options) mark(s outline.State) string {
	if o.ASCII {
		return plainMarks[s]
	}
	return s.Sign()
}

// glyph returns a sign, or what stands for it.
func (o Options) glyph(sign, plain string) string {
	if o.ASCII {
		return plain
	}
	return sign
}

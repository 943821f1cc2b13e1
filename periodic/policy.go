package periodic

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/tick"
	"github.com/leatwork/leat/task"
)

// Missed says what becomes of ticks that no scheduler was there for: those that are
// later than the entry's Window when they are found. Its zero value is [Skip].
type Missed struct {
	do     string // "" for skip
	max    int
	within time.Duration
}

const (
	runOnce = "once"
	runAll  = "all"
)

// MaxMissed is the most missed ticks that [RunAll] makes up for at a time.
const MaxMissed = 500

// Skip forgets missed ticks.
func Skip() Missed { return Missed{} }

// RunOnce makes up for all missed ticks with the latest of them, unless there is a
// tick that is still on time: that stands for them, too.
func RunOnce() Missed { return Missed{do: runOnce} }

// RunAll makes up for missed ticks that are not older than within: the latest of
// them, the oldest first, so that with those that are still on time they are max at
// most. It must be 1 to [MaxMissed], and within more than nothing.
func RunAll(max int, within time.Duration) Missed { //nolint:predeclared // what it is
	return Missed{do: runAll, max: max, within: within}
}

// String returns what [ParseMissed] reads: "skip", "once" or "all 10 within 1h0m0s".
func (m Missed) String() string {
	switch m.do {
	case "":
		return "skip"
	case runAll:
		return fmt.Sprintf("all %d within %v", m.max, m.within)
	}
	return m.do
}

// ParseMissed returns what prints as text. Any other is refused with a
// [task.InvalidError].
func ParseMissed(text string) (Missed, error) {
	words := strings.Fields(text)
	switch {
	case slices.Equal(words, []string{"skip"}):
		return Skip(), nil
	case slices.Equal(words, []string{runOnce}):
		return RunOnce(), nil
	case len(words) == 4 && words[0] == runAll && words[2] == "within":
		most, err := strconv.Atoi(words[1])
		within, other := time.ParseDuration(words[3])
		if err == nil && other == nil {
			return RunAll(most, within), nil
		}
	}
	return Missed{}, task.Invalid("missed", text, `is none of "skip", "once" and "all 10 within 1h"`)
}

// MarshalText returns [Missed.String].
func (m Missed) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is [ParseMissed].
func (m *Missed) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMissed(string(text))
	return err
}

func (m Missed) fault() error {
	switch {
	case m.do == runAll && (m.max < 1 || m.max > MaxMissed):
		return task.Invalid("Missed", m, fmt.Sprintf("must be 1 to %d ticks", MaxMissed))
	case m.do == runAll && m.within <= 0:
		return task.Invalid("Missed", m, "must be within a time")
	}
	return nil
}

// Overlap says what becomes of a tick while the task of an earlier one is open: it
// waits, runs, is to be retried, or is parked. One that was archived is open no more.
type Overlap int

// The policies.
const (
	Allow          Overlap = iota // they run beside each other
	SkipOverlap                   // the new tick is left out
	QueueOne                      // the new tick waits until the others have ended, in place of one that waits already
	CancelPrevious                // the others are cancelled as the new tick is enqueued
)

var overlapNames = [...]string{tick.Allow, tick.Skip, tick.Queue, tick.Cancel}

// String returns the policy's word: "allow", "skip", "queue" or "cancel".
func (o Overlap) String() string {
	if o < Allow || o > CancelPrevious {
		return fmt.Sprintf("Overlap(%d)", int(o))
	}
	return overlapNames[o]
}

// ParseOverlap returns the policy that has the word text. Any other is refused with
// a [task.InvalidError].
func ParseOverlap(text string) (Overlap, error) {
	if i := slices.Index(overlapNames[:], text); i >= 0 {
		return Overlap(i), nil
	}
	return 0, task.Invalid("overlap", text, `is none of "allow", "skip", "queue" and "cancel"`)
}

// MarshalText returns [Overlap.String].
func (o Overlap) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText is [ParseOverlap].
func (o *Overlap) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOverlap(string(text))
	return err
}

func (o Overlap) fault() error {
	if o < Allow || o > CancelPrevious {
		return task.Invalid("Overlap", int(o), "is no policy")
	}
	return nil
}

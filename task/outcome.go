package task

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
)

// What a handler may ask for with its error, by wrapping one of these. Neither
// matters how many retries are left.
var (
	// SkipRetry archives the task at once.
	SkipRetry = errors.New("skip retry for the task")

	// Revoke drops the task: it is recorded as done, and not kept even if it
	// has a retention.
	Revoke = errors.New("revoke task")
)

// Snooze returns an error with which a handler asks to be called again with
// the task after d, or as soon as may be if d is not positive. It costs no
// retry and does not count as a failure. It may be wrapped, in an error that says
// why: the text is kept with the task until it is called again.
func Snooze(d time.Duration) error { return &SnoozeError{Delay: max(d, 0)} }

// A SnoozeError is what [Snooze] returns.
type SnoozeError struct{ Delay time.Duration }

// Error names the delay.
func (e *SnoozeError) Error() string { return "snooze for " + e.Delay.String() }

// A PanicError is the error of a handler that panicked. The task is retried as
// after any other error.
type PanicError struct {
	Value any    // what the handler panicked with
	Stack []byte // as debug.Stack returned it to the deferred function that recovered
}

// Error names the value, and the file and line of the panic if Stack tells.
func (e *PanicError) Error() string {
	if place := panicPlace(e.Stack); place != "" {
		return fmt.Sprintf("panic at %s: %v", place, e.Value)
	}
	return fmt.Sprintf("panic: %v", e.Value)
}

// Unwrap returns the value if it is an error, so that errors.Is and errors.As
// see it.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// panicPlace returns the directory, file and line of the function that
// panicked: "mail/send.go:42". In a stack, a line that names a function is
// followed by an indented one with its place. The function is the first below
// the call of panic that does not belong to the runtime, whose own panics (a nil
// pointer, an index out of range) have a few of its functions in between.
func panicPlace(stack []byte) string {
	panicked, own := false, false
	for line := range strings.Lines(string(stack)) {
		switch {
		case !strings.HasPrefix(line, "\t"):
			own = panicked && !strings.HasPrefix(line, "runtime.")
			panicked = panicked || strings.HasPrefix(line, "panic(")
		case own:
			file, _, _ := strings.Cut(strings.TrimSpace(line), " +0x")
			dir, name := path.Split(file)
			return path.Join(path.Base(dir), name)
		}
	}
	return ""
}

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
	if place := placeOf(e.Trace()); place != "" {
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

// Trace returns what Stack tells of the functions that the panic went through: that
// which panicked first, then those that had called it, each on a line that is followed
// by an indented one with its file and line. It is empty if Stack is not one of
// debug.Stack. Functions of the runtime are left out before the first one (a nil
// pointer, an index out of range have a few of them).
func (e *PanicError) Trace() string {
	stack, at, panicked := string(e.Stack), 0, false
	for line := range strings.Lines(stack) {
		if !strings.HasPrefix(line, "\t") {
			if panicked && !strings.HasPrefix(line, "runtime.") {
				return stack[at:]
			}
			panicked = panicked || strings.HasPrefix(line, "panic(")
		}
		at += len(line)
	}
	return ""
}

// placeOf returns the directory, file and line of the first function of a trace:
// "mail/send.go:42".
func placeOf(trace string) string {
	_, rest, _ := strings.Cut(trace, "\n")
	line, _, _ := strings.Cut(rest, "\n")
	if !strings.HasPrefix(line, "\t") {
		return ""
	}
	file, _, _ := strings.Cut(strings.TrimSpace(line), " +0x")
	dir, name := path.Split(file)
	return path.Join(path.Base(dir), name)
}

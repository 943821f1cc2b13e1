package command

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// The codes with which the program exits.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2 // what was asked for makes no sense
	exitNotFound    = 3
	exitPartly      = 4 // some of it was done
	exitUnreachable = 5
)

var (
	errUsage  = errors.New("usage")
	errPartly = errors.New("partly done")
	errSaid   = errors.New("said already") // of what was wrong, all has been told
)

// A coded error is one whose text is another's.
type coded struct {
	error
	kind error
}

func (c coded) Is(target error) bool { return target == c.kind }
func (c coded) Unwrap() error        { return c.error }

// usage returns err as one that the command line is to blame for.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return coded{err, errUsage}
}

// exitCode returns the code that tells of err.
func exitCode(err error) int {
	for _, c := range []struct {
		code int
		is   []error
	}{
		{exitPartly, []error{errPartly}},
		{exitUsage, []error{errUsage, task.ErrInvalid}},
		{exitUnreachable, []error{connect.ErrUnreachable}},
		{exitNotFound, []error{
			queue.ErrTaskNotFound, queue.ErrQueueNotFound, workflow.ErrRunNotFound,
			periodic.ErrEntryNotFound, periodic.ErrBackfillNotFound, fs.ErrNotExist,
		}},
	} {
		for _, target := range c.is {
			if errors.Is(err, target) {
				return c.code
			}
		}
	}
	if err != nil {
		return exitError
	}
	return exitOK
}

// each does something to each of several things, and goes on where it cannot be done:
// what went wrong is said at once, and so is what was done, as done has it. The error
// tells whether it was some of them, or all.
func (a *app) each(names []string, done string, do func(name string) error) error {
	var failed []error
	for _, name := range names {
		err := do(name)
		if err == nil {
			err = a.Print(done, name)
		}
		if err != nil {
			failed = append(failed, err)
			_ = a.Say("leat: %v", err) // where it cannot be said, the code remains
		}
	}
	switch {
	case len(failed) == 0:
		return nil
	case len(failed) < len(names):
		return fmt.Errorf("%w, %w", errPartly, errSaid)
	default:
		return coded{errors.Join(failed...), errSaid}
	}
}

package command

import (
	"errors"
	"io/fs"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/cmd/leat/internal/serve"
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
		{exitUsage, []error{errUsage, task.ErrInvalid, output.ErrNobodyToAsk}},
		{exitNotFound, []error{
			queue.ErrTaskNotFound, queue.ErrQueueNotFound, workflow.ErrRunNotFound, workflow.ErrStepNotFound,
			periodic.ErrEntryNotFound, periodic.ErrBackfillNotFound, fs.ErrNotExist,
		}},
	} {
		if c.code == exitNotFound && (connect.Unreachable(err) || errors.Is(err, serve.ErrNotServing)) {
			return exitUnreachable
		}
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

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// An outcome is what go test says of a package.
type outcome struct {
	built  bool
	passed bool
	late   bool     // took longer than it may
	tests  []string // that were begun
	output []string // lines of what failed, and of what could not be built
}

// An event is a line of go test -json.
type event struct {
	Action      string
	Test        string
	Output      string
	FailedBuild string
}

// goTest runs the tests of the package in dir that run chooses. They may take as
// long as timeout says.
func goTest(ctx context.Context, dir, run, timeout string, flags ...string) (outcome, error) {
	args := append([]string{"test", "-json", "-count=1", "-vet=off", "-timeout", timeout, "-run", run}, flags...)
	if dir == "peers" { // a module of its own
		args = append([]string{"-C", dir}, append(args, ".")...)
	} else {
		args = append(args, "./"+dir)
	}
	c := exec.CommandContext(ctx, "go", args...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		return outcome{}, fmt.Errorf("go test %s: %w", dir, err)
	}
	o, bad := outcomeOf(&stdout)
	if bad != nil {
		return outcome{}, fmt.Errorf("go test %s: %w: %s", dir, bad, stderr.String())
	}
	o.passed = err == nil
	return o, nil
}

// outcomeOf reads what go test -json has written.
func outcomeOf(r io.Reader) (outcome, error) {
	o := outcome{built: true}
	for events := json.NewDecoder(r); ; {
		var e event
		switch err := events.Decode(&e); {
		case errors.Is(err, io.EOF):
			return o, nil
		case err != nil:
			return o, err
		}
		switch {
		case e.Action == "build-fail", e.FailedBuild != "":
			o.built = false
		case e.Action == "run":
			o.tests = append(o.tests, e.Test)
		case e.Output != "":
			o.late = o.late || strings.HasPrefix(e.Output, "panic: test timed out")
			o.output = append(o.output, e.Output)
		}
	}
}

// ran reports whether a test was begun whose name ends in leaf.
func (o outcome) ran(leaf string) bool {
	for _, name := range o.tests {
		if name == leaf || strings.HasPrefix(leaf, "/") && strings.HasSuffix(name, leaf) {
			return true
		}
	}
	return false
}

// why returns the end of the output.
func (o outcome) why() string {
	const most = 30
	return "\n\t" + strings.TrimSpace(strings.ReplaceAll(strings.Join(o.output[max(len(o.output)-most, 0):], ""), "\n", "\n\t"))
}

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An event is one line of `go test -json`; `go doc test2json` has its meaning.
type event struct {
	Action      string
	Package     string
	Test        string // "" for what concerns the package
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string  // on the failure of a package that does not build
}

// readEvents calls f with each event in r. Lines that are no events, such as
// the rest of a line that was cut off, are an error; the events after them are
// read all the same.
func readEvents(r io.Reader, f func(event)) error {
	var errs []error
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				f(e)
			} else {
				errs = append(errs, fmt.Errorf("line %d of the input is no test event: %.80q", n, line))
			}
		}
		if errors.Is(err, io.EOF) {
			return errors.Join(errs...)
		}
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("read the input: %w", err))...)
		}
	}
}

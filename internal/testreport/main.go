// Command testreport reads what `go test -json` writes and says, for people,
// what ran: failing tests with their output as they come, a line for each
// package, and at the end how many tests passed, failed and were skipped, and
// how many of them ran on each kind of storage.
//
// It is stricter than go test: it also exits with 1 if a test was skipped, if
// none ran, or if its input is cut short.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	// An interrupt is for the tests. What they say of their end still counts.
	signal.Ignore(os.Interrupt)

	if !report(os.Stdin, os.Stdout) {
		os.Exit(1)
	}
}

// report copies what matters of the events in r to w and reports whether all
// is well.
func report(r io.Reader, w io.Writer) bool {
	t := newTally(w)
	if err := readEvents(r, t.add); err != nil {
		t.fail(err.Error())
	}
	return t.finish()
}

// summary prints the end of the report.
func (t *tally) summary() {
	for _, name := range t.failed {
		fmt.Fprintf(t.w, "failed: %s\n", name)
	}
	for _, name := range t.skipped {
		fmt.Fprintf(t.w, "skipped, which counts as a failure: %s\n", name)
	}
	if t.passed+len(t.failed)+len(t.skipped) == 0 {
		fmt.Fprintln(t.w, "no test ran")
	}
	fmt.Fprintf(t.w, "\n%d tests ran on SQLite, %d on Redis\n", t.ran[sqlite], t.ran[redis])
	fmt.Fprintf(t.w, "%d passed, %d failed, %d skipped\n", t.passed, len(t.failed), len(t.skipped))
}

// Command mends shows that the tests which docs/asynq.md names see the faults that
// they are named for. For each it takes the mend out of the source, beside the
// working tree, and runs the test, which has to fail. A test that passes all the
// same shows nothing.
//
// It is run at the top of the repository. Arguments are the numbers of the faults
// to look at; without any it looks at all.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mends:", err)
		os.Exit(1)
	}
}

// run looks at the faults with these numbers, and writes a line about each of their
// tests to w.
func run(ctx context.Context, w io.Writer, numbers []string) error {
	temp, err := os.MkdirTemp("", "leat-mends-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	faults, err := readFaults("docs/asynq.md")
	if err != nil {
		return err
	}
	if faults, err = chosen(faults, numbers); err != nil {
		return err
	}
	found, err := readSources(".")
	if err != nil {
		return err
	}
	r := report{w: w}
	trials := plan(&r, faults, found)
	for _, group := range byPackage(trials) {
		if err := passesAsItIs(ctx, group); err != nil {
			r.problem("%s as it is: %v", group[0].dir, err)
		}
	}
	for _, t := range trials {
		if err := t.fails(ctx, temp); err != nil {
			r.problem("%2d  %s: %v", t.fault, t.test, err)
			continue
		}
		r.line("%2d  %s: fails without its mend", t.fault, t.test)
	}
	return r.end(ctx, len(trials))
}

// chosen returns the faults with these numbers, or all if there are none.
func chosen(faults []fault, numbers []string) ([]fault, error) {
	if len(numbers) == 0 {
		return faults, nil
	}
	var some []fault
	for _, word := range numbers {
		i := slices.IndexFunc(faults, func(f fault) bool { return strconv.Itoa(f.number) == word })
		if i < 0 {
			return nil, fmt.Errorf("there is no fault %q", word)
		}
		some = append(some, faults[i])
	}
	return some, nil
}

// A report is what is said of all tests.
type report struct {
	w        io.Writer
	problems int
}

func (r *report) line(format string, args ...any) { fmt.Fprintf(r.w, format+"\n", args...) }

func (r *report) problem(format string, args ...any) {
	r.problems++
	r.line(format, args...)
}

// end says how many tests there were, and returns an error if something was wrong.
func (r *report) end(ctx context.Context, tests int) error {
	r.line("%d tests were run without their mends", tests)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if r.problems > 0 {
		return fmt.Errorf("%d problems", r.problems)
	}
	return nil
}

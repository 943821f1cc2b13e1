package output

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

var (
	// ErrNobodyToAsk is matched by the error of [Confirm] if there is no terminal on
	// which to ask.
	ErrNobodyToAsk = errors.New("must be confirmed: say --yes, there is no terminal on which to ask")

	// ErrDeclined is that the answer was not yes.
	ErrDeclined = errors.New("nothing was done")
)

// A Question is asked before something is done that cannot be undone.
type Question struct {
	Do     string   // "delete"
	What   string   // "1200 archived tasks of mail"
	Sample []string // a line for each of the first of them, if that tells more
	More   int      // how many there are beside the sample
}

// Confirm asks on [Printer].Err, and waits for an answer in a line of in. It returns
// nil if that is yes, [ErrDeclined] if it is another, and an error that matches
// [ErrNobodyToAsk], and says what was to be done, if in is no terminal.
func Confirm(p *Printer, in io.Reader, q Question) error {
	deed := q.Do + " " + q.What
	if !IsTerminal(in) {
		return fmt.Errorf("to %s %w", deed, ErrNobodyToAsk)
	}
	for _, line := range q.Sample {
		if err := p.Say("  %s", line); err != nil {
			return err
		}
	}
	if len(q.Sample) > 0 && q.More > 0 {
		if err := p.Say("  … and %d more", q.More); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(p.Err, "%s%s? [y/N] ", strings.ToUpper(deed[:1]), deed[1:]); err != nil {
		return err
	}
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	default:
		return ErrDeclined
	}
}

// IsTerminal reports whether a stream of the program is one that a person looks at, or
// writes on.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

package command

import (
	"errors"
	"fmt"
	"strings"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
)

// A deed is what came of doing something to one of several things.
type deed struct {
	ID    string `json:"id"`
	Done  string `json:"done,omitempty"` // what was done, in words
	Error string `json:"error,omitempty"`
}

// each does something to each of several things, and goes on where it cannot be done:
// what went wrong is said at once, and so is what was done, as done has it. The error
// tells whether it was some of them, or all.
func (a *app) each(names []string, done string, do func(name string) error) error {
	return a.eachTelling(names, func(name string) (string, error) { return fmt.Sprintf(done, name), do(name) })
}

// eachTelling is each where what was done is not the same for all.
func (a *app) eachTelling(names []string, do func(name string) (done string, err error)) error {
	deeds := []deed{}
	failure := a.tryEach(names, func(name string) error {
		d := deed{ID: name}
		done, err := do(name)
		if err == nil {
			d.Done = done
			err = a.Done("%s", plain.Name(done))
		}
		if err != nil {
			d.Error = err.Error()
		}
		deeds = append(deeds, d)
		return err
	})
	return errors.Join(failure, a.tell(deeds))
}

// tryEach goes on where it cannot be done, and says at once what went wrong. The error
// tells whether it was some of them, or all.
func (a *app) tryEach(names []string, do func(name string) error) error {
	var failed []error
	for _, name := range names {
		if err := do(name); err != nil {
			failed = append(failed, err)
			a.complain(err)
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

// complain says what went wrong. Where it cannot be said, the exit code remains.
func (a *app) complain(err error) {
	_ = a.Say("%s", plain.Text([]byte(strings.ToValidUTF8("leat: "+err.Error(), "�"))))
}

// tell writes deeds for programs; people were told of each when it was done.
func (a *app) tell(deeds []deed) error {
	if a.Format.ForPeople() {
		return nil
	}
	if a.Format == output.ID {
		done := deeds[:0:0]
		for _, d := range deeds {
			if d.Error == "" {
				done = append(done, d)
			}
		}
		deeds = done
	}
	return output.List(&a.Printer, output.Table[deed]{ID: func(d deed) string { return d.ID }}, deeds)
}

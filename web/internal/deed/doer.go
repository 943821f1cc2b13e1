package deed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/storage"
)

// What keeps somebody from a deed.
var (
	ErrForbidden = problem.Kind(http.StatusForbidden, "your role does not allow it")
	ErrUnknown   = problem.Kind(http.StatusNotFound, "there is no such deed")

	// ErrUnconfirmed is matched by [ConfirmError].
	ErrUnconfirmed = problem.Kind(http.StatusConflict, "their number must be confirmed")
)

// A ConfirmError is that a deed is about more things than was confirmed.
type ConfirmError struct {
	Count     int // how many they are
	Confirmed int // how many were confirmed
}

// Error tells both numbers.
func (e *ConfirmError) Error() string {
	if e.Confirmed == 0 {
		return fmt.Sprintf("%v: it is about %d", ErrUnconfirmed, e.Count)
	}
	return fmt.Sprintf("%v: it is about %d now, and %d were confirmed", ErrUnconfirmed, e.Count, e.Confirmed)
}

// Is reports whether target is ErrUnconfirmed.
func (e *ConfirmError) Is(target error) bool { return target == ErrUnconfirmed }

// HTTPStatus is that of ErrUnconfirmed.
func (e *ConfirmError) HTTPStatus() int { return http.StatusConflict }

// A Doer does what is asked for. It may be used by several goroutines, and must not be
// copied. [Doer.Close] ends it.
type Doer struct {
	Storage *storage.Storage

	// Recorder is told of everything that was done, or refused. nil: nobody is.
	Recorder Recorder

	// Rules say what is hidden from whom: who may not see something may not ask for what
	// has it, either. nil: nothing is.
	Rules *mask.Rules

	// Logger is told what the storage said of that which has failed and is not returned as
	// an error: nobody else is told that. nil: it is told nothing, either.
	Logger *slog.Logger

	works works
}

// A call is a deed on its way.
type call struct {
	*Doer
	who access.Identity
	t   Target
	args

	// goesOn reports whether nobody has asked it to stop. nil: nobody can.
	goesOn func() bool
}

// by returns who does it, as storages keep it.
func (c call) by() string {
	if c.who.Name == "" {
		return "anybody"
	}
	return c.who.Name
}

// Find returns the deed of that kind and name.
func Find(kind Kind, name string) (Deed, error) {
	for _, d := range table {
		if d.Kind == kind && d.Name == name {
			return d, nil
		}
	}
	return Deed{}, fmt.Errorf("%w: %s %s", ErrUnknown, kind, name)
}

// All returns the deeds that who may do, of all kinds.
func All(who access.Role) (may []Deed) {
	for _, d := range table {
		if who.Allows(d.Role) {
			may = append(may, d)
		}
	}
	return may
}

// table is all deeds.
var table = slices.Concat(taskDeeds, enqueueDeeds, queueDeeds, groupDeeds, entryDeeds, runDeeds, viewDeeds)

// Do does a deed to one thing, and says what came of it. What makes no sense is refused
// before anything is written, with a [task.InvalidError] for each value.
func (d *Doer) Do(ctx context.Context, who access.Identity, what Deed, t Target, args map[string]string) (string, error) {
	o, err := d.Perform(ctx, who, what, t, args)
	return o.Text, err
}

// Perform is Do, and also tells what was made.
func (d *Doer) Perform(ctx context.Context, who access.Identity, what Deed, t Target, args map[string]string) (Outcome, error) {
	began := d.Storage.Now()
	o, err := d.perform(ctx, who, what, t, args)
	d.tell(ctx, record{at: began, who: who, what: what, target: t.String(), args: args, count: 1, err: err})
	return o, err
}

func (d *Doer) perform(ctx context.Context, who access.Identity, what Deed, t Target, args map[string]string) (Outcome, error) {
	c, err := d.prepare(who, what, args, t)
	if err != nil {
		return Outcome{}, err
	}
	c.t = t
	if err := c.confirm(ctx, what); err != nil {
		return Outcome{}, fmt.Errorf("%s %s: %w", what.Name, t, err)
	}
	defer d.Storage.Changed()
	return what.done(ctx, c)
}

// done does the deed, and says nothing of what was not done.
func (d Deed) done(ctx context.Context, c call) (Outcome, error) {
	o, err := d.do(ctx, c)
	if err != nil {
		return Outcome{}, err
	}
	return o, nil
}

// prepare sees to it that what is asked for makes sense, and that who may.
func (d *Doer) prepare(who access.Identity, what Deed, said map[string]string, targets ...Target) (call, error) {
	if !who.Role.Allows(what.Role) {
		return call{}, fmt.Errorf("%s %s: %w: it takes %s", what.Kind, what.Name, ErrForbidden, what.Role)
	}
	if what.do == nil {
		return call{}, fmt.Errorf("%w: %s %s", ErrUnknown, what.Kind, what.Name)
	}
	now := d.Storage.Now()
	faults := []error{check(what.Params, said, now)}
	for _, t := range targets {
		if what.New && t != (Target{}) {
			faults = append(faults, task.Invalid("target", t.String(), "does not exist yet: what is made is named by parameters"))
		}
		if !what.New {
			faults = append(faults, what.Kind.Check(t))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return call{}, fmt.Errorf("%s %s: %w", what.Kind, what.Name, err)
	}
	return call{Doer: d, who: who, args: args{said, now}}, nil
}

// confirm sees to it that a deed that cannot be undone and is about more things than its
// target is done to no more than were confirmed, or to little more.
func (c call) confirm(ctx context.Context, what Deed) error {
	if !what.Final || what.count == nil {
		return nil
	}
	n, err := what.count(ctx, c)
	if err != nil || n <= 1 {
		return err
	}
	typed, err := typedNumber(c.text(confirmArg))
	if err == nil && grown(typed, n) {
		err = &ConfirmError{Count: n, Confirmed: typed}
	}
	return err
}

// grown reports whether n is more than was promised by more than a tenth.
func grown(promised, n int) bool { return n > promised+promised/10 }

func typedNumber(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, task.Invalid(confirmArg, text, "is no number")
	}
	return n, nil
}

// Count returns how many things a deed to the targets is about: as many as there are
// targets, unless what lies in them counts.
func (d *Doer) Count(ctx context.Context, who access.Identity, what Deed, targets []Target, said map[string]string) (int, error) {
	if what.count == nil {
		return len(targets), nil
	}
	sum := 0
	for _, t := range targets {
		n, err := what.count(ctx, call{Doer: d, who: who, t: t, args: args{said, d.Storage.Now()}})
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// A Result is what came of a deed to one of several things.
type Result struct {
	Target Target
	Text   string // what was done
	Err    error  // nil: it was
}

// Why returns what is told of why it was not done; "": it was.
func (r Result) Why() string {
	if r.Err == nil {
		return ""
	}
	return problem.Of(r.Err).Detail
}

// MarshalJSON writes the target, and the text or the error.
func (r Result) MarshalJSON() ([]byte, error) {
	shown := struct {
		Target
		Text  string `json:"text,omitempty"`
		Error string `json:"error,omitempty"`
	}{Target: r.Target, Text: r.Text, Error: r.Why()}
	return json.Marshal(shown)
}

// MaxTargets is how many things can be named for one call of [Doer.Many].
const MaxTargets = 1000

// Many does a deed to several things, one after another, and says what came of each. If
// it cannot be undone, their number must be in the argument "confirm". What makes no sense
// is refused before anything is done; then there are no results.
func (d *Doer) Many(ctx context.Context, who access.Identity, what Deed, targets []Target, said map[string]string) ([]Result, error) {
	c, err := d.prepare(who, what, said, targets...)
	if err == nil {
		err = d.allowSeveral(ctx, c, what, targets)
	}
	if err != nil {
		d.tell(ctx, record{at: d.Storage.Now(), who: who, what: what, target: fmt.Sprintf("%d things", len(targets)), args: said, err: err})
		return nil, err
	}
	defer d.Storage.Changed()
	began := d.Storage.Now()
	results := make([]Result, 0, len(targets))
	for _, t := range targets {
		c.t = t
		o, err := what.done(ctx, c)
		results = append(results, Result{t, o.Text, err})
		d.log(ctx, what, t, err)
	}
	d.tellMany(ctx, record{at: began, who: who, what: what, args: said}, results)
	return results, nil
}

// allowSeveral sees to it that a deed may be done to so many.
func (d *Doer) allowSeveral(ctx context.Context, c call, what Deed, targets []Target) error {
	switch {
	case len(targets) == 0 || len(targets) > MaxTargets:
		return fmt.Errorf("%s %s: %w", what.Kind, what.Name, task.Invalid("targets", len(targets), fmt.Sprintf("must be 1 to %d", MaxTargets)))
	case len(targets) > 1 && !what.Several:
		return fmt.Errorf("%s %s: %w", what.Kind, what.Name, task.Invalid("targets", len(targets), "must be one for this"))
	case !what.Final:
		return nil
	}
	n, err := d.Count(ctx, c.who, what, targets, c.said)
	if err != nil || n <= 1 {
		return err
	}
	typed, err := typedNumber(c.text(confirmArg))
	if err == nil && (grown(typed, n) || what.count == nil && typed != n) {
		err = &ConfirmError{Count: n, Confirmed: typed}
	}
	return err
}

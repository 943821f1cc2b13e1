package deed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

// A Bulk is a deed to all things that a query takes.
type Bulk struct {
	Kind  Kind              `json:"kind"`
	Deed  string            `json:"deed"`
	Query string            `json:"query"`
	Args  map[string]string `json:"args,omitempty"`

	// Confirm is how many things it is thought to be about: what a [Preview] has counted.
	// It is needed for a deed that cannot be undone. If there are more by more than a
	// tenth when it is to begin, it does not, and the error is a [ConfirmError].
	Confirm int `json:"confirm,omitempty"`
}

// A Preview is what a [Bulk] would be done to.
type Preview struct {
	Count   int      `json:"count"`   // how many things, as far as that is known
	Exact   bool     `json:"exact"`   // there are not more of them
	Scanned int      `json:"scanned"` // how many were looked at
	Sample  []Sample `json:"sample"`

	// Within is how many tasks are in them, if these are what the deed is about: then it is
	// they whose number is confirmed.
	Within int `json:"within,omitempty"`
}

// About returns how many things have to be confirmed.
func (p Preview) About() int {
	if p.Within > 0 {
		return p.Within
	}
	return p.Count
}

// A Sample is one of the things that a query takes.
type Sample struct {
	Target
	Text string `json:"text"` // what it is and how it stands

	size int // how many tasks are in it
}

// How far a preview looks.
const (
	samples      = 5
	mostLookedAt = 50_000
	longestLook  = 3 * time.Second
)

// A selection is what a query takes, of those things that a deed is done to.
type selection interface {
	// preview counts them, and looks only so far.
	preview(ctx context.Context) (Preview, error)

	// all does the deed to all of them, until it is stopped.
	all(ctx context.Context, w *work) error
}

// selecting returns what chooses things of a kind; nil where there is no query.
func selecting(kind Kind) func(c call, what Deed, query string) (selection, error) {
	switch kind {
	case Task:
		return selectTasks
	case Run:
		return selectRuns
	case Entry:
		return selectEntries
	case Queue:
		return selectQueues
	case Group:
		return selectGroups
	case Server, View:
	}
	return nil
}

// choose returns the deed of a bulk and what it is done to.
func (d *Doer) choose(who access.Identity, b Bulk) (Deed, selection, error) {
	what, err := Find(b.Kind, b.Deed)
	if err != nil {
		return what, nil, err
	}
	if !who.Role.Allows(what.Role) {
		return what, nil, fmt.Errorf("%s %s: %w: it takes %s", what.Kind, what.Name, ErrForbidden, what.Role)
	}
	choose := selecting(what.Kind)
	if choose == nil || !what.Several || what.count != nil && what.weigh == nil {
		return what, nil, fmt.Errorf("%s %s: %w", what.Kind, what.Name, task.Invalid("query", b.Query, "is not for what this is done to: name it"))
	}
	chosen, err := choose(call{Doer: d, who: who, args: args{b.Args, d.Storage.Now()}}, what, b.Query)
	return what, chosen, err
}

// Preview says what a bulk would be done to. It looks at no more than some thousand things,
// and no longer than some seconds.
func (d *Doer) Preview(ctx context.Context, who access.Identity, b Bulk) (Preview, error) {
	_, chosen, err := d.choose(who, b)
	if err != nil {
		return Preview{}, err
	}
	return chosen.preview(ctx)
}

// Begin begins a bulk, which goes on beside everything else, and returns its id. What makes
// no sense is refused before anything is done.
func (d *Doer) Begin(ctx context.Context, who access.Identity, b Bulk) (string, error) {
	w, err := d.begin(ctx, who, b)
	if err != nil {
		what, _ := Find(b.Kind, b.Deed)
		if what.Name == "" {
			what = Deed{Kind: b.Kind, Name: b.Deed}
		}
		d.tell(ctx, record{at: d.Storage.Now(), who: who, what: what, target: b.Query, args: b.Args, err: err})
		return "", err
	}
	return w.ID, nil
}

func (d *Doer) begin(ctx context.Context, who access.Identity, b Bulk) (*work, error) {
	what, chosen, err := d.choose(who, b)
	if err == nil {
		_, err = d.prepare(who, what, b.Args)
	}
	if err != nil {
		return nil, err
	}
	p, err := chosen.preview(ctx)
	if err != nil {
		return nil, err
	}
	if confirmed := b.Confirm != 0 || what.Final && (p.About() > 1 || !p.Exact); confirmed && grown(b.Confirm, p.About()) {
		return nil, fmt.Errorf("%s %s: %w", what.Kind, what.Name, &ConfirmError{Count: p.About(), Confirmed: b.Confirm})
	}
	return d.works.begin(ctx, d, who, what, b, p, chosen)
}

// skips reports whether an error says that something has moved on since it was found.
func skips(err error) bool {
	for _, gone := range movedOn {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}

package pages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/problem"
)

// A done is what came of what was asked for.
type done struct {
	Message string `json:"message"`
	Bad     bool   `json:"bad,omitempty"`     // it was not done to all
	Address string `json:"address,omitempty"` // where to see what goes on, or what was made
}

// doDeed does what a form asks for, and answers with where to go; to a script, with what
// came of it.
func (p *Pages) doDeed(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.refuse(w, r, nil, task.Invalid("form", "", "cannot be read"))
		return
	}
	a, err := p.readAsked(r, r.PostForm)
	if err == nil && p.ReadOnly {
		err = problem.New(http.StatusForbidden, "read-only", "nothing can be changed from here")
	}
	if err != nil {
		p.refuse(w, r, nil, err)
		return
	}
	if r.PostForm.Has("show") { // how what the form says is done in other ways
		p.showForm(w, r, a, nil)
		return
	}
	if a.All && a.Count == "" { // nobody has seen yet how many they are
		p.ask(w, r, a)
		return
	}
	// Who has gone away meanwhile has asked for it all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), max(p.Patience, minute))
	defer cancel()
	what, err := p.carryOut(ctx, a)
	if err != nil {
		p.refuse(w, r, a, err)
		return
	}
	p.answer(w, r, a, what)
}

// minute is how long a deed may take to things that are named.
const minute = time.Minute

// carryOut does what is asked for.
func (p *Pages) carryOut(ctx context.Context, a *asked) (done, error) {
	switch {
	case a.All:
		return p.beginBulk(ctx, a)
	case a.Deed.New:
		o, err := p.Doer.Perform(ctx, a.Who, a.Deed, deed.Target{}, a.Args)
		return p.doneTo(a, o), err
	case len(a.Targets) == 1:
		o, err := p.Doer.Perform(ctx, a.Who, a.Deed, a.Targets[0], a.confirmed())
		return p.doneTo(a, o), err
	}
	results, err := p.Doer.Many(ctx, a.Who, a.Deed, a.Targets, a.confirmed())
	return doneToSeveral(a, results), err
}

// confirmed returns what was said, with the number that was typed.
func (a *asked) confirmed() map[string]string {
	args := map[string]string{}
	for name, text := range a.Args {
		args[name] = text
	}
	if a.Confirm != "" {
		args["confirm"] = a.Confirm
	}
	return args
}

// beginBulk begins a deed to all that a query takes, if they are as many as the form said.
func (p *Pages) beginBulk(ctx context.Context, a *asked) (done, error) {
	b := a.bulk()
	promised, err := strconv.Atoi(a.Count)
	if err != nil || promised < 0 {
		return done{}, task.Invalid("count", a.Count, "is no number")
	}
	if b.Confirm = promised; a.Deed.Final && promised != 1 {
		if b.Confirm, err = strconv.Atoi(a.Confirm); err != nil || b.Confirm != promised {
			return done{}, &deed.ConfirmError{Count: promised, Confirmed: b.Confirm}
		}
	}
	id, err := p.Doer.Begin(ctx, a.Who, b)
	if err != nil {
		return done{}, err
	}
	address, err := p.url("/bulk", "id", id)
	return done{Message: a.Deed.Label + " has begun", Address: address}, err
}

func (p *Pages) doneTo(a *asked, o deed.Outcome) done {
	d := done{Message: o.Text}
	if o.Made != nil && madePages[a.Deed.Kind] != "" {
		d.Address, _ = p.url(madePages[a.Deed.Kind], "queue", o.Made.Queue, "id", o.Made.ID, "name", nameOf(a.Deed.Kind, *o.Made)) // pairs
	}
	return d
}

// madePages are where what was made is shown.
var madePages = map[deed.Kind]string{deed.Task: "/task", deed.Run: "/run", deed.Entry: "/entry"}

func nameOf(kind deed.Kind, t deed.Target) string {
	if kind == deed.Entry {
		return t.ID
	}
	return ""
}

// doneToSeveral says to how many it was done, and why not to the others.
func doneToSeveral(a *asked, results []deed.Result) done {
	n := 0
	var failure *deed.Result
	for i, r := range results {
		if r.Err == nil {
			n++
		} else if failure == nil {
			failure = &results[i]
		}
	}
	text := fmt.Sprintf("%s: done to %s", a.Deed.Label, quantity.Many(n, string(a.Deed.Kind)))
	if failure != nil {
		text += fmt.Sprintf(", not to %d: %s", len(results)-n, failure.Why())
	}
	return done{Message: text, Bad: failure != nil}
}

// answer says what came of it.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, a *asked, what done) {
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, "application/json", what)
		return
	}
	to := a.Back
	if a.All {
		to = what.Address
	}
	p.say(w, r, to, notice{Text: what.Message, Bad: what.Bad})
}

// ask has the form shown first.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request, a *asked) {
	address, err := p.url("/deed/"+string(a.Deed.Kind)+"/"+a.Deed.Name, "q", a.Query, "all", "1", "back", a.Back)
	if err != nil {
		p.refuse(w, r, a, err)
		return
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusConflict, "application/problem+json", problem.New(http.StatusConflict, "form", "say how many they are: "+address).Problem)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// refuse says why it was not done: in the form, if that can be sent again.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, a *asked, err error) {
	var unconfirmed *deed.ConfirmError
	switch {
	case wantsJSON(r):
		p.log(r, "a deed has failed", err)
		what := problem.Of(err)
		writeJSON(w, what.Status, "application/problem+json", what)
	case a != nil && (errors.Is(err, task.ErrInvalid) || errors.As(err, &unconfirmed)):
		p.showForm(w, r, a, err)
	case a != nil && !errors.Is(err, deed.ErrForbidden) && !errors.Is(err, mask.ErrMasked):
		p.log(r, "a deed has failed", err)
		p.say(w, r, a.Back, notice{Text: problem.Of(err).Detail, Bad: true})
	default:
		p.fail(w, r, err)
	}
}

func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "application/json")
}

func writeJSON(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // nobody to tell
}

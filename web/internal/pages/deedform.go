package pages

import (
	"context"
	"net/http"
	"strconv"

	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/problem"
)

// A deedForm is what the form of a deed is made from.
type deedForm struct {
	*asked
	Action  string
	Picks   []string // the targets as values of the form, if they are several
	Fields  []field
	Preview *deed.Preview // of what a query takes
	Things  int           // how many it is about
	Exact   bool          // not more
	Typed   bool          // their number has to be typed
	Instead string        // where the form of a deed is that can be undone; "": there is none
	Other   string        // what that is called
	Copies  []copied
	Fault   *problem.Problem
}

// Title is what the page is called.
func (f *deedForm) Title() string { return f.Deed.Label + " " + string(f.Deed.Kind) }

// One returns the one thing that it is about.
func (f *deedForm) One() deed.Target { return f.Targets[0] }

// A field is a parameter in a form.
type field struct {
	deed.Param
	Value string
	Wide  bool // it has several lines
	Bad   bool // it is what was refused
}

var deedPage = page{name: "deed"}

// showDeed answers with the form of a deed.
func (p *Pages) showDeed(w http.ResponseWriter, r *http.Request) {
	a, err := p.readAsked(r, r.URL.Query())
	if err == nil && !a.Who.Role.Allows(a.Deed.Role) {
		err = deed.ErrForbidden
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.showForm(w, r, a, nil)
}

// showForm answers with the form for what is asked for, and with what was wrong with it.
func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, a *asked, fault error) {
	ctx, cancel := context.WithTimeout(r.Context(), p.Patience)
	defer cancel()
	f, err := p.formOf(ctx, a)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	f.Copies = p.copies(ctx, r, f)
	status := http.StatusOK
	if fault != nil {
		what := problem.Of(fault)
		f.Fault, status = &what, what.Status
		for i := range f.Fields {
			f.Fields[i].Bad = f.Fields[i].Name == what.Field
		}
	}
	one := deedPage
	one.tab, one.title = kindPages[a.Deed.Kind], f.Title()
	frame := p.frame(r, &request{Page: one, Query: r.URL.Query(), Who: a.Who})
	frame.Main = f
	p.write(w, r, status, one.name, frame)
}

// formOf returns the form for what is asked for.
func (p *Pages) formOf(ctx context.Context, a *asked) (*deedForm, error) {
	f := &deedForm{asked: a, Action: p.deedPath(a.Deed), Things: len(a.Targets), Exact: true}
	if err := p.fillForm(ctx, f); err != nil {
		return nil, err
	}
	if a.All {
		preview, err := p.Doer.Preview(ctx, a.Who, a.bulk())
		if err != nil {
			return nil, err
		}
		f.Preview, f.Things, f.Exact = &preview, preview.Count, preview.Exact
	} else if !a.Deed.New {
		n, err := p.Doer.Count(ctx, a.Who, a.Deed, a.Targets, a.Args)
		if err != nil {
			return nil, err
		}
		f.Things = n
	}
	f.Count = strconv.Itoa(f.about())
	f.Typed = a.Deed.Final && (f.about() > 1 || !f.Exact)
	if len(a.Targets) > 1 {
		for _, t := range a.Targets {
			f.Picks = append(f.Picks, pickValue(t))
		}
	}
	return f, p.offerInstead(f)
}

// about returns how many things have to be confirmed.
func (f *deedForm) about() int {
	if f.Preview != nil {
		return f.Preview.About()
	}
	return f.Things
}

// fillForm fills the fields with what was said, or else with how things are.
func (p *Pages) fillForm(ctx context.Context, f *deedForm) error {
	var t deed.Target
	if len(f.Targets) == 1 {
		t = f.Targets[0]
	}
	known, err := p.Doer.Prefilled(ctx, f.Who, f.Deed, t)
	if err != nil {
		return err
	}
	for _, param := range f.Deed.Params {
		value, said := f.Args[param.Name]
		if !said {
			value = known[param.Name]
		}
		f.Fields = append(f.Fields, field{Param: param, Value: value, Wide: param.Form == deed.JSON || param.Form == deed.Lines})
	}
	return nil
}

// offerInstead says which deed there is that can be undone.
func (p *Pages) offerInstead(f *deedForm) error {
	if f.Deed.Instead == "" {
		return nil
	}
	other, err := deed.Find(f.Deed.Kind, f.Deed.Instead)
	if err != nil {
		return err
	}
	f.Other = other.Label
	query := []any{"back", f.Back}
	if f.All {
		query = append(query, "q", f.Query, "all", "1")
	}
	if len(f.Targets) == 1 {
		query = append(query, "queue", f.One().Queue, "id", f.One().ID)
	}
	for _, pick := range f.Picks {
		query = append(query, "pick", pick)
	}
	f.Instead, err = p.url("/deed/"+string(other.Kind)+"/"+other.Name, query...)
	return err
}

// bulk returns what is asked for as a deed to all that a query takes.
func (a *asked) bulk() deed.Bulk {
	return deed.Bulk{Kind: a.Deed.Kind, Deed: a.Deed.Name, Query: a.Query, Args: a.Args}
}

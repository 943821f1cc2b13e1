package pages

import (
	"context"
	"net/http"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// A bulkView is a deed to all that a query takes, or all of those that are known.
type bulkView struct {
	One *bulk
	All []bulk
}

// A bulk is how far one has come.
type bulk struct {
	deed.Progress
	Label string
	May   bool // who looks may stop it
	Part  int  // of a hundred
}

// Title names it.
func (v *bulkView) Title() string {
	if v.One == nil {
		return "What is done to many"
	}
	return v.One.Label + ": " + v.One.Query
}

var bulkPage = page{path: "/bulk", name: "bulk", tab: "/tasks", load: func(_ context.Context, p *Pages, r *request) (any, error) {
	v := &bulkView{}
	for _, one := range p.Doer.Bulks() {
		v.All = append(v.All, p.bulkOf(r.Who, one))
	}
	if id := r.get("id"); id != "" {
		one, err := p.Doer.Progress(id)
		if err != nil {
			return nil, err
		}
		b := p.bulkOf(r.Who, one)
		v.One = &b
	}
	return v, nil
}}

// bulkOf returns what somebody sees of one.
func (p *Pages) bulkOf(who access.Identity, one deed.Progress) bulk {
	b := bulk{Progress: one.Shown(who.Role, p.Rules), Label: one.Deed}
	if d, err := deed.Find(one.Kind, one.Deed); err == nil {
		b.Label = d.Label + " " + string(one.Kind) + "s"
		b.May = !p.ReadOnly && who.Role.Allows(d.Role) && one.State == deed.UnderWay
	}
	if sum := one.Done + one.Skipped + one.Failed; one.Total > 0 {
		b.Part = min(100*sum/one.Total, 100)
	} else if !one.Going() {
		b.Part = 100
	}
	return b
}

// stopBulk has one end.
func (p *Pages) stopBulk(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("id")
	if err := p.Doer.Stop(access.From(r.Context()), id); err != nil {
		p.refuse(w, r, nil, err)
		return
	}
	address, err := p.url("/bulk", "id", id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.answer(w, r, &asked{Back: address}, done{Message: "it stops after the step that it is at"})
}

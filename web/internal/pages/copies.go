package pages

import (
	"context"
	"net/http"
	"strconv"

	"github.com/leatwork/leat/web/internal/deed"
)

// A copied is what to copy so that the same is done elsewhere.
type copied struct{ Name, Text string }

// apiPath is where the API is, below the root.
const apiPath = "/api/v1"

// copies returns how what a form says is done in other ways.
func (p *Pages) copies(ctx context.Context, r *http.Request, f *deedForm) (all []copied) {
	w := deed.Wording{Deed: f.Deed, Targets: f.Targets, All: f.All, Query: f.Query, Confirm: f.about(), Args: map[string]string{}}
	for _, one := range f.Fields {
		if one.Value != "" || f.Args[one.Name] != "" || one.Wide {
			w.Args[one.Name] = one.Value
		}
	}
	if f.Typed && !f.All {
		w.Args["confirm"] = strconv.Itoa(f.about())
	}
	if f.Deed.Kind == deed.Task && f.Deed.Name == "clone" && !p.Doer.Rules.Hides(f.Who.Role) {
		if of, err := p.Storage.Inspector.Get(ctx, f.One().Queue, f.One().ID); err == nil {
			w.Of = of
		}
	}
	for _, way := range []copied{{"Command", w.Command()}, {"Request", w.Curl(p.origin(r) + apiPath)}, {"Go", w.Go()}} {
		if way.Text != "" {
			all = append(all, way)
		}
	}
	return all
}

// origin returns where who asks has the dashboard.
func (p *Pages) origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host + p.Root
	}
	return "http://" + r.Host + p.Root
}

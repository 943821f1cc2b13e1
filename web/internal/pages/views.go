package pages

import (
	"context"

	"github.com/leatwork/leat/web/internal/views"
)

// A keptView is a view in the list above a list.
type keptView struct {
	views.View
	Target  string // of a deed
	URL     string
	Current bool
}

// kept are the views of a list.
type kept struct {
	Views []keptView
	Now   views.View // what is asked for now
}

// kept returns the views of the list that r asks for, without those whose query asks for
// what is hidden from who looks. If they cannot be read there are none: the list is there
// all the same.
func (p *Pages) kept(ctx context.Context, r *request) kept {
	k := kept{Now: views.View{Page: r.Page.path[1:], Query: r.get("q"), Sort: r.get("sort"), Order: r.get("order"), Size: r.get("size")}}
	if r.Live {
		return k
	}
	all, err := p.Storage.Views(ctx)
	if err != nil {
		p.Logger.WarnContext(ctx, "views cannot be read", "err", err)
	}
	for _, v := range all {
		if v.Page == k.Now.Page && v.Allowed(r.Who.Role, p.Rules) == nil {
			k.Views = append(k.Views, keptView{View: v, Target: v.ID(), URL: p.Root + v.Address(), Current: v.Address() == k.Now.Address()})
		}
	}
	return k
}

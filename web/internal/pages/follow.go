package pages

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/live"
	"github.com/leatwork/leat/web/internal/problem"
)

// live sends what changes on a page. Whoever looks at the same page with the same role
// follows the same rendering of it.
func (p *Pages) live(w http.ResponseWriter, r *http.Request) {
	address, err := url.Parse(r.URL.Query().Get("page"))
	if err != nil || len(address.Path) < len(p.Root) || address.Path[:len(p.Root)] != p.Root {
		http.Error(w, "there is no such page", http.StatusNotFound)
		return
	}
	path := address.Path[len(p.Root):]
	if path == "" {
		path = "/"
	}
	one, ok := p.pages[path]
	if !ok {
		http.Error(w, "there is no such page", http.StatusNotFound)
		return
	}
	query := address.Query()
	query.Del("notice")
	req := &request{Page: one, Query: query, Who: access.Identity{Role: access.From(r.Context()).Role}, Live: true}
	key := req.Who.Role.String() + " " + path + "?" + query.Encode()
	f, err := p.Hub.Follow(key, func(ctx context.Context) ([]live.Part, error) {
		parts, err := p.parts(ctx, req)
		if err != nil && problem.Of(err).Status == http.StatusNotFound {
			err = errors.Join(live.ErrGone, err)
		}
		return parts, err
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	live.Serve(w, r, f, settingsOf(r).pause(), func(err error) string { return problem.Of(err).Detail })
}

package pages

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/live"
	"github.com/leatwork/leat/web/internal/problem"
)

// shownBy are the parameters of pages. What else an address has, shows nothing else.
var shownBy = []string{
	"aid", "aqueue", "bid", "bqueue", "columns", "cursor", "days", "down", "face", "filter", "find", "from", "group", "id", "items", "name", "open", "order", "preview", "q", "queue", "range", "show", "size", "sort", "step", "to", "view", "with",
}

// known returns what pages know of a query.
func known(query url.Values) url.Values {
	maps.DeleteFunc(query, func(name string, _ []string) bool { return !slices.Contains(shownBy, name) })
	return query
}

// follows returns as whom somebody follows: by name, or else by address.
func follows(who access.Identity) string {
	if who.Name != "" {
		return "name " + who.Name
	}
	return "address " + who.From
}

// logged renders what is live on a page. The log is told of a panic.
func (p *Pages) logged(ctx context.Context, path string, req *request) (parts []live.Part, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &task.PanicError{Value: cause, Stack: debug.Stack()}
		}
		if broken, ok := errors.AsType[*task.PanicError](err); ok {
			p.Logger.ErrorContext(ctx, "a page made the dashboard panic", "page", path, "panic", fmt.Sprint(broken.Value), "stack", string(broken.Stack))
		}
	}()
	return p.parts(ctx, req)
}

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
	own := settingsOf(r)
	query := own.remembered(one, known(address.Query()))
	req := &request{Page: one, Query: query, Who: access.Identity{Role: access.From(r.Context()).Role}, Live: true}
	key := req.Who.Role.String() + " " + path + "?" + query.Encode()
	f, err := p.Hub.Follow(follows(access.From(r.Context())), key, func(ctx context.Context) ([]live.Part, error) {
		parts, err := p.logged(ctx, path, req)
		if err != nil && problem.Of(err).Status == http.StatusNotFound {
			err = errors.Join(live.ErrGone, err)
		}
		return parts, err
	})
	switch {
	case errors.Is(err, live.ErrMany):
		http.Error(w, err.Error(), http.StatusTooManyRequests)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	live.Serve(w, r, f, own.pause(), func(err error) string { return problem.Of(err).Detail })
}

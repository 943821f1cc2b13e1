package pages

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/live"
	"github.com/leatwork/leat/web/internal/problem"
)

// A page is something to look at. Its template, templates/NAME.html, defines "main"; what
// is live in that are templates whose names begin with "live:", which main shows by
//
//	{{live "totals" .}}
//
// and which are rendered again and again for those who look at it.
type page struct {
	path    string
	name    string // of its template
	title   string // what it is called, unless what load returns has a method Title
	tab     string // path of the page that is marked in the navigation; "": its own
	modules string // scripts that it needs, by their names with a space between them

	// load returns what the template shows: for the same query and role, the same to
	// everybody.
	load func(ctx context.Context, p *Pages, r *request) (any, error)
}

// A request is for what a page shows.
type request struct {
	Page  page
	Query url.Values
	Who   access.Identity
	Live  bool // only what is live is wanted

	// Settings are of who asks, for what is not live; otherwise they are zero.
	Settings settings
}

// get returns a value of the query.
func (r *request) get(name string) string { return r.Query.Get(name) }

// titled is what says itself what it is called.
type titled interface{ Title() string }

// A frame is what the frame around a page is made from.
type frame struct {
	*Pages
	Settings settings
	Request  *request
	Title    string
	Tab      string
	Modules  string
	Tabs     []tab
	Places   []Place // the others
	Notice   *notice
	Search   string // what stands in the search field
	Live     bool
	Now      time.Time
	Main     any
}

// A tab is a place in the navigation.
type tab struct {
	Path, Name string
	Apart      bool // something else begins here
}

var tabs = []tab{
	{Path: "/", Name: "Overview"},
	{Path: "/queues", Name: "Queues"},
	{Path: "/tasks", Name: "Tasks"},
	{Path: "/groups", Name: "Groups"},
	{Path: "/runs", Name: "Runs"},
	{Path: "/entries", Name: "Periodic"},
	{Path: "/servers", Name: "Servers"},
	{Path: "/storage", Name: "Storage", Apart: true},
	{Path: "/audit", Name: "Audit"},
	{Path: "/settings", Name: "Settings", Apart: true},
	{Path: "/help", Name: "Help"},
}

// serve answers with a page.
func (p *Pages) serve(w http.ResponseWriter, r *http.Request, one page) {
	ctx, cancel := context.WithTimeout(r.Context(), p.Patience)
	defer cancel()
	own := settingsOf(r)
	req := &request{Page: one, Query: own.remembered(one, r.URL.Query()), Who: access.From(r.Context()), Settings: own}
	main, err := one.load(ctx, p, req)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	f := p.frame(r, req)
	f.Main, f.Live = main, true
	if t, ok := main.(titled); ok {
		f.Title = t.Title()
	}
	p.write(w, r, http.StatusOK, one.name, f)
}

// frame returns the frame of an answer.
func (p *Pages) frame(r *http.Request, req *request) frame {
	f := frame{
		Pages: p, Settings: settingsOf(r), Request: req, Title: req.Page.title, Tab: req.Page.tab, Modules: req.Page.modules, Tabs: tabs,
		Notice: p.notices.take(r.URL.Query().Get("notice")), Now: p.Storage.Now(),
	}
	if f.Tab == "" {
		f.Tab = req.Page.path
	}
	f.Places = p.elsewhere(req, f.Tab)
	if f.Tab == "/tasks" {
		f.Search = req.get("q")
	}
	return f
}

// write writes a page whole, or, if it cannot be rendered, that it cannot.
func (p *Pages) write(w http.ResponseWriter, r *http.Request, status int, name string, f frame) {
	var body bytes.Buffer
	set, err := p.sets.of(p, name, f.Request.Who.Role)
	if err == nil {
		err = set.ExecuteTemplate(&body, "frame", f)
	}
	if err != nil {
		p.Logger.ErrorContext(r.Context(), "a page cannot be rendered", "page", name, "err", err)
		http.Error(w, "this page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // nobody to tell
}

// parts renders what is live on a page.
func (p *Pages) parts(ctx context.Context, req *request) ([]live.Part, error) {
	main, err := req.Page.load(ctx, p, req)
	if err != nil {
		return nil, err
	}
	set, err := p.sets.of(p, req.Page.name, req.Who.Role)
	if err != nil {
		return nil, err
	}
	var parts []live.Part
	for _, name := range set.live {
		html, err := set.part(name, main)
		if err != nil {
			return nil, err
		}
		parts = append(parts, live.Part{Name: name, HTML: string(html)})
	}
	return parts, nil
}

var errNoPage = problem.New(http.StatusNotFound, "", "there is no such page")

// failurePage is shown in place of one that cannot be.
var failurePage = page{name: "failure"}

// log tells the logger what the storage said, which nobody else is told.
func (p *Pages) log(r *http.Request, what string, err error) {
	if problem.Of(err).Status >= http.StatusInternalServerError {
		p.Logger.ErrorContext(r.Context(), what, "path", r.URL.Path, "err", err)
	}
}

// fail answers that something is not to be had.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	what := problem.Of(err)
	p.log(r, "a page cannot be shown", err)
	p.tell(w, r, what)
}

// tell answers with a problem in place of a page.
func (p *Pages) tell(w http.ResponseWriter, r *http.Request, what problem.Problem) {
	one := failurePage
	one.title, one.tab = what.Title, r.URL.Path
	f := p.frame(r, &request{Page: one, Query: r.URL.Query(), Who: access.From(r.Context())})
	f.Main = what
	p.write(w, r, what.Status, one.name, f)
}

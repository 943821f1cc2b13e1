package pages

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// An asked is what somebody wants done, or wants a form for: the deed, what it is to be
// done to, and what else was said.
type asked struct {
	Deed    deed.Deed
	Targets []deed.Target // unless All
	All     bool          // it is for all that Query takes
	Query   string
	Args    map[string]string // what was said, be it nothing
	Count   string            // how many they were when the form was made
	Shown   bool              // it is asked how that is done in other ways
	Confirm string            // what was typed as their number
	Back    string            // where to go afterwards: an address below the root
	Who     access.Identity
}

// readAsked reads what a request asks for from values: those of its address, or of a form.
func (p *Pages) readAsked(r *http.Request, values url.Values) (*asked, error) {
	d, err := deed.Find(deed.Kind(r.PathValue("kind")), r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	a := &asked{
		Deed: d, All: values.Get("all") != "", Query: values.Get("q"), Args: map[string]string{},
		Count: values.Get("count"), Confirm: values.Get("confirm"), Shown: values.Has("show"), Who: access.From(r.Context()),
	}
	for _, param := range d.Params {
		if said, ok := values[param.Name]; ok {
			a.Args[param.Name] = plainLines(param, said[0])
		}
	}
	if a.Targets, err = readTargets(d, values); err != nil {
		return nil, err
	}
	a.Back = p.back(r, values.Get("back"), a)
	return a, nil
}

// plainLines returns a text with the ends of lines that it had before a browser sent it.
func plainLines(p deed.Param, text string) string {
	if p.Form == deed.JSON || p.Form == deed.Lines {
		return strings.ReplaceAll(text, "\r\n", "\n")
	}
	return text
}

// readTargets returns what a deed is to be done to, by name.
func readTargets(d deed.Deed, values url.Values) (targets []deed.Target, err error) {
	if d.New || values.Get("all") != "" {
		return nil, nil
	}
	for _, text := range values["pick"] {
		t, err := readPick(text)
		if err != nil {
			return nil, task.Invalid("pick", text, "names nothing")
		}
		targets = append(targets, t)
	}
	if len(targets) == 0 {
		var t deed.Target
		if d.Kind.NamesQueue() {
			t.Queue = values.Get("queue")
		}
		if d.Kind.NamesID() {
			t.ID = values.Get("id")
		}
		targets = append(targets, t)
	}
	for _, t := range targets {
		if err := d.Kind.Check(t); err != nil {
			if len(values["pick"]) == 0 && t == (deed.Target{}) {
				err = task.Invalid("pick", "", "nothing was chosen")
			}
			return nil, err
		}
	}
	return targets, nil
}

// back returns where to go once something is done: where that was said or where who asks
// comes from, if it is one of our pages, or else where what it is about is shown.
func (p *Pages) back(r *http.Request, said string, a *asked) string {
	for _, address := range []string{said, r.Referer()} {
		if own, ok := p.ownAddress(address); ok {
			return own
		}
	}
	return p.Root + kindPages[a.Deed.Kind]
}

// kindPages are the pages on which all things of a kind are shown.
var kindPages = map[deed.Kind]string{
	deed.Task: "/tasks", deed.Queue: "/queues", deed.Group: "/groups", deed.Entry: "/entries", deed.Run: "/runs", deed.Server: "/servers", deed.View: "/tasks",
}

// ownAddress returns the path and query of an address that is one of a page of ours, and
// of which nobody is led elsewhere.
func (p *Pages) ownAddress(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || address == "" || u.Opaque != "" || strings.ContainsAny(u.Path, "\\\r\n\t") {
		return "", false
	}
	below, ok := strings.CutPrefix(u.Path, p.Root+"/")
	if !ok || path.Clean("/"+below) != "/"+strings.TrimSuffix(below, "/") || strings.HasPrefix(below, "deed/") {
		return "", false
	}
	q := u.Query()
	q.Del("notice")
	own := url.URL{Path: u.Path, RawQuery: q.Encode()}
	return own.String(), true
}

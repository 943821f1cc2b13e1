package pages

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/leatwork/leat/web/internal/problem"
)

// A Place is another installation.
type Place struct {
	Name, Color string
	URL         string // of its dashboard, without a slash at its end
}

// elsewhere returns the others, each with the address of the page there on which who asks is
// here. What shows a thing that only one of them has leads to the list of such things.
func (p *Pages) elsewhere(req *request, tab string) []Place {
	path := tab
	if !isTab(path) {
		path = "/"
	}
	if path == req.Page.path || req.Page.name == failurePage.name && path == tab {
		path += keptQuery(req.Query)
	}
	all := slices.Clone(p.Others)
	for i := range all {
		all[i].URL += path
	}
	return all
}

func isTab(path string) bool {
	return slices.ContainsFunc(tabs, func(t tab) bool { return t.Path == path })
}

// keptQuery returns the part of an address that says the query of a page, without what is of
// one moment only.
func keptQuery(said url.Values) string {
	said = maps.Clone(said)
	said.Del("cursor")
	said.Del("notice")
	if len(said) == 0 {
		return ""
	}
	return "?" + said.Encode()
}

var errAbsent = problem.New(http.StatusServiceUnavailable, "absent", "the storage of this installation cannot be reached; the log says why, and it is tried again")

// Absent answers that there is nothing to look at, to a program in JSON.
func (p *Pages) Absent(w http.ResponseWriter, r *http.Request, program bool) {
	w.Header().Set("Retry-After", "5")
	if program || wantsJSON(r) {
		writeJSON(w, errAbsent.Status, "application/problem+json", errAbsent.Problem)
		return
	}
	p.tell(w, r, errAbsent.Problem)
}

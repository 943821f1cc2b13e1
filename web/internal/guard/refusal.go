package guard

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/leatwork/leat/web/access"
)

// A refusal is why a request does not come through.
type refusal struct {
	status     int
	code       string // which of several of one status it is
	detail     string // for who asks
	cause      error  // for the log
	challenges []string
}

func refuse(status int, code, detail string) *refusal {
	return &refusal{status: status, code: code, detail: detail}
}

// unknown returns the refusal of who is not known.
func unknown(err error) *refusal {
	if !errors.Is(err, access.ErrUnknown) {
		f := refuse(http.StatusForbidden, "access", "you may not see anything here")
		f.cause = err
		return f
	}
	f := refuse(http.StatusUnauthorized, "unknown", "it is not known who you are")
	f.cause = err
	if known, ok := errors.AsType[*access.UnknownError](err); ok {
		f.challenges = known.Challenges
	}
	return f
}

// isWrong reports whether somebody has tried a credential that is none.
func (f *refusal) isWrong() bool {
	known, ok := errors.AsType[*access.UnknownError](f.cause)
	return ok && known.Wrong
}

// page is what is shown to people. It loads nothing: who is refused has no style sheet.
var page = template.Must(template.New("refusal").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
<h1>{{.Title}}</h1>
<p>{{.Detail}}.</p>
`))

// refuse answers that something is refused: to programs with a problem, to people with a
// page.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, f *refusal) {
	h := w.Header()
	for _, c := range f.challenges {
		h.Add("WWW-Authenticate", c)
	}
	if f.status == http.StatusMethodNotAllowed {
		h.Set("Allow", allowed)
	}
	if f.status == http.StatusRequestEntityTooLarge || f.status == http.StatusRequestTimeout {
		h.Set("Connection", "close") // the rest of the body is not waited for
	}
	title := http.StatusText(f.status)
	if !g.isForPrograms(r) {
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(f.status)
		_ = page.Execute(w, map[string]string{"Title": title, "Detail": upper(f.detail)}) // nobody to tell
		return
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // nobody to tell
		"type": "about:blank", "title": title, "status": f.status, "detail": f.detail, "code": f.code,
	})
}

// isForPrograms reports whether a program wants the answer to r.
func (g *Guard) isForPrograms(r *http.Request) bool {
	rest, _ := strings.CutPrefix(r.URL.Path, g.Root)
	accept := r.Header.Get("Accept")
	return strings.HasPrefix(rest, "/api/") || strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

func upper(sentence string) string { return strings.ToUpper(sentence[:1]) + sentence[1:] }

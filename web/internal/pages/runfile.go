package pages

import (
	"context"
	"mime"
	"net/http"
	"strings"

	"github.com/leatwork/leat/web/access"
)

// runFile answers with a file about a run.
func (p *Pages) runFile(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), p.Patience)
	defer cancel()
	s, err := p.readRun(ctx, &request{Page: runPage, Query: r.URL.Query(), Who: access.From(r.Context())})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	kind, name, content, err := runFiles[r.URL.Path](ctx, p, s)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(s.Run.ID) + "-" + name}))
	_, _ = w.Write(content) // nobody to tell
}

// fileName returns a name for a file about something: its id, without what file systems
// do not take.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '-'
		}
		return r
	}, id)
}

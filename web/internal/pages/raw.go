package pages

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/leatwork/leat/web/access"
)

// raw answers with bytes of a task as they were stored, but for what is hidden of them, as
// a file that no browser opens.
func (p *Pages) raw(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), p.Patience)
	defer cancel()
	v := r.URL.Query()
	i, err := p.Storage.Inspector.Get(ctx, v.Get("queue"), v.Get("id"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	i = p.Rules.Info(access.From(r.Context()).Role, i)
	var b []byte
	switch v.Get("part") {
	case "payload":
		b = i.Payload
	case "result":
		b = i.Result
	case "progress":
		b = i.Progress
	default:
		p.fail(w, r, errNoPage)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="`+safeName(i.ID+"-"+v.Get("part"))+`"`)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b) // nobody to tell
}

// safeName returns a name of a file that is harmless in a header and on a disk.
func safeName(s string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, s)
	return safe[max(len(safe)-100, 0):]
}

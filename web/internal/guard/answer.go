package guard

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/leatwork/leat/web/access"
)

// An answer is what is known of one while it is written.
type answer struct {
	http.ResponseWriter
	who     access.Identity
	refused *refusal
	status  int
	bytes   int64
	begun   bool
}

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) {
	if !a.begun && status >= http.StatusOK {
		a.begun, a.status = true, status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write notes how much was written.
func (a *answer) Write(b []byte) (int, error) {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// panicked logs that whoever handled r has panicked, answers so if nothing is answered
// yet, and reports whether the answer has to be cut off.
func (g *Guard) panicked(a *answer, r *http.Request, cause any) (cut bool) {
	if cause == http.ErrAbortHandler { //nolint:errorlint // net/http compares it, too
		return true
	}
	g.Logger.ErrorContext(r.Context(), "a request made the dashboard panic", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if a.begun {
		return true
	}
	clear(a.Header())
	setHeaders(a.Header())
	g.refuse(a, r, refuse(http.StatusInternalServerError, "panic", "this cannot be shown; the log says why"))
	return false
}

// log tells of a request: what changes or is refused so that it is seen, all else only if
// that is wanted. Queries are not told: what is searched for may be in payloads.
func (g *Guard) log(r *http.Request, a *answer, took time.Duration) {
	level := slog.LevelDebug
	switch f := a.refused; {
	case f != nil && (f.status != http.StatusUnauthorized || f.isWrong()):
		level = slog.LevelWarn
	case a.status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case changes(r):
		level = slog.LevelInfo
	}
	if !g.Logger.Enabled(r.Context(), level) {
		return
	}
	if !a.begun {
		a.status = http.StatusOK // as the server says then
	}
	facts := []any{
		"method", r.Method, "path", r.URL.Path, "status", a.status, "bytes", a.bytes, "took", took,
		"by", a.who.Name, "role", a.who.Role.String(), "from", addressOf(r),
	}
	if a.who.From != "" {
		facts[len(facts)-1] = a.who.From
	}
	if f := a.refused; f != nil {
		facts = append(facts, "refused", f.code)
		if f.cause != nil {
			facts = append(facts, "err", f.cause)
		}
	}
	g.Logger.Log(context.WithoutCancel(r.Context()), level, "dashboard", facts...)
}

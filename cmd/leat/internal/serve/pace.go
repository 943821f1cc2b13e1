package serve

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// partWithin is how long a client may take for each part that is sent to it: not for all of
// an answer, which of a stream of events has no end. bodyWithin is how long it may take for
// what it sends, if whoever handles that does not say.
const (
	partWithin = 30 * time.Second
	bodyWithin = 10 * time.Second
)

// paced serves h to clients that keep up. A stream of events ends when stop does.
func paced(stop context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(stop, cancel)()
			r = r.WithContext(ctx)
		}
		p := &pacedWriter{ResponseWriter: w, connection: http.NewResponseController(w)}
		if r.ContentLength != 0 {
			_ = p.connection.SetReadDeadline(time.Now().Add(bodyWithin)) // or else there is no limit
		}
		h.ServeHTTP(p, r)
		p.extend() // for what is still to be flushed
	})
}

// A pacedWriter gives a client some time for each part of an answer.
type pacedWriter struct {
	http.ResponseWriter
	connection *http.ResponseController
}

func (w *pacedWriter) extend() {
	_ = w.connection.SetWriteDeadline(time.Now().Add(partWithin)) // or else there is no limit, as in a test's recorder
}

func (w *pacedWriter) WriteHeader(status int) {
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	w.extend()
	return w.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

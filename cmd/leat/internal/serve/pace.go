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

// paced serves h to clients that keep up. What is answered with a stream of events ends when
// stop does, whatever the client has said that it takes.
func paced(stop context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := context.WithCancel(r.Context())
		defer end()
		p := &pacedWriter{ResponseWriter: w, connection: http.NewResponseController(w), stop: stop, end: end}
		defer p.release()
		if r.ContentLength != 0 {
			_ = p.connection.SetReadDeadline(time.Now().Add(bodyWithin)) // or else there is no limit
		}
		h.ServeHTTP(p, r.WithContext(ctx))
		p.extend() // for what is still to be flushed
	})
}

// A pacedWriter gives a client some time for each part of an answer.
type pacedWriter struct {
	http.ResponseWriter
	connection *http.ResponseController

	stop  context.Context
	end   context.CancelFunc // of the request
	begun bool
	leave func() bool // has stop forget the request; nil: stop does not know it
}

// begin has a stream of events end when stop does.
func (w *pacedWriter) begin() {
	if !w.begun && strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		w.leave = context.AfterFunc(w.stop, w.end)
	}
	w.begun = true
}

func (w *pacedWriter) release() {
	if w.leave != nil {
		w.leave()
	}
}

func (w *pacedWriter) extend() {
	_ = w.connection.SetWriteDeadline(time.Now().Add(partWithin)) // or else there is no limit, as in a test's recorder
}

func (w *pacedWriter) WriteHeader(status int) {
	w.begin()
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	w.begin()
	w.extend()
	return w.ResponseWriter.Write(p)
}

// FlushError is for [http.ResponseController].
func (w *pacedWriter) FlushError() error {
	w.begin()
	w.extend()
	return w.connection.Flush()
}

// Unwrap is for [http.ResponseController].
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

package serve

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// How long a client may take for what it sends, and for taking what is sent to it: not
// for all of an answer, which for a stream of events does not end, but for each part.
const (
	bodyWithin = time.Minute
	partWithin = 30 * time.Second
)

// paced serves h to clients that keep up. A stream of events ends when stop does.
func paced(stop context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(stop, cancel)()
			r = r.WithContext(ctx)
		}
		if r.ContentLength != 0 {
			r.Body = &pacedBody{ReadCloser: r.Body, connection: c, until: time.Now().Add(bodyWithin)}
		}
		p := &pacedWriter{ResponseWriter: w, connection: c}
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

// A pacedBody gives a client some time for all that it sends. Once that is read, what
// becomes of it may take as long as it takes.
type pacedBody struct {
	io.ReadCloser
	connection *http.ResponseController
	until      time.Time
}

func (b *pacedBody) Read(p []byte) (int, error) {
	_ = b.connection.SetReadDeadline(b.until) // or else there is no limit
	defer func() { _ = b.connection.SetReadDeadline(time.Time{}) }()
	return b.ReadCloser.Read(p)
}

package live

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// writePatience is how long a browser may take to read what was sent to it.
const writePatience = 20 * time.Second

// Serve sends what a follower is told as server-sent events, until either ends, and has it
// leave then; of HEAD, only that there is a stream. Between two tellings there is at least pause. The events are
//
//	part     {"name": ..., "html": ...}: how a part of the page looks now
//	beat     {"at": ...}: when it was seen that what is shown is so
//	trouble  "...": why that is not known
//	gone     "...": there is nothing to show any more
//
// say tells in a sentence what an error means to who looks.
func Serve(w http.ResponseWriter, r *http.Request, f *Follower, pause time.Duration, say func(error) string) {
	defer f.Leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	s := &stream{control: http.NewResponseController(w), out: w}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		s.zip = gzip.NewWriter(w)
		s.out = s.zip
	}
	w.WriteHeader(http.StatusOK)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-f.News():
		}
		parts, at, err := f.Take()
		for _, p := range parts {
			s.event("part", p)
		}
		switch {
		case err == nil:
			s.event("beat", map[string]time.Time{"at": at.UTC()})
		case errors.Is(err, ErrGone):
			s.event("gone", say(err))
		case errors.Is(err, ErrOver):
			return
		default:
			s.event("trouble", say(err))
		}
		if s.flush(); s.err != nil || errors.Is(err, ErrGone) {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(pause):
		}
	}
}

// A stream writes events.
type stream struct {
	control *http.ResponseController
	out     io.Writer
	zip     *gzip.Writer // nil: it is not made smaller
	err     error
}

func (s *stream) event(name string, data any) {
	var text bytes.Buffer
	e := json.NewEncoder(&text) // ends with a newline
	e.SetEscapeHTML(false)
	if s.err = errors.Join(s.err, e.Encode(data)); s.err != nil {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(writePatience)) // if it can be set
	_, s.err = fmt.Fprintf(s.out, "event: %s\ndata: %s\n", name, text.Bytes())
}

func (s *stream) flush() {
	if s.zip != nil && s.err == nil {
		s.err = s.zip.Flush()
	}
	if s.err == nil {
		s.err = s.control.Flush()
	}
}

package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/leatwork/leat/web/internal/problem"
)

// worthPacking is how many bytes an answer has at least that is compressed.
const worthPacking = 4 << 10

// send answers with JSON, or with a file to be saved.
func send(w http.ResponseWriter, r *http.Request, answer any) error {
	if f, ok := answer.(file); ok {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
		write(w, r, http.StatusOK, f.data)
		return nil
	}
	text, err := encode(answer)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	write(w, r, http.StatusOK, text)
	return nil
}

// sendProblem answers with what is wrong.
func sendProblem(w http.ResponseWriter, r *http.Request, p problem.Problem) {
	text, err := encode(p)
	if err != nil {
		text = []byte("{}") // a problem can be encoded
	}
	w.Header().Set("Content-Type", "application/problem+json")
	write(w, r, p.Status, text)
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// write writes an answer: nothing of it, if who asks has it already, and compressed if it
// is large and that is understood.
func write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Content-Disposition") == "" {
		h.Set("Cache-Control", "private, no-cache")
	}
	h.Set("Vary", "Accept-Encoding")
	if status == http.StatusOK && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		tag := tagOf(body)
		h.Set("ETag", tag)
		if matches(r.Header.Get("If-None-Match"), tag) {
			h.Del("Content-Type")
			h.Del("Content-Disposition")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if len(body) >= worthPacking && understandsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = packed(body)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // who does not read it any more is told nothing
	}
}

// tagOf returns a name for what body says, however it is compressed.
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

func matches(header, tag string) bool {
	return slices.ContainsFunc(strings.Split(header, ","), func(one string) bool {
		one = strings.TrimSpace(one)
		return one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/")
	})
}

func packed(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // which is a level
	_, _ = z.Write(body)                            // nor can a buffer fail
	_ = z.Close()
	return b.Bytes()
}

func understandsGzip(r *http.Request) bool {
	q, named := quality(r.Header.Values("Accept-Encoding"), func(coding string) bool { return coding == "gzip" })
	return named && q > 0
}

// accepts reports whether an answer of a media type is welcome.
func accepts(r *http.Request, media string) bool {
	kind, _, _ := strings.Cut(media, "/")
	for _, as := range []string{media, kind + "/*", "*/*"} {
		if q, named := quality(r.Header.Values("Accept"), func(given string) bool { return given == as }); named {
			return q > 0
		}
	}
	return len(r.Header.Values("Accept")) == 0
}

// quality returns how welcome the first one is that is found in a header with qualities.
func quality(header []string, is func(string) bool) (q float64, found bool) {
	for _, one := range strings.Split(strings.Join(header, ","), ",") {
		name, rest, weighed := strings.Cut(strings.ToLower(one), ";")
		if !is(strings.TrimSpace(name)) {
			continue
		}
		q := 1.0
		if weighed {
			for _, p := range strings.Split(rest, ";") {
				if value, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
					q, _ = strconv.ParseFloat(value, 64) // what is no number is not welcome
				}
			}
		}
		return q, true
	}
	return 0, false
}

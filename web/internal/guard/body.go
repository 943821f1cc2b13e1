package guard

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// mostBody is how large the body of a request may be.
const mostBody = 1 << 20

// hurry bounds how long a body may take to arrive, also one that nobody reads: the server
// would wait for it before it goes on.
func (g *Guard) hurry(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(g.Patience)) // if it can be set
	}
}

// readBody reads the body of r, so that whoever handles r has it without waiting, or
// says why it is refused.
func (g *Guard) readBody(w http.ResponseWriter, r *http.Request) *refusal {
	if r.ContentLength == 0 {
		return nil
	}
	if !changes(r) {
		return refuse(http.StatusBadRequest, "body", "nothing can be sent along with this")
	}
	if r.ContentLength > mostBody {
		return tooLarge()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return refuse(http.StatusRequestTimeout, "slow", "the request took too long to arrive")
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "body", "the request did not arrive whole")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // there is no hurry any more
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength, r.TransferEncoding = int64(len(body)), nil
	return nil
}

func tooLarge() *refusal {
	return refuse(http.StatusRequestEntityTooLarge, "size", "the request is larger than 1 MiB")
}

package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Where probes ask.
const (
	LivePath  = "/healthz" // does the process live?
	ReadyPath = "/readyz"  // does its storage answer?
)

const (
	readyWithin = 2 * time.Second // how long the storage may take
	readyFresh  = time.Second     // for how long its answer counts
)

// Probes answers [LivePath] and [ReadyPath] to everybody, with 200 or 503 and a word: who
// asks learns nothing else. However many ask, ready is called once a second at most.
func Probes(ready func(context.Context) error) http.Handler {
	r := &readiness{ask: ready}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+LivePath, func(w http.ResponseWriter, _ *http.Request) { word(w, true) })
	mux.HandleFunc("GET "+ReadyPath, func(w http.ResponseWriter, q *http.Request) { word(w, r.now(q.Context())) })
	return mux
}

// A readiness is whether a storage has answered lately.
type readiness struct {
	ask func(context.Context) error

	mu    sync.Mutex
	until time.Time
	ok    bool
}

func (r *readiness) now(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().After(r.until) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWithin) // others share it
		defer cancel()
		r.ok = r.ask(ctx) == nil
		r.until = time.Now().Add(readyFresh)
	}
	return r.ok
}

func word(w http.ResponseWriter, ok bool) {
	text, status := "ok\n", http.StatusOK
	if !ok {
		text, status = "unavailable\n", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // whoever asked may have gone
}

// ErrNotServing is that nobody answers at an address who lives.
var ErrNotServing = errors.New("nobody serves there")

// Check asks the server that runs as s says whether it lives. Who answers need not prove
// who it is: it is on this machine.
func (s *Server) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	scheme := "http"
	if s.Cert != "" {
		scheme = "https"
	}
	address := scheme + "://" + net.JoinHostPort(own(s.Host), strconv.Itoa(int(s.Port))) + LivePath
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	t := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true} //nolint:gosec // see above
	answer, err := t.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotServing, err)
	}
	defer func() { _ = answer.Body.Close() }() // was not read
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s says %s", ErrNotServing, address, answer.Status)
	}
	return nil
}

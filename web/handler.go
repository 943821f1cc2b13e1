package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/leatwork/leat/web/internal/assets"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/guard"
	"github.com/leatwork/leat/web/internal/live"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/pages"
	"github.com/leatwork/leat/web/internal/prom"
	"github.com/leatwork/leat/web/internal/storage"
)

// A Handler serves the dashboard. Its methods may be called from several goroutines.
type Handler struct {
	cfg   Config
	hub   *live.Hub
	prom  *prom.Client // nil: there is none
	inner http.Handler
	guard *guard.Guard
	outer http.Handler // the guard, and what is behind it
}

// New returns the dashboard that cfg describes. It asks the storage for nothing yet. It
// returns a [task.InvalidError] for each fault of cfg, all joined.
//
// Close ends it.
func New(cfg Config) (*Handler, error) {
	figures, err := prometheus(cfg)
	if err := errors.Join(cfg.check(), err); err != nil {
		return nil, fmt.Errorf("new dashboard: %w", err)
	}
	cfg = cfg.withDefaults()
	rules, err := mask.New(cfg.Unmasked, cfg.Mask...)
	if err != nil {
		return nil, fmt.Errorf("new dashboard: %w", err)
	}
	log := audit.New(cfg.Broker, cfg.Logger)
	store := storage.New(cfg.Broker, cfg.Refresh/2)
	h := &Handler{cfg: cfg, hub: live.New(cfg.Refresh, cfg.Timeout), prom: figures}
	doer := &deed.Doer{Storage: store, Recorder: log, Rules: rules}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+assets.Prefix, assets.Serve)
	mux.Handle("/", pages.New(pages.Config{
		Root: cfg.Root, Name: cfg.Name, ReadOnly: cfg.ReadOnly, Storage: store, Doer: doer, Hub: h.hub, Prom: figures, Rules: rules, Audit: log, Patience: cfg.Timeout, Logger: cfg.Logger,
	}))
	h.inner = http.StripPrefix(cfg.Root, mux)
	h.guard, err = guard.New(guard.Config{
		Root: cfg.Root, Authoriser: cfg.Authoriser, Hosts: cfg.Hosts, ReadOnly: cfg.ReadOnly, Harmless: []string{"/settings"}, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("new dashboard: %w", err)
	}
	h.outer = h.guard.Wrap(http.HandlerFunc(h.serve))
	return h, nil
}

// Close ends the streams of all who look, and what is being done for them, and returns when
// nothing goes on any more. The broker stays open.
func (h *Handler) Close() error {
	h.hub.Close()
	if h.prom != nil {
		h.prom.Close()
	}
	return nil
}

// prometheus returns who asks the Prometheus server that cfg names, or nil.
func prometheus(cfg Config) (*prom.Client, error) {
	if cfg.Prometheus == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	return prom.New(cfg.Prometheus, prom.Options{Timeout: cfg.Timeout})
}

// ServeHTTP answers a request for what is below Root.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.outer.ServeHTTP(w, r) }

// serve answers a request that has come through the guard.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	path, below := strings.CutPrefix(r.URL.Path, h.cfg.Root)
	switch {
	case !below || path != "" && path[0] != '/':
		http.NotFound(w, r)
	case path == "" && h.cfg.Root != "":
		http.Redirect(w, r, h.cfg.Root+"/", http.StatusMovedPermanently)
	default:
		h.inner.ServeHTTP(w, r)
	}
}

package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/api"
	"github.com/leatwork/leat/web/internal/assets"
	"github.com/leatwork/leat/web/internal/asynqmon"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/guard"
	"github.com/leatwork/leat/web/internal/live"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/pages"
	"github.com/leatwork/leat/web/internal/prom"
	"github.com/leatwork/leat/web/internal/storage"
	"github.com/leatwork/leat/web/internal/trail"
)

// A Handler serves the dashboard. Its methods may be called from several goroutines.
type Handler struct {
	cfg     Config
	storage *storage.Storage
	doer    *deed.Doer
	hub     *live.Hub
	prom    *prom.Client // nil: there is none
	guard   *guard.Guard
	inner   http.Handler // behind the guard, and without the root
	outer   http.Handler
}

// harmless are paths to which everybody may post: nothing of what is shown changes.
var harmless = []string{"/settings", "/settings/columns", "/storage/verify"}

// New returns the dashboard that cfg describes. It asks the storage for nothing yet. It
// returns a [task.InvalidError] for each fault of cfg, all joined.
//
// Close ends it.
func New(cfg Config) (*Handler, error) { return newHandler(cfg, false) }

// newHandler returns a dashboard, or, if it is absent, what stands in for it.
func newHandler(cfg Config, absent bool) (*Handler, error) {
	faults := cfg.check()
	if cfg.Broker == nil && !absent {
		faults = errors.Join(faults, task.Invalid("Config.Broker", nil, "is needed"))
	}
	cfg = cfg.withDefaults()
	h := &Handler{cfg: cfg, hub: live.New(cfg.Refresh, cfg.Timeout)}
	rules, err := mask.New(cfg.Unmasked, cfg.Mask...)
	faults = errors.Join(faults, err)
	trails, err := cfg.trails()
	faults = errors.Join(faults, err)
	h.prom, err = prometheus(cfg)
	faults = errors.Join(faults, err)
	h.guard, err = guard.New(guard.Config{
		Root: cfg.Root, Authoriser: cfg.Authoriser, Hosts: cfg.Hosts, ReadOnly: cfg.ReadOnly, Harmless: harmless, Logger: cfg.Logger,
	})
	if faults = errors.Join(faults, err); faults != nil {
		return nil, fmt.Errorf("new dashboard: %w", faults)
	}
	h.storage = storage.New(cfg.Broker, cfg.Refresh/2)
	routes := h.absent
	if !absent {
		routes = func() http.Handler { return h.routes(rules, trails) }
	}
	h.inner = http.StripPrefix(cfg.Root, routes())
	h.outer = h.guard.Wrap(http.HandlerFunc(h.serve))
	return h, nil
}

// routes returns who answers what, below the root.
func (h *Handler) routes(rules *mask.Rules, trails []trail.Link) http.Handler {
	cfg, log := h.cfg, audit.New(h.cfg.Broker, h.cfg.Logger)
	h.doer = &deed.Doer{Storage: h.storage, Recorder: log, Rules: rules, Logger: cfg.Logger}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+assets.Prefix, assets.Serve)
	mux.Handle(api.Prefix+"/", api.New(api.Config{
		Root: cfg.Root, Storage: h.storage, Doer: h.doer, Mask: rules, Audit: log, Prom: h.prom, ReadOnly: cfg.ReadOnly, Patience: cfg.Timeout, Logger: cfg.Logger,
	}))
	mux.Handle(asynqmon.Prefix+"/", asynqmon.New(asynqmon.Config{
		Storage: h.storage, Doer: h.doer, Mask: rules, Prom: h.prom, ReadOnly: cfg.ReadOnly, Patience: cfg.Timeout, Logger: cfg.Logger,
	}))
	mux.Handle("/", pages.New(pages.Config{
		Root: cfg.Root, Name: cfg.Name, Color: cfg.Color, Others: cfg.places(), ReadOnly: cfg.ReadOnly, Storage: h.storage, Doer: h.doer, Rules: rules, Audit: log, Hub: h.hub, Prom: h.prom,
		MaxPayload: cfg.MaxPayload, MaxResult: cfg.MaxResult, Patience: cfg.Timeout, Logger: cfg.Logger, Links: trails, FormatPayload: cfg.FormatPayload, FormatResult: cfg.FormatResult,
	}))
	return mux
}

// Close ends the streams of all who look, and what is being done for them, and returns when
// nothing goes on any more. The broker stays open.
func (h *Handler) Close() error {
	h.hub.Close()
	h.doer.Close()
	h.storage.Close()
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

// serve answers a request that has come through the guard. Once something may have been
// changed, all who look are shown what there is now.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	path, below := strings.CutPrefix(r.URL.Path, h.cfg.Root)
	switch {
	case !below || path != "" && path[0] != '/':
		http.NotFound(w, r)
		return
	case path == "" && h.cfg.Root != "":
		http.Redirect(w, r, h.cfg.Root+"/", http.StatusMovedPermanently)
		return
	}
	h.inner.ServeHTTP(w, r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !slices.Contains(harmless, path) {
		h.storage.Changed()
		h.hub.Again()
	}
}

package web

import (
	"net/http"
	"strings"

	"github.com/leatwork/leat/web/internal/assets"
	"github.com/leatwork/leat/web/internal/asynqmon"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/pages"
)

// Absent returns what stands in for the dashboard that cfg describes while its storage
// cannot be opened: whoever may look is told so, with status 503, by every page, from which
// the menu leads to the others, and by the API. cfg.Broker is not needed. The errors are
// those of [New].
func Absent(cfg Config) (*Handler, error) {
	return newHandler(cfg, true)
}

// absent answers everything with that there is no storage.
func (h *Handler) absent() http.Handler {
	cfg := h.cfg
	h.doer = &deed.Doer{Storage: h.storage}
	shown := pages.New(pages.Config{
		Root: cfg.Root, Name: cfg.Name, Color: cfg.Color, Others: cfg.places(), ReadOnly: cfg.ReadOnly, Storage: h.storage, Hub: h.hub, Patience: cfg.Timeout, Logger: cfg.Logger,
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+assets.Prefix, assets.Serve)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		shown.Absent(w, r, strings.HasPrefix(r.URL.Path, asynqmon.Prefix+"/")) // which our own API is below, too
	})
	return mux
}

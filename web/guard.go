package web

import "net/http"

// Guard serves next, which is beside the dashboard, to those who may look at that. It may
// find out who they are by [access.From].
func (h *Handler) Guard(next http.Handler) http.Handler { return h.guard.Wrap(next) }

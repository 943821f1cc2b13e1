package serve

import (
	"net"
	"net/http"
	"net/http/pprof"
)

// ProfilePath is below which profiles are.
const ProfilePath = "/debug/pprof/"

// Profiles answers what go tool pprof asks, to those who ask from this machine: directly,
// and by no name that somebody else may have given it.
func Profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ProfilePath, pprof.Index)
	mux.HandleFunc("GET "+ProfilePath+"cmdline", http.NotFound) // it may hold a password
	mux.HandleFunc("GET "+ProfilePath+"profile", pprof.Profile)
	mux.HandleFunc("GET "+ProfilePath+"symbol", pprof.Symbol)
	mux.HandleFunc("GET "+ProfilePath+"trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !IsLoopback(hostOf(r.RemoteAddr)) || !IsLoopback(hostOf(r.Host)) || r.Header.Get("Origin") != "" || forwarded(r) {
			http.Error(w, "profiles are for this machine only", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func forwarded(r *http.Request) bool {
	return r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != ""
}

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

package serve

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"strconv"

	"github.com/leatwork/leat/web/access"
)

// ProfilePath is below which profiles are.
const ProfilePath = "/debug/pprof/"

// longest is for how many seconds a profile may be taken.
const longest = 60

// Profiles answers what go tool pprof asks, to an admin who asks from this machine:
// directly, and by no name that somebody else may have given it. Who asks is in the context
// of a request, see [access.From].
func Profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ProfilePath, pprof.Index)
	mux.HandleFunc("GET "+ProfilePath+"cmdline", http.NotFound) // it may hold a password
	mux.HandleFunc("GET "+ProfilePath+"profile", pprof.Profile)
	mux.HandleFunc("GET "+ProfilePath+"symbol", pprof.Symbol)
	mux.HandleFunc("GET "+ProfilePath+"trace", pprof.Trace)
	here := access.Loopback()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, elsewhere := here.Authorise(r)
		switch {
		case elsewhere != nil || fromPage(r):
			http.Error(w, "profiles are for this machine only", http.StatusForbidden)
		case !access.From(r.Context()).Role.Allows(access.Admin):
			http.Error(w, "profiles are for admins only", http.StatusForbidden)
		case !short(r):
			http.Error(w, fmt.Sprintf("a profile may take %d seconds", longest), http.StatusBadRequest)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// fromPage reports whether the page of another site has a browser ask.
func fromPage(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.Header.Get("Origin") != "" || site != "" && site != "same-origin" && site != "none"
}

// short reports whether what is asked for does not take long.
func short(r *http.Request) bool {
	text := r.URL.Query().Get("seconds")
	if text == "" {
		return true
	}
	seconds, err := strconv.ParseFloat(text, 64)
	return err == nil && seconds >= 0 && seconds <= longest
}

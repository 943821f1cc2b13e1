package guard

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

// A Config says what comes through.
type Config struct {
	Root       string // what all paths begin with: "" or "/leat"
	Authoriser access.Authoriser
	Hosts      []string // names, besides localhost and addresses, for who asks without a credential
	ReadOnly   bool     // nothing is changed, whoever asks

	// Harmless are paths, without Root, to which everybody may post, also if ReadOnly is
	// set: they change nothing but the browser that does.
	Harmless []string

	// Patience is how long the body of a request may take to arrive. 0: 10 seconds.
	Patience time.Duration

	Logger *slog.Logger
}

// A Guard stands before a handler. It may be used by several goroutines.
type Guard struct {
	Config
	hosts  []string
	origin *http.CrossOriginProtection
}

const defaultPatience = 10 * time.Second

// New returns the guard that cfg describes, or a [task.InvalidError] for each of its
// faults, all joined.
func New(cfg Config) (*Guard, error) {
	g := &Guard{Config: cfg, origin: http.NewCrossOriginProtection()}
	if g.Patience == 0 {
		g.Patience = defaultPatience
	}
	var faults []error
	for _, host := range cfg.Hosts {
		name := access.HostName(host)
		if name == "" || strings.ContainsAny(name, "/\\@*?# ") || name != strings.TrimSuffix(strings.ToLower(host), ".") {
			faults = append(faults, task.Invalid("Config.Hosts", host, "must be names, without scheme, port or star"))
		}
		g.hosts = append(g.hosts, name)
	}
	if cfg.Authoriser == nil {
		faults = append(faults, task.Invalid("Config.Authoriser", nil, "is needed"))
	}
	if cfg.Logger == nil {
		faults = append(faults, task.Invalid("Config.Logger", nil, "is needed"))
	}
	return g, errors.Join(faults...)
}

// Wrap returns next behind the guard.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		a := &answer{ResponseWriter: w}
		setHeaders(w.Header())
		defer func() {
			cause := recover()
			cut := cause != nil && g.panicked(a, r, cause)
			g.log(r, a, time.Since(began))
			if cut {
				panic(http.ErrAbortHandler) // so that what is there is not taken for the whole
			}
		}()
		g.hurry(w, r)
		g.serve(a, r, next)
	})
}

// serve has next answer r, if it comes through.
func (g *Guard) serve(a *answer, r *http.Request, next http.Handler) {
	a.who, a.refused = g.admit(r)
	if a.refused == nil {
		a.refused = g.readBody(a, r)
	}
	switch {
	case a.refused != nil:
		g.refuse(a, r, a.refused)
	case r.Method == http.MethodOptions:
		a.Header().Set("Allow", allowed)
		a.WriteHeader(http.StatusNoContent)
	default:
		next.ServeHTTP(a, r.WithContext(access.With(r.Context(), a.who)))
	}
}

// admit returns who asks, or why they are refused.
func (g *Guard) admit(r *http.Request) (access.Identity, *refusal) {
	if refused := g.checkForm(r); refused != nil {
		return access.Identity{}, refused
	}
	who, err := g.Authoriser.Authorise(r)
	if err != nil {
		return access.Identity{}, unknown(err)
	}
	if who.From == "" {
		who.From = addressOf(r)
	}
	switch {
	case who.Role < access.Viewer || who.Role > access.Admin:
		return who, refuse(http.StatusForbidden, "role", "you may not see anything here")
	case who.Weak && !g.isOurs(r.Host):
		return who, refuse(http.StatusForbidden, "host", "this is not served under that name: it has to be among the hosts of the configuration")
	}
	return who, g.checkChange(r, who)
}

// methods are all that are served.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete, http.MethodOptions}

var allowed = strings.Join(methods, ", ")

// checkForm refuses what nobody may ask for.
func (g *Guard) checkForm(r *http.Request) *refusal {
	if !slices.Contains(methods, r.Method) {
		return refuse(http.StatusMethodNotAllowed, "method", "this method is not served")
	}
	if !isPlain(r.URL.Path) {
		return refuse(http.StatusNotFound, "path", "there is no such page")
	}
	return g.checkOrigin(r)
}

// isPlain reports whether a path leads where it says: names of queues and tasks are not
// in paths, so there is nothing in them that would have to be written otherwise.
func isPlain(p string) bool {
	return strings.HasPrefix(p, "/") && !strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) &&
		(path.Clean(p) == p || path.Clean(p)+"/" == p)
}

// checkOrigin refuses what another site has a browser ask, except for going to a page.
func (g *Guard) checkOrigin(r *http.Request) *refusal {
	if err := g.origin.Check(r); err != nil {
		return refuse(http.StatusForbidden, "origin", "another site has asked for this")
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if site == "" || site == "same-origin" || site == "none" {
		return nil
	}
	if r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" && !changes(r) {
		return nil
	}
	return refuse(http.StatusForbidden, "origin", "another site has asked for this")
}

// changes reports whether a request may change something.
func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// checkChange refuses changes that who asks may not make, whatever they are.
func (g *Guard) checkChange(r *http.Request, who access.Identity) *refusal {
	switch {
	case !changes(r) || g.isHarmless(r):
		return nil
	case g.ReadOnly && g.isAsynqmons(r):
		return refuse(http.StatusMethodNotAllowed, "read-only", "nothing is changed from here: the dashboard is read-only")
	case g.ReadOnly:
		return refuse(http.StatusForbidden, "read-only", "nothing is changed from here: the dashboard is read-only")
	case !who.Role.Allows(access.Operator):
		return refuse(http.StatusForbidden, "role", fmt.Sprintf("your role, %s, does not allow it: it takes %s", who.Role, access.Operator))
	}
	return nil
}

func (g *Guard) isHarmless(r *http.Request) bool {
	rest, below := strings.CutPrefix(r.URL.Path, g.Root)
	return r.Method == http.MethodPost && below && slices.Contains(g.Harmless, rest)
}

// isAsynqmons reports whether a path is one of asynqmon's API, which says of what changes
// something that the method is not allowed, where nothing is changed.
func (g *Guard) isAsynqmons(r *http.Request) bool {
	rest, below := strings.CutPrefix(r.URL.Path, g.Root+"/api/")
	return below && !strings.HasPrefix(rest, "v1/")
}

// isOurs reports whether somebody without a credential may ask for a host. An address is
// what no other site can make its own name mean.
func (g *Guard) isOurs(host string) bool {
	name := access.HostName(host)
	_, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil || name != "" && slices.Contains(g.hosts, name)
}

// addressOf returns the address that a connection has come from.
func addressOf(r *http.Request) string {
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return at.Addr().Unmap().String()
	}
	return r.RemoteAddr
}

package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/prom"
	"github.com/leatwork/leat/web/internal/storage"
)

// Prefix is what the paths of the API begin with.
const Prefix = "/api/v1"

// A Config says what the API is about.
type Config struct {
	Root     string // at which the dashboard is mounted: what the document is told
	Storage  *storage.Storage
	Doer     *deed.Doer
	Mask     *mask.Rules  // what is hidden from whom; nil: nothing
	Audit    *audit.Log   // what was done; nil: nobody has kept that
	Prom     *prom.Client // nil: there is none
	ReadOnly bool
	Patience time.Duration // for how long who reads may wait for the storage; 0: as long as it takes
	Logger   *slog.Logger
}

// An api answers requests.
type api struct {
	Config
	routes   []route
	byPath   map[string][]*route
	document any // what it is, as OpenAPI has it
}

// New returns the handler of everything under [Prefix]. Who asks is in the context of a
// request, see [access.From].
func New(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	a := &api{Config: c, byPath: map[string][]*route{}}
	a.routes = routes()
	for i := range a.routes {
		r := &a.routes[i]
		a.byPath[r.path] = append(a.byPath[r.path], r)
	}
	a.document = document(c.Root, a.routes)
	return a
}

// ServeHTTP answers a request, and if that cannot be done says why.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.Patience > 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		ctx, cancel := context.WithTimeout(r.Context(), a.Patience)
		defer cancel()
		r = r.WithContext(ctx)
	}
	answer, err := a.answer(w, r)
	if err == nil {
		err = send(w, r, answer)
	}
	if err == nil || r.Context().Err() != nil && !errors.Is(err, context.DeadlineExceeded) {
		return // or nobody is there any more
	}
	p := problem.Of(err)
	if p.Status >= http.StatusInternalServerError {
		a.Logger.ErrorContext(r.Context(), "a request to the API failed", "path", r.URL.Path, "err", err)
	}
	sendProblem(w, r, p)
}

// answer returns what a request is answered with.
func (a *api) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	path, below := strings.CutPrefix(r.URL.Path, Prefix)
	found := a.byPath[path]
	if !below || len(found) == 0 {
		return nil, problem.New(http.StatusNotFound, "no-route", "there is nothing at this address; "+Prefix+"/openapi.json has what there is")
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	i := slices.IndexFunc(found, func(r *route) bool { return r.method == method })
	if i < 0 {
		w.Header().Set("Allow", allowed(found))
		return nil, problem.New(http.StatusMethodNotAllowed, "method", r.Method+" is not what this address is for")
	}
	return a.play(w, r, found[i])
}

// play has a route answer.
func (a *api) play(w http.ResponseWriter, r *http.Request, is *route) (any, error) {
	who := access.From(r.Context())
	if !who.Role.Allows(is.role) {
		return nil, problem.New(http.StatusForbidden, "role", "it takes "+is.role.String()+", and you are "+who.Role.String())
	}
	if a.ReadOnly && is.method != http.MethodGet {
		return nil, problem.New(http.StatusForbidden, "read-only", "nothing is changed here")
	}
	args, err := parse(r.URL.RawQuery, is.params)
	if err != nil {
		return nil, err
	}
	if !is.raw && !accepts(r, "application/json") {
		return nil, problem.New(http.StatusNotAcceptable, "accept", "the answer is application/json")
	}
	asked := request{args: args, who: who, from: r.RemoteAddr}
	if is.body != nil {
		if asked.body, err = bodyOf(w, r); err != nil {
			return nil, err
		}
	}
	return is.do(r.Context(), a, &asked)
}

func allowed(routes []*route) string {
	var methods []string
	for _, r := range routes {
		methods = append(methods, r.method)
		if r.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

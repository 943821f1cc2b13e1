package asynqmon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/prom"
	"github.com/leatwork/leat/web/internal/storage"
)

// Prefix is what the paths begin with.
const Prefix = "/api"

// A Config says what is answered about.
type Config struct {
	Storage  *storage.Storage
	Doer     *deed.Doer
	Mask     *mask.Rules  // what is hidden from whom; nil: nothing
	Prom     *prom.Client // for metrics; nil: there are none
	ReadOnly bool
	Patience time.Duration // for how long who reads may wait for the storage; 0: as long as it takes
	Logger   *slog.Logger
}

// A monitor answers requests.
type monitor struct {
	Config
	routes []route
}

// New returns the handler of everything under [Prefix]. Who asks is in the context of a
// request, see [access.From].
func New(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &monitor{c, routes()}
}

// A call is a request on its way.
type call struct {
	who    access.Identity
	names  map[string]string // from the path
	query  url.Values
	body   []byte
	writer http.ResponseWriter
}

// ServeHTTP answers a request, and if that cannot be done says why.
func (m *monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.Patience > 0 && r.Method == http.MethodGet {
		ctx, cancel := context.WithTimeout(r.Context(), m.Patience)
		defer cancel()
		r = r.WithContext(ctx)
	}
	answer, err := m.answer(w, r)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case err != nil && r.Context().Err() != nil && !errors.Is(err, context.DeadlineExceeded): // nobody is there any more
	case err != nil:
		p := problem.Of(err)
		m.log(r.Context(), r.URL.Path, err)
		write(w, p.Status, "application/problem+json", p)
	case answer == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		write(w, http.StatusOK, "application/json", answer)
	}
}

// log tells the logger what the storage said, which nobody else is told.
func (m *monitor) log(ctx context.Context, path string, err error) {
	if problem.Of(err).Status >= http.StatusInternalServerError {
		m.Logger.ErrorContext(ctx, "a request to the API of asynqmon failed", "path", path, "err", err)
	}
}

func write(w http.ResponseWriter, status int, media string, v any) {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // who does not read it any more is told nothing
}

// answer returns what a request is answered with, nil if there is nothing to tell.
func (m *monitor) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	found, names, others := m.find(r)
	switch {
	case found == nil && others == nil:
		return nil, problem.New(http.StatusNotFound, "no-route", "there is nothing at this address")
	case found == nil || m.ReadOnly && found.method != http.MethodGet:
		w.Header().Set("Allow", strings.Join(others, ", "))
		return nil, problem.New(http.StatusMethodNotAllowed, "method", r.Method+" is not allowed here")
	}
	c := &call{who: access.From(r.Context()), names: names, writer: w}
	var err error
	if c.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, problem.New(http.StatusBadRequest, "query", "the query cannot be read")
	}
	if err := m.admit(c, found); err != nil {
		return nil, err
	}
	if found.takesIDs {
		if c.body, err = bodyOf(w, r); err != nil {
			return nil, err
		}
	}
	return found.do(r.Context(), m, c)
}

// admit refuses who may not ask, and what nobody may ask for.
func (m *monitor) admit(c *call, r *route) error {
	if !c.who.Role.Allows(r.least()) {
		return problem.New(http.StatusForbidden, "role", "it takes "+r.least().String()+", and you are "+c.who.Role.String())
	}
	for name := range c.query {
		if !slices.Contains(r.params, name) {
			return problem.New(http.StatusBadRequest, "query", "there is no parameter "+name)
		}
	}
	return nil
}

// find returns the route of a request and the names in its path, or the methods that
// others have at that path.
func (m *monitor) find(r *http.Request) (found *route, names map[string]string, methods []string) {
	path, below := strings.CutPrefix(r.URL.EscapedPath(), Prefix+"/")
	if !below {
		return nil, nil, nil
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name, err := url.PathUnescape(part)
		if err != nil || name == "" {
			return nil, nil, nil
		}
		parts[i] = name
	}
	for i := range m.routes {
		one := &m.routes[i]
		given, ok := one.match(parts)
		if !ok {
			continue
		}
		if methods = append(methods, one.method); one.method == method {
			found, names = one, given
		}
	}
	if m.ReadOnly {
		methods = slices.DeleteFunc(methods, func(method string) bool { return method != http.MethodGet })
		if found != nil && methods == nil {
			methods = []string{}
		}
	}
	return found, names, methods
}

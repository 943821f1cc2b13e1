package task

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// ErrHandlerNotFound is wrapped by the error of [NotFound].
var ErrHandlerNotFound = errors.New("handler not found for task")

// A Mux is a handler that hands each task to the handler registered for its
// type.
//
// Patterns are prefixes of types, and the longest one that fits wins: with
// handlers for "image" and "image:resize", the second runs "image:resize" and
// "image:resize:large", and the first every other type that begins with
// "image". A pattern that is the whole type is the longest there can be.
//
// The zero Mux is empty and ready to use. All methods may be called from
// several goroutines, also while tasks are being run.
type Mux struct {
	mu         sync.RWMutex
	routes     map[string]route
	lengths    []int // of the patterns, each once, longest first
	middleware []Middleware
	notFound   Handler // wrapped in the middleware; nil until there is some
	reserved   map[string]bool
	needed     map[string]bool

	backgrounds map[string]func(context.Context) error
}

// A route is what is registered for one pattern.
type route struct {
	handler Handler // as it was registered
	wrapped Handler // in the middleware
}

// NewMux returns an empty Mux.
func NewMux() *Mux { return new(Mux) }

// Handle registers h for the types that begin with pattern. It panics if
// pattern is blank or not the beginning of any name ([CheckMadeName]), if h is
// nil, or if pattern has a handler already.
func (m *Mux) Handle(pattern string, h Handler) {
	if err := CheckMadeName("pattern", pattern); err != nil {
		panic("task: " + err.Error())
	}
	if CheckHandler(h) != nil {
		panic("task: nil handler for " + pattern)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, exists := m.routes[pattern]; exists {
		panic("task: multiple registrations for " + pattern)
	}
	if m.routes == nil {
		m.routes = make(map[string]route)
	}
	m.routes[pattern] = route{handler: h, wrapped: wrap(h, m.middleware)}
	m.lengths = withLength(m.lengths, len(pattern))
}

// HandleFunc is [Mux.Handle] for a function.
func (m *Mux) HandleFunc(pattern string, f func(context.Context, *Task) error) {
	m.Handle(pattern, HandlerFunc(f))
}

// Use puts middleware around every handler, those registered before and after,
// and around the answer to tasks that have none. The first is outermost: it
// sees the task first and the error last. Use panics if one is nil or returns
// a nil handler.
func (m *Mux) Use(middleware ...Middleware) {
	if slices.ContainsFunc(middleware, func(w Middleware) bool { return w == nil }) {
		panic("task: nil middleware")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.Concat(m.middleware, middleware)
	notFound := wrap(NotFoundHandler(), all)
	routes := make(map[string]route, len(m.routes))
	for pattern, r := range m.routes {
		routes[pattern] = route{handler: r.handler, wrapped: wrap(r.handler, all)}
	}
	m.middleware, m.notFound, m.routes = all, notFound, routes
}

// Handler returns the handler for t, wrapped in the middleware, and the
// pattern that it is registered for. If there is none it returns
// [NotFoundHandler], wrapped likewise, and "". The handler is never nil.
func (m *Mux) Handler(t *Task) (h Handler, pattern string) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	typ := t.Type()
	for _, n := range m.lengths {
		if n > len(typ) {
			continue
		}
		if r, ok := m.routes[typ[:n]]; ok {
			return r.wrapped, typ[:n]
		}
	}
	if m.notFound == nil {
		return NotFoundHandler(), ""
	}
	return m.notFound, ""
}

// ProcessTask runs t with the handler that [Mux.Handler] returns.
func (m *Mux) ProcessTask(ctx context.Context, t *Task) error {
	h, _ := m.Handler(t)
	return h.ProcessTask(ctx, t)
}

// Reserve names a queue that whoever serves this Mux must serve too, with
// workers of its own. It is for packages that register handlers and need a
// queue for themselves. It panics if the name is not one ([CheckMadeName]).
func (m *Mux) Reserve(queue string) {
	if err := CheckMadeName("queue", queue); err != nil {
		panic("task: " + err.Error())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reserved == nil {
		m.reserved = make(map[string]bool)
	}
	m.reserved[queue] = true
}

// Reserved returns the queues that were reserved, each once, sorted.
func (m *Mux) Reserved() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.reserved))
}

// Need names a queue that whoever serves this Mux must serve anyway: a server that
// does not, refuses to start. It is for packages that do something for the tasks of
// the queue besides. It panics if the name is not one ([CheckMadeName]).
func (m *Mux) Need(queue string) {
	if err := CheckMadeName("queue", queue); err != nil {
		panic("task: " + err.Error())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.needed == nil {
		m.needed = make(map[string]bool)
	}
	m.needed[queue] = true
}

// Needed returns the queues that are needed, each once, sorted.
func (m *Mux) Needed() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.needed))
}

// Background has whoever serves this Mux run the function beside the tasks, from
// when it begins to take tasks until it no longer does. It is for packages that
// register handlers and have something to do besides. Middleware is not put around
// it.
//
// A server that has started before does not run it. Each of the others calls run
// once, on a goroutine of its own, and ends ctx when it stops; run should then
// return soon. If run returns nil earlier, it is not called again; if it returns an
// error or panics, it is, after a pause. It may be run by many servers at a time.
//
// Background panics if name is not one ([CheckMadeName]) or is taken by another
// background, or if run is nil.
func (m *Mux) Background(name string, run func(ctx context.Context) error) {
	if err := CheckMadeName("background", name); err != nil {
		panic("task: " + err.Error())
	}
	if run == nil {
		panic("task: nil background " + name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, exists := m.backgrounds[name]; exists {
		panic("task: multiple backgrounds " + name)
	}
	if m.backgrounds == nil {
		m.backgrounds = make(map[string]func(context.Context) error)
	}
	m.backgrounds[name] = run
}

// Backgrounds returns the functions that were registered with [Mux.Background], by
// their names. The map is the caller's.
func (m *Mux) Backgrounds() map[string]func(context.Context) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.backgrounds)
}

// NotFound returns an error that names the type of t and wraps
// [ErrHandlerNotFound].
func NotFound(_ context.Context, t *Task) error {
	return fmt.Errorf("%w %q", ErrHandlerNotFound, t.Type())
}

// NotFoundHandler returns [NotFound] as a handler.
func NotFoundHandler() Handler { return HandlerFunc(NotFound) }

// wrap returns h inside middleware, the first of which is outermost.
func wrap(h Handler, middleware []Middleware) Handler {
	for _, w := range slices.Backward(middleware) {
		if h = w(h); CheckHandler(h) != nil {
			panic("task: middleware returned a nil handler")
		}
	}
	return h
}

// withLength returns lengths, which are sorted downwards, with n among them.
func withLength(lengths []int, n int) []int {
	at, found := slices.BinarySearchFunc(lengths, n, func(have, want int) int { return want - have })
	if found {
		return lengths
	}
	return slices.Insert(lengths, at, n)
}

package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/leatwork/leat/web/access"
)

// A route is an address, and what answers there.
type route struct {
	method string
	path   string // behind [Prefix]
	tag    string // the chapter of the document that it is in
	help   string // what it does, a sentence
	role   access.Role
	params []param      // of the query
	body   *schema      // of what is sent; nil: nothing is
	gives  reflect.Type // what it answers, as JSON
	raw    bool         // or it answers with bytes

	do func(ctx context.Context, a *api, r *request) (any, error)
}

// A request is what was asked of a route.
type request struct {
	args args
	body []byte
	who  access.Identity
	from string
}

// routes returns the table of them.
func routes() []route {
	var all []route
	for _, chapter := range [][]route{
		statsRoutes(), figureRoutes(), chartRoutes(), queueRoutes(), taskRoutes(), facetRoutes(), serverRoutes(), entryRoutes(), runRoutes(), viewRoutes(), retryRoutes(), deedRoutes(), bulkRoutes(), documentRoutes(),
	} {
		all = append(all, chapter...)
	}
	return all
}

// get returns the route on which something is read.
func get[T any](path, tag, help string, params []param, read func(ctx context.Context, a *api, r *request) (T, error)) route {
	return route{
		method: http.MethodGet, path: path, tag: tag, help: help, role: access.Viewer, params: params, gives: reflect.TypeFor[T](),
		do: func(ctx context.Context, a *api, r *request) (any, error) { return read(ctx, a, r) },
	}
}

// download returns the route on which bytes are read as they are.
func download(path, tag, help string, params []param, read func(ctx context.Context, a *api, r *request) (file, error)) route {
	r := get(path, tag, help, params, read)
	r.raw = true
	return r
}

// A file is bytes that are answered as they are, to be saved.
type file struct {
	name string
	data []byte
}

// A List is some of the things that were asked for.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // the cursor with which to go on; "": there are no more
}

// listOf returns all there is of something.
func listOf[T any](items []T) List[T] {
	if items == nil {
		items = []T{}
	}
	return List[T]{Items: items}
}

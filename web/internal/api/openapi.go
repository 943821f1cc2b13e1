package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/problem"
)

func documentRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/openapi.json", tag: "about", help: "This document.", role: access.Viewer,
		do: func(_ context.Context, a *api, _ *request) (any, error) { return a.document, nil },
	}}
}

// An object is one of JSON.
type object map[string]any

// document returns what OpenAPI 3.1 says of routes.
func document(root string, routes []route) object {
	known := schemas{}
	paths := map[string]object{}
	for _, r := range routes {
		if paths[r.path] == nil {
			paths[r.path] = object{}
		}
		paths[r.path][strings.ToLower(r.method)] = r.operation(known)
	}
	failure := object{
		"description": "What is wrong.",
		"content":     object{"application/problem+json": object{"schema": known.of(reflect.TypeFor[problem.Problem]())}},
	}
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title":       "Leat",
			"version":     "1",
			"description": "What is in a storage of Leat, and what can be done with it. A name stays what it is, and more may come.",
		},
		"servers":    []object{{"url": root + Prefix}},
		"paths":      paths,
		"components": object{"schemas": known, "responses": object{"Problem": failure}},
	}
}

// operation returns what the document says of a route.
func (r *route) operation(known schemas) object {
	o := object{
		"operationId": operationID(r),
		"tags":        []string{r.tag},
		"summary":     r.help,
		"description": "It takes the role " + r.role.String() + ".",
		"responses": object{
			strconv.Itoa(http.StatusOK): object{"description": "It is done.", "content": r.content(known)},
			"default":                   object{"$ref": "#/components/responses/Problem"},
		},
	}
	var params []object
	for _, p := range r.params {
		params = append(params, object{"name": p.name, "in": "query", "description": p.help, "required": p.required, "schema": p.schema()})
	}
	if params != nil {
		o["parameters"] = params
	}
	if r.body != nil {
		o["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": r.body}}}
	}
	return o
}

// content returns what is answered.
func (r *route) content(known schemas) object {
	switch {
	case r.raw:
		return object{"application/octet-stream": object{}}
	case r.gives == nil:
		return object{"application/json": object{"schema": &schema{Type: "object"}}}
	default:
		return object{"application/json": object{"schema": known.of(r.gives)}}
	}
}

// schema returns what the values of a parameter look like.
func (p param) schema() *schema {
	s := &schema{Type: string(p.kind), Enum: p.words}
	if p.def != "" {
		s.Default = p.value(p.def)
	}
	if p.kind == number {
		s.Minimum, s.Maximum = &p.least, &p.most
	}
	return s
}

// value returns what a text of a parameter is in JSON.
func (p param) value(text string) any {
	switch p.kind {
	case number:
		n, _ := strconv.Atoi(text) // a default is one
		return n
	case truth:
		return text == "true"
	default:
		return text
	}
}

// operationID returns a name for a route that is one word: "getQueueHistory".
func operationID(r *route) string {
	id := strings.ToLower(r.method)
	for _, part := range strings.FieldsFunc(r.path, func(c rune) bool { return strings.ContainsRune("/.-", c) }) {
		id += fmt.Sprint(strings.ToUpper(part[:1]), part[1:])
	}
	return id
}

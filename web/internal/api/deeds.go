package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// deedRoutes returns a route for each deed that there is.
func deedRoutes() []route {
	var all []route
	for _, d := range deed.All(access.Admin) {
		all = append(all, route{
			method: http.MethodPost, path: "/" + string(d.Kind) + "/" + d.Name, tag: chapters[d.Kind], help: d.Help,
			role: d.Role, body: bodySchema(d), gives: reflect.TypeFor[Done](),
			do: func(ctx context.Context, a *api, r *request) (any, error) { return a.doOne(ctx, r, d) },
		})
	}
	return all
}

// chapters are those of the document.
var chapters = map[deed.Kind]string{
	deed.Task: "tasks", deed.Queue: "queues", deed.Group: "groups", deed.Entry: "entries", deed.Run: "runs", deed.Server: "servers",
}

// Done is that something was done.
type Done struct {
	Message string `json:"message"` // what came of it
}

// doOne does a deed to what a request names.
func (a *api) doOne(ctx context.Context, r *request, d deed.Deed) (any, error) {
	t, args, err := readDeed(d, r.body)
	if err != nil {
		return nil, err
	}
	said, err := a.Doer.Do(ctx, r.who, d, t, args)
	if err != nil {
		return nil, err
	}
	a.Storage.Changed()
	return Done{said}, nil
}

// readDeed reads what is sent for a deed: the fields of its target, and its parameters.
func readDeed(d deed.Deed, body []byte) (t deed.Target, args map[string]string, err error) {
	var sent map[string]json.RawMessage
	if err := decode(body, &sent); err != nil {
		return t, nil, err
	}
	fields := targetOf(d)
	args = map[string]string{}
	for name, value := range sent {
		i := slices.IndexFunc(d.Params, func(p deed.Param) bool { return p.Name == name })
		switch {
		case i >= 0:
			if args[name], err = argument(d.Params[i], value); err != nil {
				return t, nil, err
			}
		case slices.Contains(fields, name):
			into := &t.ID
			if name == "queue" {
				into = &t.Queue
			}
			if json.Unmarshal(value, into) != nil || *into == "" {
				return t, nil, task.Invalid(name, string(value), "must be a name")
			}
		default:
			return t, nil, task.Invalid(name, string(value), "is no field of what is to be sent")
		}
	}
	for _, name := range fields {
		if _, given := sent[name]; !given {
			return t, nil, task.Invalid(name, "", "is needed")
		}
	}
	return t, args, nil
}

// targetOf returns which fields of a target say what a deed is done to.
func targetOf(d deed.Deed) []string {
	switch {
	case d.New:
		return nil
	case d.Kind == deed.Queue:
		return []string{"queue"}
	case d.Kind == deed.Entry || d.Kind == deed.Server:
		return []string{"id"}
	default:
		return []string{"queue", "id"}
	}
}

// argument returns a value as a deed takes it: of a string what it says, and anything else
// as it is written, if the parameter can be that.
func argument(p deed.Param, value json.RawMessage) (string, error) {
	value = bytes.TrimSpace(value)
	var said string
	if json.Unmarshal(value, &said) == nil && value[0] == '"' {
		return said, nil
	}
	written := string(value)
	fits := map[deed.Form]bool{
		deed.JSON:   true,
		deed.Number: strings.ContainsAny(written[:1], "-0123456789"),
		deed.Truth:  written == "true" || written == "false",
	}
	if !fits[p.Form] {
		return "", task.Invalid(p.Name, written, "must be a string, of the form "+string(p.Form))
	}
	return written, nil
}

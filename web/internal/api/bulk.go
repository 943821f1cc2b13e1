package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

func bulkRoutes() []route {
	return []route{
		{
			method: http.MethodPost, path: "/bulk", tag: "bulk", role: access.Operator,
			help: "Have a deed done to all things that a query takes, beside everything else. With dry, only say what it would be done to.",
			body: structSchema(reflect.TypeFor[bulkOrder](), "kind", "deed", "query"), gives: reflect.TypeFor[Begun](), do: beginBulk,
		},
		get("/bulk", "bulk", "How far a bulk has come. One that has ended is known for an hour.", []param{idParam}, func(_ context.Context, a *api, r *request) (deed.Progress, error) {
			p, err := a.Doer.Progress(r.args["id"])
			return p.Shown(r.who.Role, a.Mask), err
		}),
		get("/bulks", "bulk", "All bulks that are known, the latest first.", nil, func(_ context.Context, a *api, r *request) (List[deed.Progress], error) {
			all := a.Doer.Bulks()
			for i := range all {
				all[i] = all[i].Shown(r.who.Role, a.Mask)
			}
			return listOf(all), nil
		}),
		{
			method: http.MethodPost, path: "/bulk/stop", tag: "bulk", role: access.Operator,
			help: "Have a bulk end after the step that it is at.",
			body: structSchema(reflect.TypeFor[bulkName](), "id"), gives: reflect.TypeFor[deed.Progress](), do: stopBulk,
		},
	}
}

// A bulkOrder is what is sent to begin a bulk.
type bulkOrder struct {
	Kind    deed.Kind         `json:"kind"`
	Deed    string            `json:"deed"`
	Query   string            `json:"query"`
	Args    map[string]string `json:"args,omitempty"`
	Confirm int               `json:"confirm,omitempty"`
	Dry     bool              `json:"dry,omitempty"`
}

// A bulkName is what is sent to stop a bulk.
type bulkName struct {
	ID string `json:"id"`
}

// Begun is that a bulk was begun, or what it would be done to.
type Begun struct {
	ID      string        `json:"id,omitempty"`
	Preview *deed.Preview `json:"preview,omitempty"`
}

func beginBulk(ctx context.Context, a *api, r *request) (any, error) {
	var o bulkOrder
	if err := decode(r.body, &o); err != nil {
		return nil, err
	}
	for field, value := range map[string]string{"kind": string(o.Kind), "deed": o.Deed} {
		if value == "" {
			return nil, task.Invalid(field, value, "is needed")
		}
	}
	b := deed.Bulk{Kind: o.Kind, Deed: o.Deed, Query: o.Query, Args: o.Args, Confirm: o.Confirm}
	if o.Dry {
		p, err := a.Doer.Preview(ctx, r.who, b)
		return Begun{Preview: &p}, err
	}
	id, err := a.Doer.Begin(ctx, r.who, b)
	return Begun{ID: id}, err
}

func stopBulk(_ context.Context, a *api, r *request) (any, error) {
	var n bulkName
	if err := decode(r.body, &n); err != nil {
		return nil, err
	}
	if strings.TrimSpace(n.ID) == "" {
		return nil, task.Invalid("id", n.ID, "is needed")
	}
	if err := a.Doer.Stop(r.who, n.ID); err != nil {
		return nil, err
	}
	p, err := a.Doer.Progress(n.ID)
	return p.Shown(r.who.Role, a.Mask), err
}

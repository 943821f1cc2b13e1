package api

import (
	"context"
	"slices"

	"github.com/leatwork/leat/web/internal/views"
)

func viewRoutes() []route {
	return []route{get("/views", "views", "The views that are kept of lists, but for those whose query asks for what is hidden.", nil, listViews)}
}

func listViews(ctx context.Context, a *api, r *request) (List[views.View], error) {
	all, err := a.Storage.Views(ctx)
	return listOf(slices.DeleteFunc(slices.Clone(all), func(v views.View) bool { return v.Allowed(r.who.Role, a.Mask) != nil })), err
}

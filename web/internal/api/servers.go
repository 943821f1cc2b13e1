package api

import (
	"context"
	"net/http"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/web/internal/problem"
)

func serverRoutes() []route {
	return []route{
		get("/servers", "servers", "The servers that are alive, and what each of them runs.", []param{queryParam("servers"), limitParam, cursorParam}, listServers),
		get("/server", "servers", "One server that is alive.", []param{idParam}, readServer),
	}
}

func listServers(ctx context.Context, a *api, r *request) (List[view.Server], error) {
	q, err := query.Servers.Parse(r.args["q"])
	if err != nil {
		return List[view.Server]{}, err
	}
	servers, err := a.Storage.Servers(ctx)
	if err != nil {
		return List[view.Server]{}, err
	}
	now := time.Now()
	var shown []view.Server
	for _, s := range servers {
		if q.Match(now, s) {
			shown = append(shown, a.Mask.Server(r.who.Role, view.ServerOf(now, s)))
		}
	}
	return pageOf(r, "/servers", shown, func(s view.Server) string { return s.ID })
}

func readServer(ctx context.Context, a *api, r *request) (view.Server, error) {
	servers, err := a.Storage.Servers(ctx)
	if err != nil {
		return view.Server{}, err
	}
	for _, s := range servers {
		if s.ID == r.args["id"] {
			return a.Mask.Server(r.who.Role, view.ServerOf(time.Now(), s)), nil
		}
	}
	return view.Server{}, problem.New(http.StatusNotFound, "no-server", "there is no such server, or it is not alive")
}

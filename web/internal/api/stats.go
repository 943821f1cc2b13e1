package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/problem"
)

func statsRoutes() []route {
	return []route{
		get("/stats", "storage", "How many tasks there are in all queues, and what was done today.", nil, readStats),
		get("/storage", "storage", "What the storage tells of itself.", nil, readStorage),
		get("/whoami", "storage", "Who you are taken for, and what you may do.", nil, readIdentity),
	}
}

func readStats(ctx context.Context, a *api, _ *request) (view.Stats, error) {
	queues, err := a.Storage.Queues(ctx)
	if err != nil {
		return view.Stats{}, err
	}
	servers, err := a.Storage.Servers(ctx)
	if err != nil {
		return view.Stats{}, err
	}
	s := view.StatsOf(queues.Infos)
	s.Servers, s.Broken = len(servers), texts(queues.Broken)
	about, err := a.Storage.About(ctx)
	switch {
	case err == nil:
		told := view.StorageOf(about)
		s.Broker = &told
	case !errors.Is(err, errors.ErrUnsupported):
		return view.Stats{}, err
	}
	return s, nil
}

func readStorage(ctx context.Context, a *api, _ *request) (view.Storage, error) {
	about, err := a.Storage.About(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return view.Storage{}, problem.New(http.StatusNotImplemented, "not-told", "this storage tells nothing of itself")
	}
	return view.StorageOf(about), err
}

// An Identity is who somebody is taken for.
type Identity struct {
	Name     string      `json:"name"`
	Role     access.Role `json:"role"`
	ReadOnly bool        `json:"read_only"`
	Deeds    []string    `json:"deeds"` // what they may do, as "kind/deed"
}

func readIdentity(_ context.Context, a *api, r *request) (Identity, error) {
	i := Identity{Name: r.who.Name, Role: r.who.Role, ReadOnly: a.ReadOnly, Deeds: []string{}}
	if a.ReadOnly {
		return i, nil
	}
	for _, d := range deed.All(r.who.Role) {
		i.Deeds = append(i.Deeds, string(d.Kind)+"/"+d.Name)
	}
	return i, nil
}

// texts returns what errors say.
func texts(errs map[string]error) map[string]string {
	if len(errs) == 0 {
		return nil
	}
	said := make(map[string]string, len(errs))
	for name, err := range errs {
		said[name] = problem.Why(err)
	}
	return said
}

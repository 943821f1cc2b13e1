package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
)

func entryRoutes() []route {
	return []route{
		get("/entries", "entries", "Periodic entries, in order of their names; those of asynq's schedulers only without a query.", []param{queryParam("entries"), limitParam, cursorParam}, listEntries),
		get("/entry", "entries", "All that is known of a periodic entry.", []param{nameParam}, readEntry),
		get("/entry/history", "entries", "What was decided of the ticks of an entry, and done to it, the last one first.", []param{nameParam}, readTicks),
	}
}

// Entries are some periodic entries.
type Entries struct {
	List[view.Entry]

	Broken map[string]string `json:"broken,omitempty"` // those that cannot be read, and why
}

func listEntries(ctx context.Context, a *api, r *request) (Entries, error) {
	q, err := query.Entries.Parse(r.args["q"])
	if err != nil {
		return Entries{}, err
	}
	all, err := a.Storage.AllEntries(ctx)
	if err != nil {
		return Entries{}, err
	}
	infos, schedulers := all.Infos, all.Schedulers
	if !q.Empty() {
		now := time.Now()
		infos, schedulers = slices.DeleteFunc(slices.Clone(infos), func(i periodic.Info) bool { return !q.Match(now, i) }), nil
	}
	shown := view.EntriesOf(infos, schedulers)
	for i, e := range shown {
		shown[i] = a.Mask.Entry(r.who.Role, e)
	}
	page, err := pageOf(r, "/entries", shown, func(e view.Entry) string { return e.Name })
	return Entries{page, texts(all.Broken)}, err
}

func readEntry(ctx context.Context, a *api, r *request) (view.Entry, error) {
	i, err := a.Storage.Entries.Get(ctx, r.args["name"])
	if !errors.Is(err, periodic.ErrEntryNotFound) {
		if err != nil {
			return view.Entry{}, err
		}
		return a.Mask.Entry(r.who.Role, view.EntryOf(i)), nil
	}
	all, also := a.Storage.AllEntries(ctx)
	if also != nil {
		return view.Entry{}, also
	}
	for _, e := range view.EntriesOf(nil, all.Schedulers) {
		if e.Name == r.args["name"] {
			return a.Mask.Entry(r.who.Role, e), nil
		}
	}
	return view.Entry{}, err
}

func readTicks(ctx context.Context, a *api, r *request) (List[view.Tick], error) {
	name := r.args["name"]
	events, missing := a.Storage.Entries.History(ctx, name)
	if missing != nil && !errors.Is(missing, periodic.ErrEntryNotFound) {
		return List[view.Tick]{}, missing
	}
	enqueued, err := a.Storage.Broker.Ticks(ctx, name, broker.MaxTicks)
	if err != nil {
		return List[view.Tick]{}, err
	}
	if missing != nil && len(enqueued) == 0 {
		if _, err := readEntry(ctx, a, r); err != nil {
			return List[view.Tick]{}, err
		}
	}
	return listOf(view.TicksOf(events, enqueued)), nil
}

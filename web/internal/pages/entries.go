package pages

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/spoken"
	"github.com/leatwork/leat/web/internal/storage"
)

var entriesPage = page{path: "/entries", name: "entries", title: "Periodic", modules: "query", load: loadEntries}

// entries are the periodic entries, or those that a query takes.
type entries struct {
	Query    string
	Fault    *fault
	Headings []heading
	Rows     []entryRow
	All      int
	Left     int // how many are not shown, because they are too many
	Broken   []brokenQueue
	Runners  int // schedulers that are alive
	Kept     kept
}

// An entryRow is a periodic entry.
type entryRow struct {
	view.Entry
	Words string // of its schedule
}

// Ours reports whether something can be done to it: asynq's schedulers have theirs to
// themselves.
func (r entryRow) Ours() bool { return r.Source != view.SourceAsynq }

// State is what it is for deeds.
func (r entryRow) State() string {
	if r.Paused != nil {
		return "paused"
	}
	return "running"
}

const mostEntries = 500 // in the table

var entryColumns = []column[entryRow]{
	{Key: "name", Title: "Name", less: func(a, b entryRow) int { return strings.Compare(a.Name, b.Name) }},
	{Key: "state", Title: "State", less: func(a, b entryRow) int { return strings.Compare(a.State(), b.State()) }},
	{Title: "Schedule"},
	{Key: "next", Title: "Next", less: func(a, b entryRow) int { return compareLast(a.Next, b.Next) }},
	{Key: "last", Title: "Last", less: func(a, b entryRow) int { return compareLast(a.Prev, b.Prev) }},
	{Key: "type", Title: "Type", less: func(a, b entryRow) int { return strings.Compare(a.Type, b.Type) }},
	{Key: "queue", Title: "Queue", less: func(a, b entryRow) int { return strings.Compare(a.Queue, b.Queue) }},
	{Key: "source", Title: "Source", Help: "where it comes from", less: func(a, b entryRow) int { return strings.Compare(a.Source, b.Source) }},
}

// compareLast orders moments, those that are none last.
func compareLast(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

func loadEntries(ctx context.Context, p *Pages, r *request) (any, error) {
	all, err := p.Storage.AllEntries(ctx)
	if err != nil {
		return nil, err
	}
	infos := slices.Concat(all.Infos, asynqs(all))
	o := entries{Query: r.get("q"), Kept: p.kept(ctx, r), All: len(infos) + len(all.Broken), Runners: len(all.Schedulers)}
	takes, fault, err := parse(query.Entries, o.Query)
	if err != nil {
		return nil, err
	}
	if o.Fault = fault; fault == nil {
		shown := view.EntriesOf(all.Infos, all.Schedulers)
		now := p.Storage.Now()
		for i, info := range infos {
			if takes.Match(now, info) {
				o.Rows = append(o.Rows, entryRow{Entry: shown[i]})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all.Broken)) {
		o.Broken = append(o.Broken, brokenQueue{name, problem.Why(all.Broken[name])})
	}
	o.Headings, err = sorted(p, r, entryColumns, o.Rows)
	o.Rows, o.Left = firstOf(o.Rows, mostEntries)
	for i, row := range o.Rows {
		o.Rows[i].Words = spoken.Schedule(row.Schedule, row.Zone)
	}
	return o, err
}

// asynqs returns what a query can ask of the entries that only schedulers of asynq tell
// of, in the order in which [view.EntriesOf] has them behind the others.
func asynqs(all storage.Entries) (infos []periodic.Info) {
	known := map[string]bool{}
	for _, i := range all.Infos {
		known[i.Name] = true
	}
	for _, s := range all.Schedulers {
		for _, e := range s.Entries {
			if !known[e.ID] {
				infos = append(infos, periodic.Info{
					Entry:  periodic.Entry{Name: e.ID, Schedule: e.Spec, Type: e.Type},
					Source: view.SourceAsynq, Next: e.Next, Prev: e.Prev, RunBy: []string{s.ID},
				})
			}
		}
	}
	return infos
}

var entryPage = page{path: "/entry", name: "entry", tab: "/entries", load: loadEntry}

// An entryPlace is one periodic entry.
type entryPlace struct {
	entryRow
	Upcoming []time.Time
	Carries  []byte // its payload
	OpenRefs []broker.EntryRef
	Ticks    []view.Tick // the latest first
}

// Title names the entry.
func (e entryPlace) Title() string { return "Periodic entry " + e.Name }

const (
	mostUpcoming = 5
	mostTicks    = 200 // of asynq's
)

var errNoEntryName = problem.New(http.StatusBadRequest, "", "the address names no periodic entry")

func loadEntry(ctx context.Context, p *Pages, r *request) (any, error) {
	name := r.get("name")
	if name == "" {
		return nil, errNoEntryName
	}
	info, err := p.Storage.Entries.Get(ctx, name)
	if errors.Is(err, periodic.ErrEntryNotFound) {
		return p.asynqsEntry(ctx, r, name, err)
	}
	if err != nil {
		return nil, err
	}
	o := p.entryPlace(r, view.EntryOf(info))
	if fixed, _ := info.Payload.Data(); len(fixed) > 0 {
		o.Carries = p.Rules.Payload(r.Who.Role, fixed)
	}
	o.OpenRefs = info.Open
	if o.Upcoming, err = info.Upcoming(p.Storage.Now(), mostUpcoming); err != nil {
		o.Upcoming = nil // its schedule is of another program, or makes no sense: the words say it as it is
	}
	return o, nil
}

func (p *Pages) entryPlace(r *request, e view.Entry) entryPlace {
	o := entryPlace{entryRow: entryRow{p.Rules.Entry(r.Who.Role, e), spoken.Schedule(e.Schedule, e.Zone)}, Ticks: slices.Clone(e.History)}
	slices.Reverse(o.Ticks)
	return o
}

// asynqsEntry returns an entry that only a scheduler of asynq tells of; the error is
// missing if none does.
func (p *Pages) asynqsEntry(ctx context.Context, r *request, name string, missing error) (any, error) {
	all, err := p.Storage.AllEntries(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range all.Schedulers {
		for _, e := range s.Entries {
			if e.ID != name {
				continue
			}
			ticks, err := p.Storage.Broker.Ticks(ctx, name, mostTicks)
			if err != nil {
				return nil, err
			}
			o := p.entryPlace(r, view.EntryOfAsynq(s.ID, e))
			o.Carries = p.Rules.Payload(r.Who.Role, e.Payload)
			for _, t := range ticks {
				tick := view.TickOfAsynq(t)
				tick.Queue = cmp.Or(tick.Queue, o.Queue)
				o.Ticks = append(o.Ticks, tick)
			}
			return o, nil
		}
	}
	return nil, missing
}

package pages

import (
	"cmp"
	"context"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/storage"
	"github.com/leatwork/leat/web/internal/svg"
)

var queuesPage = page{path: "/queues", name: "queues", title: "Queues", modules: "query", load: loadQueues}

// queues are all queues, or those that a query takes.
type queues struct {
	Query    string
	Sort     string
	Fault    *fault
	Group    []grouping // what they can be grouped by
	Headings []heading
	Rows     []queueRow
	All      int // how many there are
	Left     int // how many are not shown, because they are too many
	Broken   []brokenQueue
	Kept     kept
}

// A queueRow is a queue in the table of queues, or several.
type queueRow struct {
	view.Queue
	Rolled   *rolled // the several; the rest is of all of them
	Within   bool    // it stands below the row of several
	Term     string  // takes its tasks
	Acts     string  // how it stands, as what may be done to it goes by that
	Memory   *int64
	Pace     storage.QueuePace
	Servers  int
	Unserved bool // no server listens, and tasks wait
	Bar      template.HTML
	Lately   template.HTML
}

// A brokenQueue is a queue that cannot be read.
type brokenQueue struct{ Name, Why string }

const mostQueues = 500 // in the table

var queueColumns = []column[queueRow]{
	{Key: "queue", Title: "Queue", less: func(a, b queueRow) int { return strings.Compare(a.Queue.Queue, b.Queue.Queue) }},
	{Title: "States"},
	byNumber("size", "Size", "", func(r queueRow) int { return r.Size }),
	byNumber("latency", "Latency", "for how long the task has been ready that is next", func(r queueRow) float64 { return r.LatencySeconds }),
	byNumber("memory", "Memory", "that the storage needs for it", func(r queueRow) int64 { return toInt(r.Memory) }),
	byNumber("processed", "Processed", "today, in UTC", func(r queueRow) int { return r.Processed }),
	byNumber("failed", "Failed", "today, in UTC", func(r queueRow) int { return r.Failed }),
	byNumber("errors", "Errors", "which part of those processed today has failed", func(r queueRow) float64 { return r.ErrorRate }),
	byNumber("rate", "Per second", "how many are processed", func(r queueRow) float64 { return r.Pace.Processed }),
	byNumber("drained", "Empty in", "when nothing is pending any more, if it goes on so", func(r queueRow) float64 { return r.drained() }),
	byNumber("servers", "Servers", "that take tasks from it", func(r queueRow) int { return r.Servers }),
}

func byNumber[N cmp.Ordered, T any](key, title, help string, of func(T) N) column[T] {
	return column[T]{Key: key, Title: title, Help: help, Num: true, less: func(a, b T) int { return cmp.Compare(of(a), of(b)) }}
}

// drained is for sorting: what is never empty comes last.
func (r queueRow) drained() float64 {
	if r.Pace.Drained == nil {
		return 1e300
	}
	return *r.Pace.Drained
}

func loadQueues(ctx context.Context, p *Pages, r *request) (any, error) {
	q, err := p.Storage.Queues(ctx)
	if err != nil {
		return nil, err
	}
	servers, err := p.Storage.Servers(ctx)
	if err != nil {
		return nil, err
	}
	o := queues{Query: r.get("q"), Sort: r.get("sort"), Group: groupings(r.get("group")), Kept: p.kept(ctx, r), All: len(q.Infos) + len(q.Broken)}
	takes, fault, err := parse(query.Queues, o.Query)
	if err != nil {
		return nil, err
	}
	if o.Fault = fault; fault == nil {
		now := p.Storage.Now()
		infos := slices.DeleteFunc(slices.Clone(q.Infos), func(i queue.QueueInfo) bool { return !takes.Match(now, i) })
		o.Rows = queueRows(q, infos, p.Storage.Paces(q), p.Storage.Memory(ctx), servers)
		if o.Rows, err = p.rollUp(r, o.Rows, servers); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.Broken)) {
		o.Broken = append(o.Broken, brokenQueue{name, problem.Why(q.Broken[name])})
	}
	if o.Headings, err = sorted(p, r, queueColumns, o.Rows); err != nil {
		return nil, err
	}
	if o.Rows, err = unrolled(p, r, o.Rows); err != nil {
		return nil, err
	}
	shown := min(len(o.Rows), mostQueues)
	o.Left, o.Rows = queuesIn(o.Rows[shown:]), o.Rows[:shown]
	for i := range o.Rows {
		o.Rows[i].draw()
	}
	return o, nil
}

func namesOf(infos []queue.QueueInfo) (names []string) {
	for _, i := range infos {
		names = append(names, i.Queue)
	}
	return names
}

func queueRows(q storage.Queues, infos []queue.QueueInfo, paces map[string]storage.QueuePace, memory map[string]int64, servers []broker.Server) []queueRow {
	serving := map[string]int{}
	for _, s := range servers {
		if s.Status == "active" {
			for name := range s.Queues {
				serving[name]++
			}
		}
	}
	rows := make([]queueRow, len(infos))
	for n, i := range infos {
		load := q.Loads.Queues[i.Queue]
		rows[n] = queueRow{Queue: view.QueueOf(i), Term: query.Term("queue", i.Queue), Acts: deed.QueueState(i.Paused), Pace: paces[i.Queue], Servers: serving[i.Queue], Unserved: serving[i.Queue] == 0 && load.Ready > 0}
		if bytes, ok := memory[i.Queue]; ok {
			rows[n].Memory = &bytes
		}
	}
	return rows
}

// draw draws what is drawn of a row.
func (r *queueRow) draw() {
	r.Bar = stateBar(r.Queue)
	if len(r.Pace.Past) > 1 {
		r.Lately = svg.Spark("processed per second, lately", "c0", r.Pace.Past)
	}
}

// stateBar draws how many tasks of a queue are in each state, as parts of one bar.
func stateBar(q view.Queue) template.HTML {
	var parts []svg.Part
	for _, s := range statesOf(q) {
		parts = append(parts, svg.Part{Name: s.Name, Class: "state-" + s.Name, Value: float64(s.Count)})
	}
	return svg.Progress("tasks by state: "+statesText(q), float64(q.Size), parts...)
}

// statesOf returns how many tasks of a queue are in each state, in the order in which
// states are shown.
func statesOf(q view.Queue) []counted {
	counts := q.States()
	all := make([]counted, len(shownStates))
	for i, s := range shownStates {
		all[i] = counted{s.String(), counts[s.String()]}
	}
	return all
}

func statesText(q view.Queue) string {
	var said []string
	for _, s := range statesOf(q) {
		if s.Count > 0 {
			said = append(said, svg.Count(float64(s.Count))+" "+s.Name)
		}
	}
	if said == nil {
		return "none"
	}
	return strings.Join(said, ", ")
}

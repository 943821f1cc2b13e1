package pages

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/storage"
	"github.com/leatwork/leat/web/internal/svg"
)

var queuePage = page{path: "/queue", name: "queue", tab: "/queues", load: loadQueue}

// A queuePlace is one queue.
type queuePlace struct {
	Name     string
	Acts     string // how it stands, as what may be done to it goes by that
	Broken   string // why it cannot be read
	Queue    view.Queue
	Pace     storage.QueuePace
	Unserved bool
	States   []counted
	Bar      template.HTML
	Servers  []serving
	Groups   []view.Group // the first of them
	Days     days
	Charts   charts
}

// Title names the queue.
func (q queuePlace) Title() string { return "Queue " + q.Name }

// A serving is a server that takes tasks from a queue.
type serving struct {
	view.Server
	Priority int
	Here     int // how many tasks of the queue it is running
}

const shownGroups = 20 // of a queue

var errNoQueue = problem.New(http.StatusBadRequest, "", "the address names no queue")

func loadQueue(ctx context.Context, p *Pages, r *request) (any, error) {
	name := r.get("name")
	if name == "" {
		return nil, errNoQueue
	}
	o := queuePlace{Name: name}
	q, err := p.Storage.Queues(ctx)
	if err != nil {
		return nil, err
	}
	if why := q.Broken[name]; why != nil {
		o.Broken = problem.Why(why)
		return o, nil
	}
	info, err := p.queueInfo(ctx, q, name)
	if err != nil {
		return nil, err
	}
	servers, err := p.Storage.Servers(ctx)
	if err != nil {
		return nil, err
	}
	o.Queue, o.Acts = view.QueueOf(info), deed.QueueState(info.Paused)
	if info.MemoryErr != nil {
		o.Queue.MemoryError = problem.Why(info.MemoryErr)
	}
	o.States, o.Bar = statesOf(o.Queue), stateBar(o.Queue)
	o.Pace = p.Storage.Paces(q)[name]
	o.Servers = serversOf(p.Storage.Now(), name, servers)
	o.Unserved = !slices.ContainsFunc(o.Servers, func(s serving) bool { return s.State == "active" }) && q.Loads.Queues[name].Ready > 0
	if info.Aggregating > 0 {
		if o.Groups, err = p.groupsOf(ctx, name); err != nil {
			return nil, err
		}
		o.Groups = o.Groups[:min(len(o.Groups), shownGroups)]
	}
	if o.Days, err = p.days(ctx, name, r.get("days")); err != nil {
		return nil, err
	}
	o.Charts = p.charts(ctx, r, name)
	return o, nil
}

// queueInfo returns the figures of a queue, of which q are the figures of all.
func (p *Pages) queueInfo(ctx context.Context, q storage.Queues, name string) (queue.QueueInfo, error) {
	at := slices.IndexFunc(q.Infos, func(i queue.QueueInfo) bool { return i.Queue == name })
	bytes, known := p.Storage.Memory(ctx)[name]
	if at >= 0 && known {
		info := q.Infos[at]
		info.Memory = bytes
		return info, nil
	}
	return p.Storage.QueueInfo(ctx, name)
}

// serversOf returns the servers that take tasks from a queue.
func serversOf(now time.Time, name string, servers []broker.Server) (all []serving) {
	for _, s := range servers {
		priority, serves := s.Queues[name]
		if !serves {
			continue
		}
		one := serving{Server: view.ServerOf(now, s), Priority: priority}
		for _, w := range s.Workers {
			if w.Entry.Queue == name {
				one.Here++
			}
		}
		all = append(all, one)
	}
	return all
}

// groupsOf returns the groups of a queue.
func (p *Pages) groupsOf(ctx context.Context, name string) ([]view.Group, error) {
	groups, err := p.Storage.Groups(ctx, name)
	if err != nil && !errors.Is(err, queue.ErrQueueNotFound) {
		return nil, err
	}
	shown := make([]view.Group, len(groups))
	for i, g := range groups {
		shown[i] = view.GroupOf(name, g)
	}
	return shown, nil
}

// days are the outcomes of a queue, day by day.
type days struct {
	Shown  int
	Ranges []int
	Days   []view.Day // today first
	Chart  template.HTML
}

var dayRanges = []int{7, 30, 90}

// days returns the outcomes of a queue on the last days, as many as text says if that is
// one of those that are offered.
func (p *Pages) days(ctx context.Context, name, text string) (days, error) {
	d := days{Shown: dayRanges[0], Ranges: dayRanges}
	if n, err := strconv.Atoi(text); err == nil && slices.Contains(dayRanges, n) {
		d.Shown = n
	}
	history, err := p.Storage.Inspector.History(ctx, name, d.Shown)
	if err != nil {
		return d, err
	}
	const day = 24 * time.Hour
	done, failed := svg.Series{Name: "done", Class: "c0"}, svg.Series{Name: "failed", Class: "c1"}
	for _, h := range slices.Backward(history) {
		done.Points = append(done.Points, svg.Point{At: h.Date, Value: float64(h.Processed - h.Failed)})
		failed.Points = append(failed.Points, svg.Point{At: h.Date, Value: float64(h.Failed)})
	}
	for _, h := range history {
		d.Days = append(d.Days, view.DayOf("", h))
	}
	if len(history) > 0 {
		d.Chart = svg.Columns(svg.Chart{
			Label: "Outcomes of the last " + quantity.Many(d.Shown, "day"), From: history[len(history)-1].Date, To: history[0].Date.Add(day),
			Series: []svg.Series{done, failed}, Width: 960, Height: 190,
		}, day)
	}
	return d, nil
}

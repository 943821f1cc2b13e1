package pages

import (
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue/broker"
)

// A rolled is several queues in one row: those whose names begin alike.
type rolled struct {
	Name     string // what they begin with, with the delimiter
	Rows     []queueRow
	Paused   int // how many of them are
	Unserved int
	Open     bool   // they have rows of their own below
	URL      string // of the page with them opened, or closed if they are
}

// A grouping is a delimiter behind which the names of queues may differ, as it is chosen.
type grouping struct {
	By     string
	Chosen bool
}

// delimiters are those that names of queues usually have.
var delimiters = []string{".", ":", "/", "-", "_"}

// groupings returns what queues can be grouped by, and whether they are to be.
func groupings(by string) (all []grouping) {
	for _, d := range delimiters {
		all = append(all, grouping{d, d == by})
	}
	return all
}

// rollUp returns rows with one in place of all whose names share what is before the first
// delimiter that r asks for, where there are several. If it asks for none, they stay.
func (p *Pages) rollUp(r *request, rows []queueRow, servers []broker.Server) ([]queueRow, error) {
	by := r.get("group")
	if !slices.Contains(delimiters, by) {
		return rows, nil
	}
	sharing := map[string][]queueRow{}
	for _, row := range rows {
		begins := beginning(row.Queue.Queue, by)
		sharing[begins] = append(sharing[begins], row)
	}
	var all []queueRow
	for _, row := range rows {
		begins := beginning(row.Queue.Queue, by)
		switch several := sharing[begins]; {
		case begins == "" || len(several) == 1:
			all = append(all, row)
		case several[0].Queue.Queue == row.Queue.Queue:
			one := rolledRow(begins, several)
			one.Servers = servingAny(several, servers)
			one.Rolled.Open = slices.Contains(r.Query["open"], begins)
			var err error
			if one.Rolled.URL, err = p.toggled(r, "open", begins); err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// beginning returns what of a name is before the first delimiter, and that: "" if there is
// nothing before it, or it has none.
func beginning(name, delimiter string) string {
	before, _, found := strings.Cut(name, delimiter)
	if !found || before == "" {
		return ""
	}
	return before + delimiter
}

// rolledRow returns the row of several queues: sums, the longest latency, and when the last
// of them is empty.
func rolledRow(begins string, rows []queueRow) queueRow {
	g := &rolled{Name: begins, Rows: rows}
	all := queueRow{Rolled: g, Term: query.Term("queue", begins, "")}
	all.Queue.Queue = begins
	all.Pace.Drained = new(float64)
	for _, r := range rows {
		all.add(r)
		if r.Paused {
			g.Paused++
		}
		if r.Unserved {
			g.Unserved++
		}
	}
	if all.Processed > 0 {
		all.ErrorRate = float64(all.Failed) / float64(all.Processed)
	}
	return all
}

// add adds the figures of a queue to those of several.
func (r *queueRow) add(one queueRow) {
	q, o := &r.Queue, one.Queue
	q.Size += o.Size
	q.Pending += o.Pending
	q.Active += o.Active
	q.Scheduled += o.Scheduled
	q.Retry += o.Retry
	q.Archived += o.Archived
	q.Completed += o.Completed
	q.Aggregating += o.Aggregating
	q.Groups += o.Groups
	q.Processed += o.Processed
	q.Failed += o.Failed
	q.ProcessedTotal += o.ProcessedTotal
	q.FailedTotal += o.FailedTotal
	q.LatencySeconds = max(q.LatencySeconds, o.LatencySeconds)
	if one.Memory != nil {
		sum := toInt(r.Memory) + *one.Memory
		r.Memory = &sum
	}
	r.addPace(one)
}

func (r *queueRow) addPace(one queueRow) {
	p, o := &r.Pace, one.Pace
	if !o.Known {
		return
	}
	p.Known = true
	p.Enqueued += o.Enqueued
	p.Processed += o.Processed
	p.Failed += o.Failed
	switch {
	case p.Drained == nil:
	case o.Drained == nil:
		p.Drained = nil
	default:
		last := max(*p.Drained, *o.Drained)
		p.Drained = &last
	}
	p.Past = sumOfLatest(p.Past, o.Past)
}

// sumOfLatest adds two rows of figures, each of which ends now.
func sumOfLatest(a, b []float64) []float64 {
	if len(a) < len(b) {
		a, b = b, a
	}
	sum := slices.Clone(a)
	for i, v := range b {
		sum[len(a)-len(b)+i] += v
	}
	return sum
}

// servingAny returns how many servers take tasks from any of some queues.
func servingAny(rows []queueRow, servers []broker.Server) int {
	n := 0
	for _, s := range servers {
		serves := func(r queueRow) bool { _, ok := s.Queues[r.Queue.Queue]; return ok }
		if s.Status == "active" && slices.ContainsFunc(rows, serves) {
			n++
		}
	}
	return n
}

// unrolled returns rows with those of the queues below the row of each group that is open,
// sorted as r says.
func unrolled(p *Pages, r *request, rows []queueRow) (all []queueRow, err error) {
	for _, row := range rows {
		all = append(all, row)
		if row.Rolled == nil || !row.Rolled.Open {
			continue
		}
		if _, err := sorted(p, r, queueColumns, row.Rolled.Rows); err != nil {
			return nil, err
		}
		for _, one := range row.Rolled.Rows {
			one.Within = true
			all = append(all, one)
		}
	}
	return all, nil
}

// queuesIn returns how many queues rows are of, each counted where it is shown.
func queuesIn(rows []queueRow) int {
	n := 0
	for _, r := range rows {
		switch {
		case r.Rolled == nil:
			n++
		case !r.Rolled.Open:
			n += len(r.Rolled.Rows)
		}
	}
	return n
}

// toggled returns the address of the page that r asks for, with a value among those of name
// in its query if it was not, and without it if it was.
func (p *Pages) toggled(r *request, name, value string) (string, error) {
	var pairs []any
	for _, key := range slices.Sorted(slices.Values(r.names())) {
		if key != "cursor" && key != "notice" {
			for _, v := range r.Query[key] {
				if key != name || v != value {
					pairs = append(pairs, key, v)
				}
			}
		}
	}
	if !slices.Contains(r.Query[name], value) {
		pairs = append(pairs, name, value)
	}
	return p.url(r.Page.path, pairs...)
}

package dash

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// shownStates are the states in the order in which they are shown.
var shownStates = []task.State{
	task.Active, task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating,
}

// A queueRow is a queue with what was seen of it before.
type queueRow struct {
	queue.QueueInfo
	broken error     // why its figures are not known
	speed  float64   // outcomes per second since the last look; negative: not known yet
	past   []float64 // speeds, the last one last
}

// A queues is the screen of all queues.
type queues struct {
	app    *app
	all    []queueRow
	seenAt time.Time
	memory memory
	table  table[queueRow]
	filter filter[queue.QueueInfo]
}

const mostPast = 60 // speeds that are kept

func newQueues(a *app) *queues {
	s := &queues{app: a, filter: filter[queue.QueueInfo]{language: query.Queues}}
	s.filter.changed, s.filter.known = s.apply, func() map[string][]string {
		values := map[string][]string{}
		for _, r := range s.all {
			values["queue"] = append(values["queue"], r.Queue)
		}
		return compacted(values)
	}
	s.table = table[queueRow]{
		sorted: -1, columns: s.columns(), key: func(r queueRow) string { return r.Queue },
		empty: "No queues.",
		open:  func(r queueRow) { a.push(newQueueScreen(a, r.Queue)) },
	}
	return s
}

func (s *queues) title() string        { return "Queues" }
func (s *queues) narrowing() narrowing { return &s.filter }
func (s *queues) click(x, y int)       { s.table.click(x, y) }
func (s *queues) wheel(by int)         { s.table.wheel(by) }

func (s *queues) ask() ask {
	known := s.memory
	return func(ctx context.Context) (func(), error) {
		infos, broken, err := s.app.inspector.Survey(ctx)
		if err != nil {
			return nil, err
		}
		at := s.app.now()
		measured := known.measure(ctx, s.app.inspector, infos, at)
		return func() {
			s.memory = measured
			s.take(infos, broken, at)
		}, nil
	}
}

// take shows figures that were looked at at a time.
func (s *queues) take(infos []queue.QueueInfo, broken map[string]error, at time.Time) {
	before := map[string]queueRow{}
	for _, r := range s.all {
		before[r.Queue] = r
	}
	s.all = nil
	for _, i := range infos {
		r := queueRow{QueueInfo: i, speed: -1}
		if old, ok := before[i.Queue]; ok && old.broken == nil {
			r.speed = speed(old.ProcessedTotal, i.ProcessedTotal, at.Sub(s.seenAt))
			r.past = append(old.past[max(len(old.past)-mostPast+1, 0):], max(r.speed, 0))
		}
		s.all = append(s.all, r)
	}
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		r := queueRow{broken: broken[name], speed: -1}
		r.Queue = name
		s.all = append(s.all, r)
	}
	s.seenAt = at
	s.apply()
}

// A memory is how many bytes queues take: of those that were asked, and answered.
type memory struct {
	at    time.Time
	bytes map[string]int64
}

const (
	measureEvery = 15 * time.Second // since it takes a trip or two for each queue
	measureMost  = 100              // queues
)

// measure returns m, or what there is instead of it if that is too old. That something is
// not known is no error.
func (m memory) measure(ctx context.Context, i *queue.Inspector, infos []queue.QueueInfo, now time.Time) memory {
	if m.bytes != nil && now.Sub(m.at) < measureEvery {
		return m
	}
	m = memory{at: now, bytes: map[string]int64{}}
	for _, q := range infos[:min(len(infos), measureMost)] {
		if info, err := i.QueueInfo(ctx, q.Queue); err == nil && info.MemoryErr == nil {
			m.bytes[q.Queue] = info.Memory
		}
	}
	return m
}

// speed returns how many a second there were.
func speed(before, after int, took time.Duration) float64 {
	if took <= 0 || after < before {
		return -1
	}
	return float64(after-before) / took.Seconds()
}

func (s *queues) apply() {
	now := s.app.now()
	var rows []queueRow
	for _, r := range s.all {
		if s.filter.query.Match(now, r.QueueInfo) {
			rows = append(rows, r)
		}
	}
	s.table.set(rows)
}

func (s *queues) bindings() []binding {
	return append(s.table.moves(), s.app.queueActions(func() (string, int, bool) {
		r, ok := s.table.current()
		return r.Queue, r.Size(), ok
	}, func() bool { r, _ := s.table.current(); return r.Paused })...)
}

func (s *queues) columns() []column[queueRow] {
	number := func(title string, extra int, of func(queueRow) int) column[queueRow] {
		return column[queueRow]{
			title: title, right: true, extra: extra,
			cell:  func(r queueRow) cell { return unlessBroken(r, text(quantity.Count(of(r)))) },
			order: func(a, b queueRow) int { return cmp.Compare(of(a), of(b)) },
		}
	}
	size := number("Size", 0, func(r queueRow) int { return r.Size() })
	return []column[queueRow]{
		{title: "Queue", min: 8, most: 40, cut: true, cell: func(r queueRow) cell { return text(r.Queue) }, order: func(a, b queueRow) int { return strings.Compare(a.Queue, b.Queue) }},
		{title: "State", min: 6, cell: s.stateCell},
		size,
		{title: "Latency", right: true, min: 7, cell: s.latencyCell, order: func(a, b queueRow) int { return cmp.Compare(a.Latency, b.Latency) }},
		{title: "Memory", right: true, extra: 2, min: 8, cell: s.memoryCell, order: func(a, b queueRow) int { return cmp.Compare(s.memory.bytes[a.Queue], s.memory.bytes[b.Queue]) }},
		number("Processed", 1, func(r queueRow) int { return r.Processed }),
		number("Failed", 3, func(r queueRow) int { return r.Failed }),
		{title: "Errors", right: true, min: 7, cell: s.errorCell, order: func(a, b queueRow) int { return cmp.Compare(errorRate(a), errorRate(b)) }},
		{title: "Per s", right: true, extra: 4, min: 7, cell: func(r queueRow) cell { return text(perSecond(r.speed)) }, order: func(a, b queueRow) int { return cmp.Compare(a.speed, b.speed) }},
		{title: "Lately", extra: 5, min: 30, most: 30, cell: func(r queueRow) cell { return styled(s.app.theme.accent, sparkline(r.past, 30)) }},
	}
}

func unlessBroken(r queueRow, c cell) cell {
	if r.broken != nil {
		return text("?")
	}
	return c
}

func (s *queues) stateCell(r queueRow) cell {
	switch {
	case r.broken != nil:
		return styled(s.app.theme.bad, "✗ broken: "+fault(r.broken))
	case r.Paused:
		return styled(s.app.theme.warn, "PAUSED")
	}
	return styled(s.app.theme.good, "run")
}

func (s *queues) latencyCell(r queueRow) cell {
	c := text(span(r.Latency.Truncate(time.Millisecond)))
	switch {
	case r.Latency >= 5*time.Minute:
		c.style = s.app.theme.bad
	case r.Latency >= time.Minute:
		c.style = s.app.theme.warn
	}
	return unlessBroken(r, c)
}

func (s *queues) memoryCell(r queueRow) cell {
	bytes, ok := s.memory.bytes[r.Queue]
	if !ok {
		return text("?")
	}
	return unlessBroken(r, text(quantity.Bytes(bytes)))
}

func errorRate(r queueRow) float64 { return float64(r.Failed) / float64(max(r.Processed, 1)) }

func (s *queues) errorCell(r queueRow) cell {
	c := text(percent(r.Failed, r.Processed))
	switch rate := errorRate(r); {
	case rate >= 0.1:
		c.style = s.app.theme.bad
	case rate >= 0.01:
		c.style = s.app.theme.warn
	}
	return unlessBroken(r, c)
}

// perSecond writes a speed.
func perSecond(v float64) string {
	switch {
	case v < 0:
		return "-"
	case v < 10:
		return fmt.Sprintf("%.1f", v)
	}
	return quantity.Count(int(v + 0.5))
}

// sparkline draws the last of values, the largest of which is as high as it gets.
func sparkline(values []float64, w int) string {
	values = values[max(len(values)-w, 0):]
	most := 0.0
	for _, v := range values {
		most = max(most, v)
	}
	levels := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		i := 0
		if most > 0 {
			i = int(math.Ceil(v/most*float64(len(levels)))) - 1
		}
		b.WriteRune(levels[min(max(i, 0), len(levels)-1)])
	}
	return b.String()
}

func (s *queues) draw(w, h int) []string {
	lines := append(s.bars(w, h/3), legend(s.app.theme, w), "")
	return append(lines, s.table.draw(s.app.theme, len(lines), w, h-len(lines))...)
}

// bars draws a bar for each queue, on at most h lines.
func (s *queues) bars(w, h int) []string {
	rows := s.table.rows
	name, most := 0, 0
	for _, r := range rows {
		name, most = max(name, min(lipgloss.Width(r.Queue), 20)), max(most, r.Size())
	}
	first := max(min(s.table.cursor-h/2, len(rows)-h), 0)
	var lines []string
	for _, r := range rows[first:min(first+h, len(rows))] {
		n := quantity.Count(r.Size())
		room := w - name - 14
		length := 0
		if most > 0 {
			length = int(math.Round(float64(room) * float64(r.Size()) / float64(most)))
		}
		lines = append(lines, "  "+pad(plainCut(r.Queue, name), name)+" "+stack(s.app.theme, r.QueueInfo, length)+" "+s.app.theme.dim.Render(n))
	}
	return lines
}

// stack draws the states of a queue as one bar of w cells: each has its letter and its
// colour, and is there if it has any tasks.
func stack(t theme, q queue.QueueInfo, w int) string {
	cells := shares(q, w)
	var b strings.Builder
	for i, state := range shownStates {
		if cells[i] > 0 {
			b.WriteString(t.states[state].Render(stateSigns[state] + strings.Repeat("█", cells[i]-1)))
		}
	}
	return b.String()
}

// shares divides w cells among the states, at least one for each that has tasks. If there
// are too few, as many as there are states are taken.
func shares(q queue.QueueInfo, w int) []int {
	cells := make([]int, len(shownStates))
	left := w
	for i, state := range shownStates {
		if n := q.In(state); n > 0 {
			cells[i] = max(n*w/max(q.Size(), 1), 1)
		}
		left -= cells[i]
	}
	for left != 0 { // to the largest, or from it
		i := slices.Index(cells, slices.Max(cells))
		if left < 0 && cells[i] <= 1 || left > 0 && cells[i] == 0 {
			break
		}
		step := left
		if left < 0 {
			step = -min(-left, cells[i]-1)
		}
		cells[i] += step
		left -= step
	}
	return cells
}

// legend tells the letters and colours of the states.
func legend(t theme, w int) string {
	var parts []string
	for _, state := range shownStates {
		parts = append(parts, t.states[state].Render(stateSigns[state]+" "+state.String()))
	}
	gap := "  "
	if w < 84 {
		gap = " "
	}
	return pad("  "+strings.Join(parts, gap), w)
}

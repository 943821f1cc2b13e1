package dash

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A taskScreen is everything that is known of one task.
type taskScreen struct {
	app       *app
	queue, id string
	info      *task.Info // nil: not known yet
	paused    bool       // its queue
	servers   []broker.Server
	raw       bool // bytes are shown in hex
	scroll
}

func newTaskScreen(a *app, queue, id string) *taskScreen {
	return &taskScreen{app: a, queue: queue, id: id}
}

func (s *taskScreen) title() string { return s.id }

func (s *taskScreen) ask() ask {
	return func(ctx context.Context) (func(), error) {
		i, err := s.app.inspector.Get(ctx, s.queue, s.id)
		if err != nil {
			return nil, err
		}
		var servers []broker.Server
		paused := false
		if i.State == task.Active || i.State == task.Pending {
			if servers, err = s.app.inspector.Servers(ctx); err != nil {
				return nil, err
			}
			figures, err := s.app.inspector.Figures(ctx, s.queue)
			if err != nil {
				return nil, err
			}
			paused = len(figures) > 0 && figures[0].Paused
		}
		return func() { s.info, s.servers, s.paused = i, servers, paused }, nil
	}
}

func (s *taskScreen) bindings() []binding {
	b := append(s.moves(),
		on("v", "payload, result and progress as text, or in hex", "view", func() { s.raw = !s.raw }),
		on("c", "copy the id", "", func() { s.app.copy(s.id) }),
		on("y", "copy the payload", "copy payload", func() {
			if s.info != nil {
				s.app.copy(string(s.info.Payload))
			}
		}))
	for _, act := range taskActs {
		b = append(b, on(act.key, act.verb+" the task", act.brief, func() {
			if s.info != nil {
				s.app.actOnOne(act, s.info)
			}
		}))
	}
	return b
}

func (s *taskScreen) draw(w, h int) []string {
	if s.info == nil {
		return nil
	}
	lines := s.fields(w)
	lines = append(lines, s.headers(w)...)
	lines = append(lines, s.data("Payload", s.info.Payload, w)...)
	if s.info.Progress != nil {
		lines = append(lines, s.data("Progress", s.info.Progress, w)...)
	}
	if s.info.Result != nil {
		lines = append(lines, s.data("Result", s.info.Result, w)...)
	}
	if s.info.LastErr != "" {
		lines = append(lines, s.section("Error")...)
		lines = append(lines, s.failure(s.info.LastErr, w)...)
	}
	lines = append(lines, s.attempts(w)...)
	return s.window(lines, h)
}

const nameWidth = 14

// field draws one line of a name and a value; none if the value is empty.
func field(t theme, name, value string, w int) []string {
	if value == "" {
		return nil
	}
	var lines []string
	for i, part := range prose(value, w-nameWidth-3) {
		if i > 0 {
			name = ""
		}
		lines = append(lines, "  "+t.dim.Render(pad(name, nameWidth))+" "+part)
	}
	return lines
}

// fields draws what has one value each.
func (s *taskScreen) fields(w int) (lines []string) {
	i, t, now := s.info, s.app.theme, s.app.now()
	add := func(name, value string) { lines = append(lines, field(t, name, plain.Name(value), w)...) }
	since := func(name string, at time.Time) {
		if !at.IsZero() {
			add(name, moment(now, at))
		}
	}
	lines = append(lines, "  "+t.dim.Render(pad("State", nameWidth))+" "+t.states[i.State].Bold(true).Render(stateSigns[i.State]+" "+i.State.String())+"  "+s.why())
	add("ID", i.ID)
	add("Queue", i.Queue)
	add("Type", i.Type)
	add("Group", i.Group)
	add("Retries", fmt.Sprintf("%d of %d", i.Retried, i.MaxRetry))
	if i.Crashes > 0 {
		add("Crashes", fmt.Sprintf("%d, since an outcome was last recorded", i.Crashes))
	}
	if i.State == task.Scheduled || i.State == task.Retry {
		since("Due", i.NextProcessAt)
	}
	since("Last failed", i.LastFailedAt)
	since("Completed", i.CompletedAt)
	since("Start by", i.StartBy)
	since("Deadline", i.Deadline)
	if i.Timeout > 0 {
		add("Timeout", span(i.Timeout)+" for an attempt")
	}
	if i.Retention > 0 {
		add("Kept", span(i.Retention)+" once it is completed")
	}
	add("Unique by", i.UniqueKey)
	return lines
}

// why says in a sentence what the task waits for, or what has come of it.
func (s *taskScreen) why() string {
	i, now := s.info, s.app.now()
	switch i.State {
	case task.Pending:
		return s.whyPending()
	case task.Active:
		return s.whyActive()
	case task.Scheduled:
		return "waits for its time, " + when(now, i.NextProcessAt)
	case task.Retry:
		return "has failed and is tried again " + when(now, i.NextProcessAt)
	case task.Aggregating:
		return "waits to be folded with others of its group"
	case task.Completed:
		return "was done " + when(now, i.CompletedAt)
	case task.Archived:
		if i.End != "" {
			return "is kept, not run: " + plain.Name(i.End)
		}
		return "is kept, not run: it has failed " + quantity.Many(i.Retried+1, "time")
	}
	return ""
}

func (s *taskScreen) whyPending() string {
	if s.paused {
		return s.app.theme.warn.Render("waits because its queue is paused")
	}
	for _, server := range s.servers {
		if _, serves := server.Queues[s.queue]; serves {
			return "waits for a worker that is free"
		}
	}
	return s.app.theme.warn.Render("waits because no server serves its queue")
}

func (s *taskScreen) whyActive() string {
	if s.info.IsOrphaned {
		return s.app.theme.bad.Render("no worker has it any more; a server of its queue takes it back")
	}
	for _, server := range s.servers {
		for _, w := range server.Workers {
			if w.Entry.Queue == s.queue && w.Entry.ID == s.id {
				text := fmt.Sprintf("is being run by %s:%d for %s", plain.Name(server.Host), server.PID, age(s.app.now().Sub(w.Started)))
				if s.info.CancelAsked {
					text += s.app.theme.warn.Render(", asked to end")
				}
				return text
			}
		}
	}
	return "is being run"
}

func (s *taskScreen) section(name string) []string {
	return []string{"", s.app.theme.heading.Render("  " + name)}
}

func (s *taskScreen) headers(w int) (lines []string) {
	if len(s.info.Headers) == 0 {
		return nil
	}
	lines = s.section("Headers")
	for _, name := range slices.Sorted(maps.Keys(s.info.Headers)) {
		lines = append(lines, field(s.app.theme, plainCut(name, nameWidth), plain.Name(s.info.Headers[name]), w)...)
	}
	return lines
}

// longest is how many bytes of a payload are shown.
const longest = 256 << 10

// data draws bytes, as text or in hex.
func (s *taskScreen) data(name string, b []byte, w int) []string {
	lines := s.section(name + s.app.theme.dim.Render(fmt.Sprintf(" (%s)", quantity.Bytes(int64(len(b))))))
	if len(b) == 0 {
		return append(lines, s.app.theme.dim.Render("  none"))
	}
	rest := len(b) - longest
	if rest > 0 {
		b = b[:longest]
	}
	shown := ""
	if s.raw {
		shown = strings.TrimSuffix(hex.Dump(b), "\n")
	} else {
		shown = plain.Text(b)
	}
	lines = append(lines, indented(2, wrap(shown, w-2))...)
	if rest > 0 {
		lines = append(lines, s.app.theme.dim.Render("  … and "+quantity.Bytes(int64(rest))+" more"))
	}
	return lines
}

// failure draws the text of an error, which may have several lines.
func (s *taskScreen) failure(text string, w int) []string {
	lines := wrap(plain.Text([]byte(text)), w-3)
	for i := range lines {
		lines[i] = "  " + s.app.theme.bad.Render(lines[i])
	}
	return lines
}

// attempts draws what came of the last attempts, the last one first.
func (s *taskScreen) attempts(w int) (lines []string) {
	if len(s.info.Attempts) == 0 {
		return nil
	}
	lines = s.section("Attempts, the last one first")
	for i, a := range slices.Backward(s.info.Attempts) {
		head := a.Ended.Local().Format(time.DateTime)
		if !a.Started.IsZero() {
			head += "  took " + span(a.Ended.Sub(a.Started))
		}
		if a.Worker != "" {
			head += "  by " + plain.Name(a.Worker)
		}
		if a.Err == "" {
			lines = append(lines, "  "+s.app.theme.good.Render("✓")+" "+head)
			continue
		}
		lines = append(lines, "  "+s.app.theme.bad.Render("✗")+" "+head)
		lines = append(lines, indented(2, s.failure(a.Err, w-2))...)
		if i == len(s.info.Attempts)-1 && a.Stack != "" {
			lines = append(lines, indented(4, wrap(plain.Text([]byte(a.Stack)), w-4))...)
		}
	}
	return lines
}

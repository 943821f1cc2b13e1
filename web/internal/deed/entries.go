package deed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/workflow"
)

var entryDeeds = []Deed{
	{
		Kind: Entry, Name: "add", Label: "Add", Role: access.Operator, New: true,
		Help:   "An entry is stored, which every scheduler of this storage runs from then on.",
		Params: slices.Concat([]Param{{Name: "name", Label: "Name", Form: Text, Required: true, Help: "What it is known by."}}, entryParams),
		do: func(ctx context.Context, c call) (Outcome, error) {
			e, err := c.amend(periodic.Entry{Name: c.text("name")})
			if err == nil {
				err = c.Storage.Entries.Add(ctx, e, c.by())
			}
			made := Target{ID: e.Name}
			return Outcome{Text: "entry " + made.String() + " is stored", Made: &made}, err
		},
	}, {
		Kind: Entry, Name: "change", Label: "Change", Role: access.Operator,
		Help:   "What is said is changed, and the rest stays as it is. An entry keeps its history; if its ticks are others they begin now. One that comes from a program is changed there.",
		Params: entryParams,
		do: func(ctx context.Context, c call) (Outcome, error) {
			info, err := c.Storage.Entries.Get(ctx, c.t.ID)
			if err != nil {
				return Outcome{}, err
			}
			e, err := c.amend(info.Entry)
			if err == nil {
				err = c.Storage.Entries.Change(ctx, e, c.by())
			}
			return c.entry("is changed"), err
		},
	}, {
		Kind: Entry, Name: "run", Label: "Run now", Role: access.Operator, Several: true,
		Help: "A task of the entry is enqueued soon, whether it is paused or not. What it does while an earlier one is not done holds for it, too.",
		do: func(ctx context.Context, c call) (Outcome, error) {
			_, id, err := c.Storage.Entries.RunNow(ctx, c.t.ID, c.by())
			return c.entry("is run soon: task " + id), err
		},
	}, {
		Kind: Entry, Name: "pause", Label: "Pause", Role: access.Operator, Several: true,
		Help:   "The entry has no ticks until it is resumed.",
		States: []string{Going},
		Params: []Param{{Name: "why", Label: "Why", Form: Text, Help: "Others see it."}},
		do: func(ctx context.Context, c call) (Outcome, error) {
			return c.entry("is paused"), c.Storage.Entries.Pause(ctx, c.t.ID, c.by(), c.text("why"))
		},
	}, {
		Kind: Entry, Name: "resume", Label: "Resume", Role: access.Operator, Several: true,
		Help:   "The entry goes on from now. What would have ticked meanwhile is not made up for.",
		States: []string{Paused},
		do: func(ctx context.Context, c call) (Outcome, error) {
			return c.entry("goes on"), c.Storage.Entries.Resume(ctx, c.t.ID, c.by())
		},
	}, {
		Kind: Entry, Name: "backfill", Label: "Backfill", Role: access.Operator,
		Help: "The ticks of a time that has passed are run, the oldest first.",
		Params: []Param{
			{Name: "from", Label: "From", Form: Moment, Required: true, Help: "No tick is before it: a time such as 2026-11-01T00:00:00Z, a day, or how long ago, such as -24h."},
			{Name: "to", Label: "To", Form: Moment, Required: true, Help: "No tick is after it."},
			{Name: "cap", Label: "At once", Form: Number, Default: "1", Help: "How many of the tasks are open at once."},
			{Name: "force", Label: "All", Form: Truth, Help: "Also ticks that have been run."},
		},
		do: backfill,
	}, {
		Kind: Entry, Name: "end-backfill", Label: "End backfill", Role: access.Operator, Part: true,
		Help:   "Nothing more of a backfill is enqueued. Its tasks that are open go on.",
		Params: []Param{{Name: "backfill", Label: "Backfill", Form: Text, Required: true, Help: "Its id."}},
		do: func(ctx context.Context, c call) (Outcome, error) {
			err := c.Storage.Entries.EndBackfill(ctx, c.t.ID, c.text("backfill"), c.by())
			return c.entry("has nothing more of the backfill enqueued"), err
		},
	}, {
		Kind: Entry, Name: "remove", Label: "Remove", Role: access.Admin, Several: true, Final: true, Instead: "pause",
		Help: "The entry is removed with its history. Its tasks that are enqueued stay. One that a program runs is removed there.",
		do: func(ctx context.Context, c call) (Outcome, error) {
			return c.entry("is removed"), c.Storage.Entries.Remove(ctx, c.t.ID, c.by())
		},
	},
}

// entry returns an outcome that says what is with the entry now.
func (c call) entry(is string) Outcome { return Outcome{Text: "entry " + c.t.String() + " " + is} }

func backfill(ctx context.Context, c call) (Outcome, error) {
	b := periodic.Backfill{From: c.time("from"), To: c.time("to"), Cap: 1, Force: c.truth("force"), By: c.by()}
	if c.has("cap") {
		b.Cap = c.number("cap")
	}
	id, err := c.Storage.Entries.Backfill(ctx, c.t.ID, b)
	return c.entry("is backfilled soon: backfill " + id), err
}

// entryParams are what an entry is beside its name.
var entryParams = []Param{
	{Name: "schedule", Label: "Schedule", Form: Text, Help: `When it ticks: "30 2 * * 1-5", with or without seconds in front, "@daily" or "@every 90s".`},
	{Name: "zone", Label: "Time zone", Form: Text, Help: "That of the schedule, such as Europe/Berlin. Nothing: UTC."},
	{Name: "start", Label: "Start", Form: Moment, Help: "No tick is before it."},
	{Name: "end", Label: "End", Form: Moment, Help: "No tick is after it."},
	{Name: "jitter", Label: "Jitter", Form: Duration, Help: "How much later a tick may be, at random."},
	{Name: "window", Label: "Window", Form: Duration, Help: "How late a tick may be found and still be on time. Nothing: a minute."},
	{Name: "missed", Label: "Missed ticks", Form: Text, Help: `What becomes of ticks that are later: skip, once, or "all 10 within 1h".`},
	{Name: "overlap", Label: "Overlap", Form: Choice, Choices: []string{"allow", "skip", "queue", "cancel"}, Help: "What becomes of a tick while an earlier one is not done."},
	{Name: "type", Label: "Type", Form: Text, Help: "That of its tasks."},
	{Name: "workflow", Label: "Workflow", Form: Text, Help: "In place of the type: the workflow of which it starts runs."},
	{Name: "payload", Label: "Payload", Form: JSON, Help: "What its tasks carry."},
	{Name: "template", Label: "Template", Form: JSON, Help: `In place of the payload: what its tasks carry, made of the tick: {"day": "{{.Time.Format "2006-01-02"}}"}.`},
	{Name: "queue", Label: "Queue", Form: Text, Help: "That of its tasks."},
	{Name: "options", Label: "Options", Form: Lines, Help: "Of its tasks, one a line: MaxRetry(3), Timeout(10m)."},
}

// amend makes of e what was said.
func (c call) amend(e periodic.Entry) (periodic.Entry, error) {
	var faults []error
	for _, contrary := range [][2]string{{"type", "workflow"}, {"payload", "template"}} {
		if c.has(contrary[0]) && c.has(contrary[1]) {
			faults = append(faults, task.Invalid(contrary[1], c.text(contrary[1]), "contradicts "+contrary[0]))
		}
	}
	for name, set := range map[string]func() error{
		"schedule": func() error { e.Schedule = c.text("schedule"); return nil },
		"zone":     func() error { e.Zone = c.text("zone"); return nil },
		"start":    func() error { e.Start = c.time("start"); return nil },
		"end":      func() error { e.End = c.time("end"); return nil },
		"jitter":   func() error { e.Jitter = c.duration("jitter"); return nil },
		"window":   func() error { e.Window = c.duration("window"); return nil },
		"missed":   func() error { return e.Missed.UnmarshalText(c.bytes("missed")) },
		"overlap":  func() error { return e.Overlap.UnmarshalText(c.bytes("overlap")) },
		"type":     func() error { e.Type = c.text("type"); return nil },
		"workflow": func() error { e.Type = workflow.StartType(c.text("workflow")); return nil },
		"payload":  func() error { e.Payload = periodic.Bytes(c.bytes("payload")); return nil },
		"template": func() error { e.Payload = periodic.Template(c.text("template")); return nil },
	} {
		if c.has(name) {
			faults = append(faults, set())
		}
	}
	if c.has("queue") {
		setOption(&e, task.Queue(c.text("queue")))
	}
	for _, text := range c.lines("options") {
		o, err := task.ParseOption(text)
		if err == nil {
			setOption(&e, o)
		}
		faults = append(faults, err)
	}
	return e, errors.Join(append(faults, e.Check())...)
}

// setOption gives e an option in place of one of its kind.
func setOption(e *periodic.Entry, o task.Option) {
	kind := func(o task.Option) string { name, _, _ := strings.Cut(fmt.Sprint(o), "("); return name }
	e.Options = append(slices.DeleteFunc(slices.Clone(e.Options), func(other task.Option) bool { return kind(other) == kind(o) }), o)
}

package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// SourceAsynq is the source of entries that a scheduler of asynq has: they are seen, and
// cannot be changed.
const SourceAsynq = "asynq"

// An Entry is a periodic entry.
type Entry struct {
	Name     string `json:"name"`
	Source   string `json:"source"` // "code", "provider", "store" or "asynq"
	Schedule string `json:"schedule"`
	Zone     string `json:"zone,omitempty"`

	Type          string   `json:"type"`
	Queue         string   `json:"queue,omitempty"`
	Payload       Data     `json:"payload,omitempty"`
	PayloadBase64 []byte   `json:"payload_base64,omitempty"`
	Template      string   `json:"template,omitempty"` // of the payload
	Function      bool     `json:"function,omitempty"` // the program makes the payload
	Options       []string `json:"options,omitempty"`

	Missed        string    `json:"missed,omitempty"`
	Overlap       string    `json:"overlap,omitempty"`
	JitterSeconds float64   `json:"jitter_seconds,omitempty"`
	WindowSeconds float64   `json:"window_seconds,omitempty"`
	Start         time.Time `json:"start,omitzero"`
	End           time.Time `json:"end,omitzero"`

	Next    time.Time `json:"next,omitzero"`
	Prev    time.Time `json:"prev,omitzero"`
	KnownAt time.Time `json:"known_at,omitzero"`
	Paused  *Pause    `json:"paused,omitempty"`
	Late    bool      `json:"late"`
	RunBy   []string  `json:"run_by,omitempty"` // ids of schedulers

	Asked     int        `json:"asked,omitempty"` // runs that wait to be enqueued
	Backfills []Backfill `json:"backfills,omitempty"`
	Open      []string   `json:"open,omitempty"`    // tasks that have not ended, as "queue/id"
	History   []Tick     `json:"history,omitempty"` // the last one last
}

// A Pause says who has paused an entry or a queue, when and why.
type Pause struct {
	At  time.Time `json:"at,omitzero"`
	By  string    `json:"by,omitempty"`
	Why string    `json:"why,omitempty"`
}

// A Backfill is the ticks of a time that has passed, which are run.
type Backfill struct {
	ID       string    `json:"id"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Cap      int       `json:"cap"` // how many of their tasks are open at once
	Force    bool      `json:"force,omitempty"`
	By       string    `json:"by,omitempty"`
	BegunAt  time.Time `json:"begun_at,omitzero"`
	DoneTo   time.Time `json:"done_to,omitzero"` // all ticks until then are enqueued or left out
	Enqueued int       `json:"enqueued"`
	Skipped  int       `json:"skipped"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
}

// EntryOf returns what is shown of an entry.
func EntryOf(i periodic.Info) Entry {
	e := Entry{
		Name: i.Name, Source: string(i.Source), Schedule: i.Schedule, Zone: i.Zone,
		Type: i.Type, Function: i.Function,
		Missed: i.Missed.String(), Overlap: i.Overlap.String(), JitterSeconds: seconds(i.Jitter), WindowSeconds: seconds(i.Window),
		Start: utc(i.Start), End: utc(i.End), Next: utc(i.Next), Prev: utc(i.Prev), KnownAt: utc(i.Known),
		Late: i.Late, RunBy: i.RunBy, Asked: i.Asked,
	}
	fixed, template := i.Payload.Data()
	e.Payload, e.PayloadBase64 = someOf(fixed)
	e.Template = template
	if s, err := task.Resolve(i.Known, i.Options); err == nil {
		e.Queue = s.Queue
	}
	for _, o := range i.Options {
		e.Options = append(e.Options, fmt.Sprint(o))
	}
	if i.Paused != nil {
		e.Paused = &Pause{At: utc(i.Paused.At), By: i.Paused.By, Why: i.Paused.Why}
	}
	for _, b := range i.Backfills {
		e.Backfills = append(e.Backfills, BackfillOf(b))
	}
	for _, ref := range i.Open {
		e.Open = append(e.Open, ref.String())
	}
	for _, event := range i.History {
		e.History = append(e.History, TickOf(event))
	}
	return e
}

// BackfillOf returns what is shown of a backfill.
func BackfillOf(b periodic.Backfill) Backfill {
	return Backfill{
		ID: b.ID, From: utc(b.From), To: utc(b.To), Cap: b.Cap, Force: b.Force, By: b.By,
		BegunAt: utc(b.Begun), DoneTo: utc(b.Done), Enqueued: b.Enqueued, Skipped: b.Skipped, EndedAt: utc(b.Ended),
	}
}

// EntryOfAsynq returns what is shown of an entry that the scheduler of that id, one of
// asynq, tells of.
func EntryOfAsynq(scheduler string, p broker.PeriodicEntry) Entry {
	e := Entry{
		Name: p.ID, Source: SourceAsynq, Schedule: p.Spec, Type: p.Type, Queue: task.DefaultQueue,
		Options: p.Options, Next: utc(p.Next), Prev: utc(p.Prev), RunBy: []string{scheduler},
	}
	e.Payload, e.PayloadBase64, _ = beginningOf(p.Payload)
	if len(p.Payload) == 0 {
		e.Payload = nil
	}
	for _, text := range p.Options {
		if o, err := task.ParseOption(text); err == nil {
			if s, err := task.Resolve(time.Time{}, []task.Option{o}); err == nil && strings.HasPrefix(text, "Queue(") {
				e.Queue = s.Queue
			}
		}
	}
	return e
}

// A Tick is what became of a tick of an entry, or what was done to the entry.
type Tick struct {
	Tick  time.Time `json:"tick,omitzero"`
	Until time.Time `json:"until,omitzero"` // and of all ticks until this one
	At    time.Time `json:"at,omitzero"`
	What  string    `json:"what"`
	Why   string    `json:"why,omitempty"`
	Queue string    `json:"queue,omitempty"` // of its task
	ID    string    `json:"id,omitempty"`    // of its task
	By    string    `json:"by,omitempty"`    // the scheduler, or who asked
}

// TickOf returns what is shown of an event of an entry.
func TickOf(e periodic.Event) Tick {
	return Tick{Tick: utc(e.Tick), Until: utc(e.Until), At: utc(e.At), What: string(e.What), Why: e.Why, Queue: e.Queue, ID: e.ID, By: e.By}
}

// TickOfAsynq returns what is shown of a tick as asynq's tools know it: that a task was
// enqueued.
func TickOfAsynq(t broker.Tick) Tick {
	return Tick{Tick: utc(t.At), At: utc(t.At), What: string(periodic.TickFired), ID: t.TaskID}
}

// TicksOf returns what is shown of what became of an entry's ticks, the last one first:
// of its events, and of what asynq's tools know beyond them.
func TicksOf(events []periodic.Event, enqueued []broker.Tick) []Tick {
	var ticks []Tick
	told := map[string]bool{}
	for _, e := range events {
		told[e.ID] = true
		ticks = append(ticks, TickOf(e))
	}
	slices.Reverse(ticks)
	for _, t := range enqueued {
		if !told[t.TaskID] {
			ticks = append(ticks, TickOfAsynq(t))
		}
	}
	slices.SortStableFunc(ticks, func(s, t Tick) int { return t.At.Compare(s.At) })
	return ticks
}

// EntriesOf returns what is shown of all entries: those that are known, and behind them
// those that only schedulers tell of, which are asynq's.
func EntriesOf(infos []periodic.Info, schedulers []broker.Scheduler) []Entry {
	shown := make([]Entry, 0, len(infos))
	known := map[string]bool{}
	for _, i := range infos {
		shown = append(shown, EntryOf(i))
		known[i.Name] = true
	}
	for _, s := range schedulers {
		for _, e := range s.Entries {
			if !known[e.ID] {
				shown = append(shown, EntryOfAsynq(s.ID, e))
			}
		}
	}
	return shown
}

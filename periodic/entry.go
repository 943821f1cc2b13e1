package periodic

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// What holds for an entry that does not say otherwise.
const (
	// DefaultWindow is how late a tick may be and still be on time.
	DefaultWindow = time.Minute

	// MaxName is the longest name of an entry, in bytes: those of its ticks are longer.
	MaxName = 200
)

// An Entry is a name, a schedule, and what is to be enqueued at its ticks.
type Entry struct {
	// Name is what the entry is known by, to all schedulers of one storage: a name as
	// in [task.CheckName], of at most [MaxName] bytes.
	Name string

	// Schedule says when its ticks are: "30 2 * * 1-5", with or without seconds in
	// front, "@daily" or "@every 90s".
	Schedule string

	// Zone is the name of the time zone that Schedule is in: "Europe/Berlin". "": UTC.
	Zone string

	// Start and End bound the ticks: none is before Start, nor after End. Zero:
	// no bound. An @every counts from Start if that is given.
	Start, End time.Time

	// Jitter has each tick enqueued up to so much later than Schedule says, and before
	// the next one. How much is drawn by the entry and the tick, so that all schedulers
	// agree; the tick's Time does not change. 0: none.
	Jitter time.Duration

	// Window is how late a tick may be found and still be enqueued, whatever Missed
	// says: the time that a restart may take. 0: DefaultWindow.
	Window time.Duration

	Missed  Missed  // what becomes of ticks that are later than that
	Overlap Overlap // what becomes of a tick while an earlier one is not done

	// Type is that of the tasks. It may be left out if Payload is an [Input].
	Type    string
	Payload Payload

	// Options are those of the tasks, and win over all defaults. Options that make no
	// sense for more than one task, or that decide when it is run, are refused: [task.ID],
	// [task.ProcessAt], [task.ProcessIn], [task.Deadline], [task.StartBy], and all by which
	// a task is unique: Overlap is for that.
	Options []task.Option
}

// unfit are the options that an entry must not have, and why.
var unfit = map[string]string{
	"TaskID":           "is one task's: each tick has an id of its own",
	"ProcessAt":        "is when one task is run: Schedule decides that",
	"ProcessIn":        "is when one task is run: Schedule decides that",
	"Deadline":         "is a time that passes; use Timeout",
	"StartBy":          "is a time that passes; use Window",
	"Unique":           "has ticks refused; use Overlap",
	"UniqueUntilDone":  "has ticks refused; use Overlap",
	"UniqueUntilStart": "has ticks refused; use Overlap",
	"UniqueFor":        "has ticks refused; use Overlap",
	"UniqueKey":        "has ticks refused; use Overlap",
	"Debounce":         "has ticks refused; use Overlap",
	"Rerun":            "has ticks refused; use Overlap",
	"OnConflict":       "has ticks refused; use Overlap",
}

// Check returns an [EntryError] with all for which e would be refused, or nil. It may
// call the function of its Payload.
func (e Entry) Check() error {
	_, err := e.compile(FromCode)
	return err
}

// A plan is an entry that is valid, ready to be run.
type plan struct {
	Entry
	source    Source
	spec      spec
	timetable timetable
	make      func(Tick) (*task.Task, error)
}

// compile returns e as a plan, or an [EntryError] with all that is wrong with it.
func (e Entry) compile(source Source) (*plan, error) {
	p := &plan{Entry: e, source: source}
	if p.Window == 0 {
		p.Window = DefaultWindow
	}
	p.Start, p.End = broker.CeilMilli(p.Start), broker.CeilMilli(p.End)
	if p.Type == "" {
		p.Type = e.Payload.typ
	}
	var timed, made error
	p.timetable, timed = p.readTimetable()
	p.make, made = e.Payload.maker(p.Type)
	if err := errors.Join(e.nameFault(), timed, e.policyFaults(), p.typeFault(), e.optionFaults(), made); err != nil {
		return nil, &EntryError{Entry: e.Name, Err: err}
	}
	p.spec = p.Entry.spec()
	return p, nil
}

func (p *plan) typeFault() error {
	if typ := p.Payload.typ; typ != "" && typ != p.Type {
		return task.Invalid("Type", p.Type, "is not that of its payload: "+typ)
	}
	return task.CheckName("Type", p.Type)
}

func (e Entry) nameFault() error {
	if len(e.Name) > MaxName {
		return task.Invalid("Name", e.Name, fmt.Sprintf("is longer than %d bytes", MaxName))
	}
	return task.CheckName("Name", e.Name)
}

func (e Entry) policyFaults() error {
	faults := []error{e.Missed.fault(), e.Overlap.fault()}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"Jitter", e.Jitter}, {"Window", e.Window}} {
		if d.value < 0 {
			faults = append(faults, task.Invalid(d.field, d.value, "must not be negative"))
		}
	}
	if !e.Start.IsZero() && !e.End.IsZero() && !e.End.After(e.Start) {
		faults = append(faults, task.Invalid("End", e.End, "must be after Start"))
	}
	return errors.Join(faults...)
}

func (e Entry) optionFaults() error {
	var faults []error
	for _, o := range e.Options {
		if o == nil {
			continue // Resolve says so
		}
		name, _, _ := strings.Cut(o.String(), "(")
		if why := unfit[name]; why != "" {
			faults = append(faults, task.Invalid("Options", o, why))
		}
	}
	_, err := task.Resolve(time.Now(), e.Options)
	return errors.Join(append(faults, err)...)
}

// tick returns p's tick at a time.
func (p *plan) tick(at time.Time) Tick {
	return Tick{Entry: p.Name, Time: at.In(p.timetable.Zone()), Overlap: p.Overlap}
}

// storedFaults returns why e cannot be stored, or nil.
func (e Entry) storedFaults() error {
	var faults []error
	if !e.Payload.storable() {
		faults = append(faults, task.Invalid("Payload", "", "is a function: an entry that is stored has bytes or a template"))
	}
	for _, o := range slices.DeleteFunc(slices.Clone(e.Options), func(o task.Option) bool { return o == nil }) {
		if _, err := task.ParseOption(o.String()); err != nil {
			faults = append(faults, task.Invalid("Options", o, "cannot be stored"))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &EntryError{Entry: e.Name, Err: errors.Join(faults...)}
}

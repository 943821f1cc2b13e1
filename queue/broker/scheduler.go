package broker

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A Timetable is the part of every [Broker] that tells which periodic entries there
// are and what they have enqueued, in the form that asynq's tools read. Nothing is
// decided by it.
type Timetable interface {
	// BeatScheduler records that a scheduler is alive and which entries it has, or
	// with Scheduler.Gone set that it has left. A record is forgotten SchedulerTTL
	// after its last beat.
	BeatScheduler(ctx context.Context, now time.Time, s Scheduler) error

	// Schedulers returns the schedulers that are alive at now, in order of their
	// ids, with their entries in the order that the beat gave.
	Schedulers(ctx context.Context, now time.Time) ([]Scheduler, error)

	// RecordTicks adds to what entries have enqueued. Of each entry the last
	// MaxTicks are kept; one that is recorded twice is kept once.
	RecordTicks(ctx context.Context, ticks ...Tick) error

	// Ticks returns what an entry has enqueued, the latest first, at most limit;
	// ties in whatever order.
	Ticks(ctx context.Context, entry string, limit int) ([]Tick, error)

	// ForgetTicks deletes what is recorded of entries.
	ForgetTicks(ctx context.Context, entries ...string) error
}

// SchedulerTTL is how long a scheduler is known after its last beat.
const SchedulerTTL = time.Minute

// MaxTicks is how many ticks of an entry are recorded.
const MaxTicks = 1000

// A Scheduler is the record of a process that has tasks enqueued periodically.
type Scheduler struct {
	ID      string // a UUID
	Host    string
	PID     int
	Entries []PeriodicEntry
	Gone    bool // it has left: forget it
}

// A PeriodicEntry is what a scheduler tells of one of its entries.
type PeriodicEntry struct {
	ID         string
	Spec       string // such as "*/5 * * * *"
	Type       string
	Payload    []byte    // its beginning: schedulers write at most MaxWorkerPayload
	Options    []string  // as they print: `Queue("mail")`
	Next, Prev time.Time // in seconds, fractions dropped; zero: not known, or never
}

// A Tick is that a periodic entry has enqueued a task.
type Tick struct {
	Entry  string // the entry's id
	TaskID string
	At     time.Time // in seconds, fractions dropped
}

// Check returns what makes no sense in s, which [Timetable].BeatScheduler is called
// with, as rule 6 of the package comment has it, or nil.
func (s Scheduler) Check() error {
	var k checker
	k.made("Scheduler.ID", s.ID)
	if strings.ContainsAny(s.Host, "{}:") || !utf8.ValidString(s.Host) {
		k.refuse("Scheduler.Host", s.Host, "must be UTF-8 without braces and colons")
	}
	k.small("Scheduler.PID", s.PID)
	for _, e := range s.Entries {
		k.made("Scheduler.Entries.ID", e.ID)
		k.made("Scheduler.Entries.Type", e.Type)
		if !utf8.ValidString(e.Spec) {
			k.refuse("Scheduler.Entries.Spec", e.Spec, "is not valid UTF-8")
		}
		for _, option := range e.Options {
			if !printsAsOption(option) {
				k.refuse("Scheduler.Entries.Options", option, "must be UTF-8 as options print: Name(value)")
			}
		}
	}
	return k.refusal()
}

// printsAsOption reports whether text is what asynq's tools can read as an option:
// they panic at others.
func printsAsOption(text string) bool {
	name, rest, ok := strings.Cut(text, "(")
	return ok && !strings.Contains(name, ")") && strings.Contains(rest, ")") && utf8.ValidString(text)
}

// CheckTicks returns what makes no sense in a call of [Timetable].RecordTicks, as
// rule 6 of the package comment has it, or nil.
func CheckTicks(ticks []Tick) error {
	var k checker
	for _, t := range ticks {
		k.made("Tick.Entry", t.Entry)
		k.made("Tick.TaskID", t.TaskID)
		if t.At.IsZero() {
			k.refuse("Tick.At", t.At, "is needed")
		}
	}
	return k.refusal()
}

// CheckEntryTicks returns what makes no sense in a call of [Timetable].Ticks, as rule
// 6 of the package comment has it, or nil.
func CheckEntryTicks(entry string, limit int) error {
	var k checker
	k.made("Entry", entry)
	if limit < 1 || limit > MaxTicks {
		k.refuse("Limit", limit, fmt.Sprintf("must be 1 to %d", MaxTicks))
	}
	return k.refusal()
}

// CheckForget returns what makes no sense in a call of [Timetable].ForgetTicks, as
// rule 6 of the package comment has it, or nil.
func CheckForget(entries []string) error {
	var k checker
	k.names("Entry", entries)
	return k.refusal()
}

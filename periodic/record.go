package periodic

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A Source is where an entry comes from.
type Source string

// The sources.
const (
	FromCode     Source = "code"     // [Scheduler.Register]
	FromProvider Source = "provider" // [Config].Provider
	FromStore    Source = "store"    // [Inspector.Add]
)

// A record is all that is kept of an entry: its one document. Every write of it
// requires the version that was read, and a tick's task is enqueued together with the
// record that says so; hence a tick is decided once.
type record struct {
	Source Source    `json:"source"`
	Spec   spec      `json:"spec"`
	Known  time.Time `json:"known"`          // since when
	Last   time.Time `json:"last"`           // what is decided: all ticks until then
	Fired  time.Time `json:"fired,omitzero"` // the last tick that was enqueued
	Paused *Pause    `json:"paused,omitempty"`

	Asks      []ask      `json:"asks,omitempty"`
	Backfills []backfill `json:"backfills,omitempty"`
	Covered   []span     `json:"covered,omitempty"` // by backfills
	History   []Event    `json:"history,omitempty"`

	Removed time.Time `json:"removed,omitzero"` // it was stored, and is no more
	Listed  time.Time `json:"listed"`           // its place in the list of what has changed
	Kept    time.Time `json:"kept"`             // when it was last said how long it is kept
}

// A Pause says who has paused an entry, when and why.
type Pause struct {
	By  string    `json:"by,omitempty"`
	Why string    `json:"why,omitempty"`
	At  time.Time `json:"at"`
}

// An Event is something that was decided about an entry.
type Event struct {
	Tick  time.Time `json:"tick"`           // of which tick
	Until time.Time `json:"until,omitzero"` // and of all until this one
	At    time.Time `json:"at"`             // when
	What  What      `json:"what"`
	Why   string    `json:"why,omitempty"`
	Queue string    `json:"queue,omitempty"` // of the task, if there is one
	ID    string    `json:"id,omitempty"`    // of the task
	By    string    `json:"by,omitempty"`    // the scheduler, or who asked
}

// A What is a word for what an [Event] is.
type What string

// What is decided of ticks, and what is done to entries.
const (
	TickFired     What = "fired"      // its task is enqueued
	TickWaits     What = "waits"      // its task is enqueued once what is open has ended, unless another takes its place
	TickSkipped   What = "skipped"    // because of an earlier or a later one
	TickMissed    What = "missed"     // it was found too late
	TickFailed    What = "failed"     // its task could not be made
	EntryAdded    What = "added"      // it is known from then on
	EntryChanged  What = "changed"    // it is another than before
	EntryRemoved  What = "removed"    // it was stored, and is no more
	EntryPaused   What = "paused"     // it has no ticks from then on
	EntryResumed  What = "resumed"    // it has ticks again
	BackfillBegun What = "backfill"   // the ticks of a time that has passed are run
	BackfillCut   What = "cut short"  // and no more of them
	BackfillEnded What = "backfilled" // and have been
)

// maxHistory is how many events a record keeps: the last ones.
const maxHistory = 32

const recordKey = "entry"

// noted returns r with more events.
func (r record) noted(events ...Event) record {
	r.History = append(slices.Clip(r.History), events...)
	r.History = r.History[max(0, len(r.History)-maxHistory):]
	return r
}

// describes reports whether r says of p what there is to say.
func (r record) describes(p *plan) bool {
	return r.Source == p.source && r.Spec.equal(&p.spec)
}

var errUnreadable = errors.New("the record cannot be read")

// decodeRecord reads a document that exists.
func decodeRecord(d broker.Document) (record, error) {
	var r record
	if err := json.Unmarshal(d.Body, &r); err != nil {
		return r, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return r, nil
}

// encode returns r as a document's body. It consists of plain values: encoding
// cannot fail.
func (r record) encode() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("periodic: encode record: %v", err))
	}
	return b
}

// How long a record is kept after it was written: that of an entry that nobody stored
// goes by itself once nobody runs it.
const (
	keepUnused  = 90 * 24 * time.Hour
	keepRemoved = time.Hour
	keepStored  = 100 * 365 * 24 * time.Hour
	renewAfter  = 30 * 24 * time.Hour // since Kept, whatever else happens
)

// put returns the write that makes r the record, in place of the one at version.
func (r record) put(version int64) broker.Put {
	return broker.Put{Key: recordKey, Body: r.encode(), If: version}
}

// listing returns what has every scheduler hear of a change of r. Those of one home have
// times that differ.
func (r record) listing(now time.Time) *broker.Listing {
	return &broker.Listing{At: broker.CeilMilli(later(now, r.Listed.Add(time.Millisecond)))}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

package broker

import (
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/task"
)

// An Act is what is done to an entry from outside, by an operator or a program,
// rather than by whoever holds its lease.
type Act int

// The acts, and the states that an entry may be in for each. One that is frozen
// in a batch ([Batch]) is in none of them. An active one whose lease has run out
// ([Stored.Until] is not after now) may be run, archived and deleted, too: its
// lease is lost by that.
const (
	// Run makes an entry ready, at the back of its queue: from scheduled,
	// retry, archived, completed and aggregating. It leaves its group for good.
	// How it ended, its crashes and that it was cancelled are forgotten; the
	// retries that it used are not.
	Run Act = iota + 1

	// Archive keeps it as archived: from pending, scheduled, retry, aggregating
	// and completed. That is no outcome, and counts nothing.
	Archive

	// Delete deletes it, from every state but active. It counts nothing.
	Delete

	// Reschedule has it wait as scheduled until At, or makes it ready if that is
	// not after now: from pending, scheduled, retry, archived, completed and
	// aggregating. It leaves its group, and forgets, as with Run.
	Reschedule

	// Cancel archives it with the end [Cancelled]: from pending, scheduled,
	// retry and aggregating. In active, its lease is [CancelAsked] from then on;
	// see rule 8 of the package comment. That is asked again at will.
	Cancel
)

var actNames = [...]string{"", "run", "archive", "delete", "reschedule", "cancel"}

// String returns the act's word: "run", or "Act(9)" if it is none.
func (a Act) String() string {
	if a < Run || a > Cancel {
		return fmt.Sprintf("Act(%d)", int(a))
	}
	return actNames[a]
}

// from are the states that the acts are done from.
var from = [...][]task.State{
	Run:        {task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating},
	Archive:    {task.Pending, task.Scheduled, task.Retry, task.Aggregating, task.Completed},
	Delete:     {task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating},
	Reschedule: {task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating},
	Cancel:     {task.Active, task.Pending, task.Scheduled, task.Retry, task.Aggregating},
}

// From reports whether a is done to an entry in the state s. It is false for an
// Act that is none.
func (a Act) From(s task.State) bool {
	return a >= Run && a <= Cancel && slices.Contains(from[a], s)
}

// FromLapsed reports whether a is also done to an active entry whose lease has run
// out.
func (a Act) FromLapsed() bool { return a == Run || a == Archive || a == Delete }

// A Move does something to an entry that the caller has no lease of.
type Move struct {
	EntryRef
	Do Act
	At time.Time // for Reschedule, in milliseconds
}

// A Replacement overwrites an entry that waits: what was to be run, how, and if
// DueAt is set, when.
type Replacement struct {
	// Entry takes the place of the one with its id, in every field but Group,
	// Home, Reads and Exit, which stay as they are. With a zero DueAt it keeps its state
	// and its place; otherwise it leaves them, and becomes scheduled or ready as
	// an entry that is enqueued. One that waits behind a claim stays there.
	Entry Entry

	// If is the [Stored.Version] that must be there. Empty: any, but the entry
	// must hold the claim Entry.Claim.Key, or wait behind it. The claim itself
	// stays as it was, except that Entry.Claim says how it ends if it has the same
	// key: a TTL counts from now, and none leaves one that there was.
	//
	// What is moved away by its own change is not overwritten: then If is all
	// that the replacement says.
	If string
}

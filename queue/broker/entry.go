package broker

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/task"
)

// An EntryRef names an entry: its id within its queue.
type EntryRef struct{ Queue, ID string }

// String returns "queue/id".
func (r EntryRef) String() string { return r.Queue + "/" + r.ID }

// How many headers an entry may be added with, and how many bytes their keys
// and values may have together.
const (
	MaxHeaders     = 64
	MaxHeaderBytes = 64 << 10
)

// An Entry is a stored task.
type Entry struct {
	EntryRef
	Type    string
	Payload []byte
	Headers map[string]string // valid UTF-8; at most MaxHeaders and MaxHeaderBytes

	MaxRetry     int           // failed attempts after the first that are allowed
	Retried      int           // failed attempts that were counted
	LastErr      string        // text of the last failure
	LastFailedAt time.Time     // kept in whole seconds, fractions dropped
	Timeout      time.Duration // for one attempt, in milliseconds; 0: none
	Deadline     time.Time     // for all attempts, in milliseconds; zero: none
	Retention    time.Duration // how long to keep it once completed, in milliseconds; 0: not at all
	CompletedAt  time.Time     // kept in whole seconds, fractions dropped
	StartBy      time.Time     // when it is too late to begin, in milliseconds; zero: never. Whoever leases it sees to that
	Group        string        // where it waits to be folded; "": in none

	// MaxCrashes is how many of its leases may run out, one after another. 0:
	// whatever the server says. Crashes is how many have, since an outcome was
	// last recorded. It is read only: what an enqueue or a settlement says of it
	// does not count.
	MaxCrashes int
	Crashes    int

	// Claim, if its Key is not empty, makes the entry the only one of its
	// queue that holds that key. An entry that is read back has the Key, held
	// or not, and no TTL.
	Claim Claim

	// DueAt is when the entry becomes ready, in milliseconds. It is ready at
	// once if DueAt is not after now; if it has a Group, it then waits in that,
	// and is not ready but aggregating. An entry that is read back has DueAt only
	// while it waits for it: scheduled or to be retried.
	DueAt time.Time

	// Home is the run that the entry belongs to, if any, and Reads names the
	// documents of it that a lease of the entry returns.
	Home  Home
	Reads []string

	// Exit, if not nil, is an entry that is enqueued, if its id is free, by
	// whatever ends this one other than its own settlement: see rule 8. It has
	// neither a claim nor a group, a due time or an exit of its own.
	Exit *Entry
}

// A Claim is a key that only one entry of a queue holds at a time, from the
// moment it is enqueued on. It is held while the entry is retried, whatever else
// is said below.
//
// One with a TTL is asynq's: it is freed when its entry is completed or deleted,
// or when the TTL has passed, whichever comes first. It is kept while the entry
// is archived.
//
// One without a TTL does not end before its entry does. It is freed when the
// entry is completed, archived or deleted, by whatever means, except that it is
// held until Hold if that is later; and with UntilStart when the entry is first
// leased, in a batch or not. It does not count when its holder is gone, or archived,
// by means of asynq's. Once it is freed, or held only until Hold, its entry does
// not get it back, whatever becomes of that.
type Claim struct {
	Key        string        // unique within the queue
	TTL        time.Duration // 0, or at least a second; fractions of a second are dropped
	UntilStart bool          // only without a TTL, and without Hold
	Hold       time.Time     // only without a TTL; in milliseconds

	// Behind lets the entry wait if the claim is held by an entry that is
	// active, unless another waits already: then the outcome names that one as
	// the holder. It waits as scheduled, [BehindRetry] at a time; as soon as the
	// claim is freed it takes it and becomes ready. If the claim is free, Behind
	// says nothing: also if it is the change itself that frees it. Only without a
	// TTL, and without a due time or a group. An entry that is read back has it while
	// it waits. One that is moved meanwhile waits no more, and goes without the claim.
	Behind bool

	// Since is kept for the caller, in milliseconds.
	Since time.Time
}

// BehindRetry is how long an entry that waits behind a claim is scheduled ahead.
// When Advance finds it due and the claim still held, it waits as long again from
// then on. That is not counted, and if the claim is free, it takes it.
const BehindRetry = 15 * time.Second

// A Stored is an entry as it was found in storage.
type Stored struct {
	Entry
	State  task.State
	Result []byte    // what its handler wrote, nil if nothing
	Until  time.Time // while Active, or frozen in a batch: when the lease ends; while Completed: when retention does

	End         End    // how it was archived, if not for failures
	CancelAsked bool   // while Active: somebody asked for it to be cancelled
	Progress    []byte // what its handler reported last, nil if nothing

	// Attempts are those of its attempts that were recorded last, at most
	// MaxAttempts, the last one last. [Broker.List] leaves them out.
	Attempts []Attempt

	// Version changes whenever the entry's own fields are written anew; see
	// [Replacement]. Place is where List found it; see [ListRequest]. Both mean
	// nothing else to a caller.
	Version string
	Place   string
}

// MaxAttempts is how many attempts are kept with an entry.
const MaxAttempts = 10

// An Attempt is the record of one attempt to run an entry.
type Attempt struct {
	Started time.Time // in milliseconds; zero if it is not known
	Ended   time.Time // in milliseconds
	Worker  string    // who ran it; "" if it is not known
	Err     string    // what came of it, valid UTF-8; "": it was done. [LeaseRanOut] if the broker wrote it
	Stack   string    // where its handler panicked, valid UTF-8; "" if it did not
}

// LeaseRanOut is the Err of an attempt whose lease ran out. Such a record has
// neither Started, Worker nor Stack.
const LeaseRanOut = "lease ran out"

// An End says why an entry was archived, if not because its attempts failed.
type End int

// The ends.
const (
	Cancelled   End = iota + 1 // somebody asked for it
	Expired                    // it was too late to begin
	Poison                     // it has ended too many of its workers
	Undecodable                // its stored form cannot be read: it is parked
)

var endNames = [...]string{"", "cancelled", "expired", "poison", "undecodable"}

// String returns the end's word as it is stored: "poison". It is empty for the
// zero End, and "End(9)" if there is no such.
func (e End) String() string {
	if e < 0 || e > Undecodable {
		return fmt.Sprintf("End(%d)", int(e))
	}
	return endNames[e]
}

// ParseEnd returns the end whose [End.String] is word, and whether there is one.
func ParseEnd(word string) (End, bool) {
	for e, name := range endNames {
		if name == word {
			return End(e), true
		}
	}
	return 0, false
}

// A Home names the storage of one run: its id, and the queue beside which it
// is kept. The zero Home is no home.
type Home struct{ Queue, ID string }

// IsZero reports whether h is no home.
func (h Home) IsZero() bool { return h == Home{} }

// String returns "queue/id".
func (h Home) String() string { return h.Queue + "/" + h.ID }

// A Document is a value that belongs to a home.
type Document struct {
	Key     string
	Version int64 // 0: does not exist
	Body    []byte
}

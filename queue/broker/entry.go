package broker

import (
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
	Group        string        // where it waits to be folded; "": in none

	// Claim, if its Key is not empty, makes the entry the only one of its
	// queue that holds that key. An entry that is read back has the Key, held
	// or not, and no TTL.
	Claim Claim

	// DueAt is when the entry becomes ready, in milliseconds. It is ready at
	// once if DueAt is not after now. An entry that is read back has it only
	// while it waits for it: scheduled or to be retried.
	DueAt time.Time

	// Home is the run that the entry belongs to, if any, and Reads names the
	// documents of it that a lease of the entry returns.
	Home  Home
	Reads []string
}

// A Claim is held by an entry from the moment it is enqueued until it is
// completed, or until the TTL has passed, whichever comes first. It is kept
// while the entry is retried or archived.
type Claim struct {
	Key string        // unique within the queue
	TTL time.Duration // at least a second; fractions of a second are dropped
}

// A Stored is an entry as it was found in storage.
type Stored struct {
	Entry
	State  task.State
	Result []byte    // what its handler wrote, nil if nothing
	Until  time.Time // while Active: when the lease ends; while Completed: when retention does
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

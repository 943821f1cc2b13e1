package broker

import (
	"time"

	"github.com/leatwork/leat/task"
)

// A ListRequest asks for the entries of Queue that are in State, from the
// Offset-th on, at most Limit. They come in the order in which they are next
// touched: pending ones as they will be leased, active ones by the end of
// their lease, scheduled and retried ones by their due time, completed ones by
// the end of their retention, archived ones by the second in which they were
// archived, rounded up; aggregating ones, of Group and without those that are
// frozen, by the second in which they were added to it, rounded up; ties by id.
// With Newest set they come in the reverse order.
//
// After, if not empty, is the [Stored.Place] of an entry that a request with the
// same Queue, State, Group and Newest returned. The Offset then counts from the
// entry behind that one, whether it is still there or not; what came or went
// before it in the meantime does not matter. Only in pending on Redis is a place
// a matter of luck: entries may be told again, but none is left out that was
// there all the time.
type ListRequest struct {
	Queue  string
	State  task.State
	Group  string // for Aggregating, where it must not be empty
	Newest bool
	After  string
	Offset int
	Limit  int
}

// Counts are the figures of one queue.
type Counts struct {
	Queue string

	// How many entries are in each state.
	Pending, Active, Scheduled, Retry, Archived, Completed int

	// How many wait in groups, those that are frozen in batches included, and in
	// how many groups. A broker that counts them after the others may count one twice
	// that moves meanwhile, or not at all.
	Aggregating, Groups int

	Paused bool // nothing is leased from it

	// How many outcomes were recorded, and how many of them were failures:
	// today (UTC) and ever.
	Processed, Failed           int
	ProcessedTotal, FailedTotal int

	// ReadySince is the now of the call that made the entry ready that is next
	// to be leased, in milliseconds; zero if there is none.
	// It may also be zero if that entry was released or recovered.
	ReadySince time.Time
}

// In returns how many entries are in a state.
func (c Counts) In(s task.State) int {
	switch s {
	case task.Pending:
		return c.Pending
	case task.Active:
		return c.Active
	case task.Scheduled:
		return c.Scheduled
	case task.Retry:
		return c.Retry
	case task.Archived:
		return c.Archived
	case task.Completed:
		return c.Completed
	case task.Aggregating:
		return c.Aggregating
	default:
		return 0
	}
}

// Size returns how many entries the queue holds.
func (c Counts) Size() int {
	return c.Pending + c.Active + c.Scheduled + c.Retry + c.Archived + c.Completed + c.Aggregating
}

// ServerTTL is how long a server's record outlives its last beat.
const ServerTTL = 10 * time.Second

// A Server is the record of a process that leases entries.
type Server struct {
	ID          string // a UUID
	Host        string
	PID         int
	Concurrency int
	Queues      map[string]int // queue to priority
	Strict      bool           // priorities are strict
	Status      string         // "active" or "stopped"
	Started     time.Time
	Workers     []Worker // what it is running
	Gone        bool     // it has left: forget it
}

// MaxWorkerPayload is how many bytes of a payload a server's record holds. The
// record is written anew at every beat.
const MaxWorkerPayload = 1 << 10

// A Worker is the record of one entry that a server is running.
type Worker struct {
	Entry    EntryRef
	Type     string
	Payload  []byte // its beginning: servers write at most MaxWorkerPayload
	Started  time.Time
	Deadline time.Time // when its context ends
}

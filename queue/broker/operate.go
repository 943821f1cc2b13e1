package broker

import (
	"context"
	"database/sql"
	"time"

	"github.com/leatwork/leat/task"
)

// An Operator is the part of every [Broker] that groups, operators and waiting
// programs need.
type Operator interface {
	// Gather leases the oldest entries of a group as one batch, if the group is
	// ripe, and returns a zero Token if it is not.
	Gather(ctx context.Context, now time.Time, r GatherRequest) (Batch, error)

	// Joined returns a page of the groups to which something has come: it costs
	// nothing for those that are idle.
	Joined(ctx context.Context, r JoinedRequest) (JoinedPage, error)

	// Groups returns the groups of a queue that hold entries, in order of their
	// names.
	Groups(ctx context.Context, queue string) ([]Group, error)

	// Report writes how far entries that are leased have come, and says of each
	// lease, in order, whether it is held.
	Report(ctx context.Context, now time.Time, reports ...Progress) ([]Held, error)

	// Sweep does one step of what is to be done to all entries of a queue that
	// are in one state, and returns how many it was done to: none when there are
	// no more.
	Sweep(ctx context.Context, now time.Time, r SweepRequest) (int, error)

	// Pause has nothing leased from a queue until it is resumed, and reports
	// whether that was new. The queue need not exist, and does not begin to by
	// this. Everything else goes on: enqueues, Advance, settlements, batches.
	Pause(ctx context.Context, now time.Time, queue string, paused bool) (bool, error)

	// Remove deletes a queue that holds no entries, with its figures, its
	// groups, its claims and that it was paused, and whatever homes lie beside
	// it if force is set. It returns ErrNotFound if there is no such queue, and
	// an error that matches ErrNotEmpty if it holds an entry or, without force,
	// has a home beside it. It may take several steps, and is repeated until it
	// returns nil.
	Remove(ctx context.Context, now time.Time, queue string, force bool) error

	// Queues returns the names of all queues, sorted.
	Queues(ctx context.Context) ([]string, error)

	// History returns the figures of a queue for as many days, today (UTC)
	// first, at most [MaxHistory]; those that nothing is known of have zeroes.
	History(ctx context.Context, now time.Time, queue string, days int) ([]Day, error)

	// Memory returns about how many bytes the entries of a queue take, estimated
	// from a sample. Where the storage does not tell, it returns an error.
	Memory(ctx context.Context, queue string) (int64, error)
}

// MaxHistory is for how many days figures are kept.
const MaxHistory = 90

// A Day is the figures of one queue on one day.
type Day struct {
	Date              time.Time // its beginning, UTC
	Processed, Failed int
}

// A SweepRequest asks for something to be done to the entries of Queue that are
// in State, the first of them first, as [ListRequest] orders them, at most
// Limit. State is none that Do does not take, nor active; with aggregating it is
// those of Group.
type SweepRequest struct {
	Queue string
	State task.State
	Group string
	Do    Act // Run, Archive, Delete or Cancel
	Limit int // from 1 to MaxSweep
}

// MaxSweep is to how many entries one step of a sweep does something.
const MaxSweep = 500

// A Progress is how far an entry has come, in whatever form its handler reports
// it: at most MaxProgress bytes. It replaces what was reported before, and stays
// with the entry.
type Progress struct {
	LeaseRef
	Data []byte
}

// MaxProgress is how many bytes a report of progress may have.
const MaxProgress = 4 << 10

// A Transactor is a broker whose storage is a database that the caller may have a
// transaction on. It is not part of [Broker].
type Transactor interface {
	// ApplyTx makes changes part of tx, which must be on the broker's database.
	// Each is taken or refused whole, as with [Broker.Apply], and takes effect if
	// and when tx is committed. An error leaves tx to be rolled back.
	ApplyTx(ctx context.Context, now time.Time, tx *sql.Tx, changes []Change) ([]error, error)
}

package broker

import (
	"context"
	"time"
)

// A Broker is a storage of entries, documents and latches. The rules that its
// methods obey are in the package comment.
type Broker interface {
	// Apply makes each change take effect whole or not at all, then leases up
	// to want.Max ready entries, in one commit of the storage or as few as it
	// can, and in one trip. It returns one outcome for each change.
	Apply(ctx context.Context, now time.Time, changes []Change, want LeaseRequest) (Applied, error)

	// Extend makes the leases that are still held last until until, and says
	// of each, in order, whether it is.
	Extend(ctx context.Context, now, until time.Time, leases ...LeaseRef) ([]Held, error)

	// Advance does what time has made due in the queues asked for, at most
	// r.Limit of it, and says when it is next needed.
	Advance(ctx context.Context, now time.Time, r AdvanceRequest) (Advanced, error)

	// Documents returns the documents of home with the given keys, in that
	// order; one that does not exist has Version 0 and a nil Body.
	Documents(ctx context.Context, home Home, keys ...string) ([]Document, error)

	// Latches returns the state of home's latches with the given ids, in that
	// order, or ErrNotFound if one was never opened.
	Latches(ctx context.Context, home Home, ids ...string) ([]LatchState, error)

	// OpenEntries returns a page of what is open of home: see rule 11.
	OpenEntries(ctx context.Context, r OpenRequest) (OpenPage, error)

	// Homes returns a page of the homes that are found by what r asks for.
	Homes(ctx context.Context, r HomesRequest) (HomesPage, error)

	// Entry returns the entry that ref names, or ErrNotFound.
	Entry(ctx context.Context, ref EntryRef) (Stored, error)

	// List returns a page of the entries of one queue that are in one state.
	List(ctx context.Context, r ListRequest) ([]Stored, error)

	// Counts returns the figures of the named queues in that order, or of all
	// queues in order of their names if none is named. A queue that does not
	// exist has zeroes. now decides which day today is.
	Counts(ctx context.Context, now time.Time, queues ...string) ([]Counts, error)

	// Beat records that a server is alive, or with Server.Gone set that it has
	// left. A record is forgotten ServerTTL after its last beat.
	Beat(ctx context.Context, now time.Time, s Server) error

	// Servers returns the servers that are alive at now, in order of their ids.
	Servers(ctx context.Context, now time.Time) ([]Server, error)

	Operator
	Timetable

	// Ping returns nil if the storage answers.
	Ping(ctx context.Context) error

	// Close gives back what the broker itself opened. Calls that begin after it
	// fail with ErrClosed, except that closing again returns nil.
	Close() error
}

// A Verifier is a broker that can check its own storage. It is not part of
// [Broker]: it reads everything and is meant for tests and for repair.
type Verifier interface {
	// Verify returns one sentence for each thing in storage that contradicts
	// the package's rules, such as an entry in two states, and none if all is
	// well. It should be called while nothing writes.
	Verify(ctx context.Context, now time.Time) ([]string, error)
}

// CeilSecond returns t, rounded up to a whole second: the precision at which
// the ends of leases and of retention are kept.
func CeilSecond(t time.Time) time.Time { return ceil(t, time.Second) }

// CeilMilli returns t, rounded up to a whole millisecond: the precision at
// which due times are kept.
func CeilMilli(t time.Time) time.Time { return ceil(t, time.Millisecond) }

func ceil(t time.Time, unit time.Duration) time.Time {
	if down := t.Truncate(unit); !down.Equal(t) {
		return down.Add(unit)
	}
	return t
}

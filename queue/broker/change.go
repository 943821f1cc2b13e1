package broker

import (
	"fmt"
	"time"
)

// MaxParts is the number of parts that one change may have: settlements,
// conditions, documents, entries, latches, feeds and arrivals, those inside
// latches and feeds included.
const MaxParts = 1000

// MaxBytes is how large the payloads, results and documents that one change
// writes may be together, those inside latches and feeds included. The payload
// of an entry that is settled does not count: it is there already.
const MaxBytes = 64 << 20

// MaxTotal is the most members that a [Latch] may have: a broker keeps a bit of
// each.
const MaxTotal = 1 << 24

// A Change is a set of writes that take effect together. Its zero value does
// nothing. The fields stand in the order in which they are checked.
type Change struct {
	// Settle records outcomes. Checked: the lease is held ([ErrLeaseLost]).
	Settle []Settlement

	// Move does something to entries that the caller has no lease of. Checked,
	// entry by entry: it exists ([ErrNotFound]), and is in a state that allows
	// it ([ErrState]).
	Move []Move

	// Replace overwrites entries that wait. Checked, entry by entry: it exists
	// ([ErrNotFound]), it is pending, scheduled, to be retried or in a group and
	// not frozen ([ErrState]), it has the version ([ErrChanged]) or the claim
	// ([ErrClaimed]).
	Replace []Replacement

	// Watch has the end of entries told to those who listen ([Listener]), and
	// keeps one that is done for at least [WatchRetention], as completed, with all
	// that Completed stores.
	// Checked: it exists ([ErrNotFound]).
	Watch []EntryRef

	// Home is what Require to Put and Open to Close are about. It must not be zero if one of
	// them is set.
	Home Home

	// Require is checked ([ErrConflict]) and writes nothing.
	Require []Condition

	// Put writes documents. Checked: each document's version ([ErrConflict]).
	Put []Put

	// Quota is how many bytes the bodies of all documents of Home may have
	// together, once Put is written; 0: any number. It holds for this change
	// only, and only if it has a Put. Checked: they do ([ErrQuota]).
	Quota int64

	// Enqueue adds entries, in any queue and of any home. Checked, entry by
	// entry: the id is free ([ErrExists]), then the claim is ([ErrClaimed]).
	Enqueue []Entry

	// Open adds latches. Checked, latch by latch: the id is free ([ErrExists]),
	// and every arrival of Then, then of Else, goes to a latch that exists or is
	// opened with it, to a member that it has ([ErrNotFound]).
	Open []Latch

	// Feed gives latches entries to release. Checked: the latch exists or is
	// opened with it ([ErrNotFound]). A latch that has stopped or completed
	// ignores it.
	Feed []Feed

	// Arrive reports members to latches. Checked: the latch exists, or is
	// opened with it, and has that member ([ErrNotFound]).
	Arrive []Arrival

	// Drain, if not empty, is enqueued once nothing of Home is open any more: see
	// rule 11. It takes the place of what an earlier change wanted. Entries whose
	// id exists by then are skipped; they must not have claims, and belong to Home.
	Drain []Entry

	// List, if not nil, is what Home is found by from now on ([Broker.Homes]).
	List *Listing

	// Close, if not zero, is when the home is deleted, with the documents and
	// latches that are in it; entries that belong to it stay in their queues.
	// It is kept to the millisecond and replaces an earlier time. A home that
	// is written to after it was deleted begins anew, with version 1.
	Close time.Time
}

// WatchRetention is for how long an entry that is watched is kept once it is
// done, if its own retention is shorter, so that the one who waits for it finds
// what it left.
const WatchRetention = time.Minute

// An Outcome says how a settlement leaves its entry.
type Outcome int

// The outcomes. What they do to the figures of the queue (see [Counts]) is
// noted with each.
const (
	Done      Outcome = iota + 1 // deletes the entry, frees its claim; one processed
	Completed                    // keeps it as completed until At, frees its claim; one processed
	Retry                        // makes it due again at At, past or not; if Failed, one processed and one failed
	Archived                     // keeps it as archived; one processed, and unless it was cancelled or has expired, one failed
	Released                     // makes it the next to be leased, as if it had not been; counts nothing
)

var outcomeNames = [...]string{"", "done", "completed", "retry", "archived", "released"}

// String returns the outcome's word: "done", or "Outcome(9)" if it is none.
func (o Outcome) String() string {
	if o < Done || o > Released {
		return fmt.Sprintf("Outcome(%d)", int(o))
	}
	return outcomeNames[o]
}

// A Settlement ends a lease and records what came of it.
type Settlement struct {
	// Token is the lease's. Entry is the entry as it was leased; of its fields
	// Retried, LastErr, LastFailedAt and CompletedAt may have been changed and
	// are stored, unless the outcome is Done or Released.
	Token string
	Entry Entry

	To     Outcome
	At     time.Time // for Completed and Retry
	Failed bool      // for Retry: whether it counts as a failure

	// End says why it is archived, if not for failures; see rule 8.
	End End

	// Attempt, if not nil, is added to the entry's [Stored.Attempts] where the
	// entry is kept, other than by Released.
	Attempt *Attempt

	// Result, if not nil, is stored with the entry where that is kept, other
	// than by Released; nil leaves what was stored before.
	Result []byte

	// Headers, if not nil, take the place of the entry's where that is kept, also by
	// Released; empty ones leave it without. They are bounded as those of an entry that
	// is added.
	Headers map[string]string
}

// IsFailure reports whether s is counted as a failure, once it is recorded: see [Counts].
func (s *Settlement) IsFailure() bool {
	switch s.To {
	case Retry:
		return s.Failed
	case Archived:
		return s.End != Cancelled && s.End != Expired
	default:
		return false
	}
}

// A Condition is that a document has a version; 0 is that it does not exist.
type Condition struct {
	Key     string
	Version int64
}

// AnyVersion as the If of a [Put] writes whatever is there.
const AnyVersion int64 = -1

// A Put writes a document. Its version becomes the next of its home.
type Put struct {
	Key  string
	Body []byte
	If   int64 // the version that must be there; 0: none; AnyVersion: any or none
}

// A Part is what a latch does when it completes.
type Part struct {
	Enqueue []Entry // those whose id exists are skipped; claims are not allowed
	Arrive  []Arrival
}

// A Latch counts arrivals of distinct members, numbered from 0 to Total-1;
// Total is at most [MaxTotal].
//
// It completes when all have arrived, and then does Then, or Else if more than
// Tolerate of them were marked, in the commit of the last arrival. A latch of
// no members completes as it is opened.
//
// A latch may release its own members: entries that are fed to it ([Feed]), as
// long as Released less Arrived is below Window. At the StopAt-th marked arrival
// it stops: it forgets what was not released, and completes when Arrived has
// reached Released, which may be at once. A latch that has completed releases
// nothing more.
type Latch struct {
	ID       string
	Total    int
	Window   int // 0: no limit
	StopAt   int // 0: never
	Tolerate int
	Then     Part
	Else     Part
}

// A Feed gives a latch entries to release, after those it has been given
// before. Entries whose id exists when they are released are skipped, and
// count as released. They must not have claims, and belong to the change's home.
type Feed struct {
	Latch   string
	Entries []Entry
}

// An Arrival reports a member to a latch of the same home. Only the first of a
// member counts, and none after the latch has completed.
type Arrival struct {
	Latch  string
	Member int
	Mark   bool // the member failed
}

// A LatchState is how far a latch has come.
type LatchState struct {
	ID       string
	Total    int
	Fed      int // entries that it was given
	Released int // of those, released
	Arrived  int
	Marked   int  // of those, marked
	Stopped  bool // has seen StopAt marks
	Complete bool
}

package broker

import "time"

// A Group is what waits in one group of a queue.
type Group struct {
	Name string

	// Size is how many entries wait, without those that are frozen in batches,
	// and Frozen how many these are. A broker that would have to look for them
	// may leave Frozen out.
	Size, Frozen int

	// Oldest and Newest are when the entry that waits longest was added, and the
	// one that was added last, in seconds, rounded up.
	Oldest, Newest time.Time
}

// A GatherRequest asks for the oldest entries of a group, if it is ripe: if it
// has MaxSize of them, or the payloads of its MaxSize oldest are together MaxBytes
// or more, or its oldest was added MaxDelay ago, or its newest Grace ago. Entries
// are in the order in which they were added, to the second; ties by id. As many are
// taken as MaxSize and MaxBytes allow, and at least one.
type GatherRequest struct {
	Queue, Group string

	// Token names the batch. It must be a name that was never used before, such
	// as a UUID. Asking again with the same one returns the same batch, as long
	// as it is held, without what was settled.
	Token string

	Grace    time.Duration // in seconds, rounded up; 0: ripe whenever there is one
	MaxDelay time.Duration // in seconds, rounded up; 0: no limit
	MaxSize  int           // from 1 to MaxBatch
	MaxBytes int64         // 0: no limit
	Until    time.Time     // rounded up to a second
}

// MaxBatch is how many entries a batch may have: as many as one change can
// settle, and enqueue what they were folded into.
const MaxBatch = MaxParts - 10

// A Batch is entries of a group that are leased together. They stay in the state
// aggregating, but are frozen: only who has the token settles them, singly or all
// in one change. Those that are released go back to the group, to where they
// were; so do all, if the batch is neither settled nor extended in time. To extend
// one of them is to extend all.
type Batch struct {
	Queue, Group string
	Token        string // "": the group is not ripe, or empty
	Until        time.Time

	// Members are the leases of its entries, all with its Token and Until, and without
	// documents.
	Members []Lease

	// Next is when the group is ripe if nothing joins or leaves it any more: now, as
	// given, if it still is, and zero if nothing waits in it. Where a part of
	// the storage was not asked, it is of the others.
	Next time.Time

	// Parked are entries that cannot be read, see [Applied].
	Parked []Parked
}

// groups is what the names end in under which groups are waited for.
const groups = "~groups"

// GroupsOf returns what to wait for ([Waker]) to be woken when an entry comes to
// wait in a group of a queue.
func GroupsOf(queue string) string { return queue + groups }

// A JoinedRequest asks for the groups of Queue to which something has come since a
// [JoinedPage] was told.
type JoinedRequest struct {
	Queue string
	After string // the Next of that page; "": as far back as is known
	Limit int    // 1 to MaxParts
}

// A JoinedPage is the groups in which entries have come to wait, in whatever way, by
// when the last one did; those in which none waits any more are left out. A storage
// that is divided tells of a group once for each part in which entries of it wait. What
// asynq adds is not told.
type JoinedPage struct {
	Groups []Group // without Frozen
	Next   string  // what to ask with for what comes after
	More   bool    // there is some already, even if Groups is empty
}

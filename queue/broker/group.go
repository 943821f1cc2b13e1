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
// has MaxSize of them, or its oldest was added MaxDelay ago, or its newest Grace
// ago. Entries are in the order in which they were added, to the second; ties by
// id.
type GatherRequest struct {
	Queue, Group string

	// Token names the batch. It must be a name that was never used before, such
	// as a UUID. Asking again with the same one returns the same batch, as long
	// as it is held, without what was settled.
	Token string

	Grace    time.Duration // in seconds, rounded up; 0: ripe whenever there is one
	MaxDelay time.Duration // in seconds, rounded up; 0: no limit
	MaxSize  int           // from 1 to MaxBatch
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
	Entries      []Entry // without their Exits

	// Parked are entries that cannot be read, see [Applied].
	Parked []Parked
}

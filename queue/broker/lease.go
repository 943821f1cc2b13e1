package broker

import "time"

// A LeaseRequest asks for entries to run. Its zero value asks for none.
type LeaseRequest struct {
	// Queues are looked at in order, twice: first each for at most its First,
	// then each for what is still missing to Max. So the caller sets shares,
	// and no worker idles while one of the queues holds work.
	Queues []Share
	Max    int
	Until  time.Time // rounded up to a second

	// Pass are wakes that the caller has had from [Waker].Wait. Once the leases
	// are taken, those with a time are given to somebody else as they are, and
	// the others if their queue may still hold ready entries, or be it that it has
	// groups. Max may be 0. A
	// broker that is no Waker looks past them.
	Pass []Wake
}

// A Share is how much of a request one queue gets in the first pass.
type Share struct {
	Queue string
	First int
}

// A Lease is the right to run an entry until a time.
type Lease struct {
	Entry     Entry // without its Exit, which is not the holder's affair
	Token     string
	Until     time.Time  // as rounded
	Documents []Document // those that Entry.Reads names, in that order

	// Ready is since when the entry was ready, or of a member of a batch since when it
	// was in its group, in batches meanwhile or not: the now of the call that made it so,
	// in milliseconds. It is zero if that is not known, as it may be after a release or
	// of what another program made ready, or if the lease is told again.
	Ready time.Time

	// Lost is the lease before this one if that ran out: see rule 9. nil: there is none,
	// or it was another program's, or this one is told again.
	Lost *LostLease
}

// A LostLease is a lease that ran out.
type LostLease struct {
	Token string
	Began time.Time // the now of the call that gave it, in milliseconds
}

// Ref returns the lease's name.
func (l Lease) Ref() LeaseRef { return LeaseRef{l.Entry.EntryRef, l.Token} }

// A LeaseRef names a lease.
type LeaseRef struct {
	EntryRef
	Token string
}

// Held says what became of a lease.
type Held int

// What may have become of a lease.
const (
	Kept Held = iota + 1 // it is held, and was extended
	Lost                 // the entry is gone, or under another lease, or under none

	// Asked: it is held, and was extended, and somebody has asked for the entry
	// to be cancelled.
	Asked
)

// Applied is what [Broker.Apply] did.
type Applied struct {
	Outcomes []error // one for each change: nil if it took effect
	Leases   []Lease

	// Parked are entries that were next in line and cannot be read. They were
	// archived unread, so that they neither block the queue nor are lost.
	Parked []Parked
}

// A Parked entry is one whose stored form this broker cannot read.
type Parked struct {
	EntryRef
	Err error
}

// An AdvanceRequest names the queues to advance, and how much to do at most.
// Queues are advanced in the order given, and in each of them what is due, what
// is to be recovered, what has expired, what is to be closed, which batches have
// run out and what the archive is to lose, in that order and each of these in
// order of its time; ties by id. A batch goes back as far as the limit lets it.
type AdvanceRequest struct {
	Queues []string
	Limit  int // over all queues; at least 1

	// Keep is how much of each queue's archive is kept.
	Keep ArchiveLimits
}

// ArchiveLimits say which archived entries Advance deletes: the oldest, as far as
// there are too many of them, or they are too old or too large. Zero fields limit
// nothing. Entries that are parked are not deleted, and the rest is if they lie
// among the five hundred oldest.
type ArchiveLimits struct {
	Count int
	Age   time.Duration // since they were archived
	Bytes int64         // of their payloads and results, estimated from a sample
}

// Advanced is what [Broker.Advance] did.
type Advanced struct {
	Due       int // entries that became ready because their time had come
	Recovered int // entries that became ready because their lease had run out
	Expired   int // completed entries that were deleted at the end of their retention
	Closed    int // homes that were deleted at the end of theirs
	Returned  int // members of batches that went back to their group because the batch's time had run out
	Trimmed   int // archived entries that were deleted because of AdvanceRequest.Keep
	Cancelled int // entries that would have been ready again, and were archived because they were cancelled

	// Next is when Advance will next have something to do in these queues, as
	// far as is known; zero if nothing waits. It is not after now if the limit
	// was reached. That archived entries grow too old is not looked for.
	Next time.Time
}

// Add adds what another call did to a. Next stays as it was.
func (a *Advanced) Add(b Advanced) {
	a.Due += b.Due
	a.Recovered += b.Recovered
	a.Expired += b.Expired
	a.Closed += b.Closed
	a.Returned += b.Returned
	a.Trimmed += b.Trimmed
	a.Cancelled += b.Cancelled
}

// Total returns how much was done.
func (a Advanced) Total() int {
	return a.Due + a.Recovered + a.Expired + a.Closed + a.Returned + a.Trimmed + a.Cancelled
}

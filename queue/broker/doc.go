// Package broker is the seam between the engine and its storage. Package queue
// and the packages above it decide what a task's end means; a [Broker] keeps
// entries, documents and latches, and commits sets of writes to them.
//
// This page is the contract. Package brokertest checks it, for every broker
// with the same cases, and compares every broker with one model. A new promise
// enters here and there in one commit.
//
// # What a broker keeps
//
// An [Entry] is a stored task. It lies in one queue under an id that is unique
// in that queue, and is in exactly one [task.State]. A queue comes into being
// with its first entry, and ends when it is removed ([Operator]). A [Group] is
// entries of a queue that wait to be folded into one.
//
// A home ([Home]) is the storage of one run: documents, latches, what it is found
// by ([Listing]) and, once the run has ended, the time at which they go. A [Document] is a key, a body and a
// version; versions count up within a home, over all its documents, by one for
// each document written. A [Latch] counts distinct members and, when it
// completes, makes entries and arrivals of its own.
//
// # Rule 1: a change takes effect whole or not at all
//
// [Broker.Apply] takes changes. Each takes effect whole or is refused whole,
// each on its own: the refusal of one does not touch its neighbours. They are
// taken in order, so that a later one sees what an earlier one did.
//
// A broker first makes every check of a change against the state before it, in
// the order in which [Change] lists its fields, and the first check that fails
// is the change's outcome. Only then does it write. What a latch does when it
// completes is checked when the latch is opened, and cannot fail: an entry
// whose id exists by then is skipped. There is one thing that a check sees of
// its own change: a latch that is opened in it exists for its feeds and
// arrivals.
//
// The writes are made in the order of the fields, too. Arrivals are taken one
// after another: first those of latches that were complete as they were opened,
// then those of the change, then those of latches that complete by them, in the
// order in which they do. A latch that completes enqueues its entries at once.
//
// A storage that is divided, as a Redis Cluster is, may refuse a change about
// things that lie apart ([ErrApart]): it says what must lie together.
//
// # Rule 2: a token decides
//
// A lease is the right to run an entry until a time. Its token is made for that
// lease and never again. Settling needs the token of the lease that the entry
// is under; any other gets [ErrLeaseLost] and changes nothing. A lease that has
// run out still settles until Advance takes the entry back: the token decides,
// not the time.
//
// # Rule 3: time is an argument
//
// No broker asks a clock what is due: now is given. Times are kept to the
// millisecond, fractions rounded up, so that nothing is early. The ends of
// leases and of retention are rounded up to a whole second ([CeilSecond]),
// because they are scores that asynq's tools read. What waits for a time is due
// when that time is not after now. Only a claim with a TTL expires by the
// storage's own clock where that has one, and so does the record of a server or
// a scheduler, even if nobody asks.
//
// # Rule 4: order
//
// Entries of a queue are leased in the order in which they became ready. An
// entry that is enqueued, due or released by a latch goes to the back. A
// released entry, or one whose lease ran out, goes to the front: of several
// that are released in turn, the last is next. Entries that become due in one
// call to Advance go in order of their due time, those whose lease ran out are
// next in order of the lease's end; ties go by id. What an operator makes ready,
// and what has waited behind a claim, goes to the back.
//
// # Rule 5: bounded work
//
// A change has at most [MaxParts] parts. Advance moves at most as many entries
// as it is asked to. No call's cost grows with what is stored, except that of
// [Broker.List] with its Offset, of [Broker.Counts] of all queues with how many
// there are and how many groups they have, of the lists of servers, schedulers,
// queues and groups with their length, of [Operator].Remove with what the storage holds, and on Redis that of settling and
// recovering with how many entries of the queue are leased, and that of moving a
// pending one with how many are pending: asynq keeps those in lists, which are
// searched.
//
// # Rule 6: errors
//
// The outcome of a change is nil or one of the errors of this package, to be
// tested with [errors.Is] and [errors.AsType]; a malformed change is refused
// with a [task.InvalidError] by [Change.Check], which every broker calls. A call
// of any method that asks for what makes no sense fails with a
// [task.InvalidError] that also matches [ErrRefused]. Any other error of a call
// means that the storage could not be asked or did not answer: then each change
// has taken effect or not, whole, and which is not known unless the broker says
// so ([ErrRefused]: certainly not). A call whose context has ended before it
// begins is refused.
//
// # Rule 7: concurrency and ownership
//
// All methods may be called from several goroutines, and several brokers may
// be open on one storage. A broker does not keep the slices and maps it is
// given, and gives away none that it keeps.
//
// # Rule 8: how an entry ends
//
// An entry ends when it is completed, archived or deleted; one that is archived
// or completed and is deleted then has ended before. Whatever ends it frees its
// claim, as [Claim] has it, in the same commit, and whatever ends it other than
// its own settlement enqueues its Exit: a deletion, an archiving by [Archive] or
// [Cancel], and a settlement with an [End], because that is not the handler's.
// Parking is no end: no Exit is enqueued, and the claim is kept. What is enqueued
// in this way cannot fail: an entry whose id exists is skipped.
//
// An entry that was to be cancelled while it was active is settled as its holder
// says if it is done, completed or archived. If it would be ready or due again,
// by Released, by Retry or because its lease ran out, it is archived instead,
// with the end [Cancelled], and what Retry would have stored is. That a settlement
// does so is counted as one processed; that a lease ran out is not.
//
// # Rule 9: lost leases
//
// When Advance takes an entry back because its lease ran out, it counts a crash
// and adds an [Attempt] with [LeaseRanOut]: of members of batches as of any other,
// and also if the entry was to be cancelled. Any outcome but Released sets the
// count to zero, and so does making it run by hand. What is done about it is the
// caller's affair. The next lease tells of the one that was lost ([Lease].Lost), once,
// unless the count was set to zero in between.
//
// If nobody has called Advance for a queue for more than five seconds while it had leases,
// nobody can have extended them, either: the storage was away. Then no lease of that
// queue, and no batch, is taken back for another five seconds, counted from the
// call that finds it out, and Advanced.Next says when. The time before a queue's
// first lease, of those that it has had without a break, does not count.
//
// # Rule 10: wakes
//
// A [Waker] keeps at most three wakes for each queue: that entries have become
// ready; the earliest time at which an entry is due that has come to be scheduled or
// retried since such a wake was last given away; and, under a name of its own
// ([GroupsOf]), that entries have come to wait in groups, be it again. Whatever makes
// an entry ready, or has it wait until a time or in a group, leaves the wake with its
// commit, or in a storage that is divided right after it, even in a queue that is
// paused, and so does resuming a queue for what is ready. It need not be left if the
// very call has leased all that was ready in the queue.
//
// A wake that is kept goes to the first who waits for the queue, or to the next
// who does: to one only, or on a storage that cannot tell brokers apart, as a file
// that many processes have open, to one on each broker. Of one queue, what is to be
// leased comes before what is to be advanced. A wake is a hint. It may come to
// nothing, as somebody else may have been faster, and it is lost with the one who
// was given it, or if the storage fails. No wake is left for what another program
// writes that knows nothing of wakes, such as asynq, nor for the ends of leases, of
// retention and of batches.
//
// # Rule 11: what is open
//
// An entry that belongs to a home is open from when it is enqueued until it ends
// (rule 8), and again if it is made to run after that. One that is parked stays
// open. [Broker.OpenEntries] tells which are, and [Change].Drain has entries enqueued
// when none is any more: in the commit in which the last one ends, or in the change
// itself if none is open after it. They come after all else that the change does, or
// the call that ends it in another way, and those of several homes in order of the
// queues and ids of these. A drain is done once. Entries stay open when their home is
// deleted; its drain goes with it.
package broker

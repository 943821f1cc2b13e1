package brokertest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Calls to a broker that a case makes on its way: they fail the case if the
// broker does not answer, and leave to the case what the answer should be.

// entry returns an entry with the given id in queue and nothing special.
func entry(queue, id string) broker.Entry {
	return broker.Entry{
		EntryRef: broker.EntryRef{Queue: queue, ID: id},
		Type:     "test:" + id,
		Payload:  []byte("payload of " + id),
		MaxRetry: 25,
		Timeout:  30 * time.Minute,
	}
}

// entries returns an entry for each id.
func entries(queue string, ids ...string) []broker.Entry {
	var all []broker.Entry
	for _, id := range ids {
		all = append(all, entry(queue, id))
	}
	return all
}

// apply applies changes and returns their outcomes.
func (x *trial) apply(changes ...broker.Change) []error {
	x.Helper()
	return x.applyAnd(broker.LeaseRequest{}, changes...).Outcomes
}

func (x *trial) applyAnd(want broker.LeaseRequest, changes ...broker.Change) broker.Applied {
	x.Helper()
	applied, err := x.b.Apply(x.Context(), time.Now(), changes, want)
	if err != nil {
		x.Fatalf("Apply() = %v, want nil", err)
	}
	if len(applied.Outcomes) != len(changes) {
		x.Fatalf("Apply() of %d changes returned %d outcomes", len(changes), len(applied.Outcomes))
	}
	return applied
}

// must applies changes, none of which may be refused.
func (x *trial) must(changes ...broker.Change) {
	x.Helper()
	for i, err := range x.apply(changes...) {
		if err != nil {
			x.Fatalf("change %d was refused: %v", i, err)
		}
	}
}

// refused applies c and returns its outcome, which must not be nil.
func (x *trial) refused(c broker.Change) error {
	x.Helper()
	err := x.apply(c)[0]
	if err == nil {
		x.Fatalf("change took effect, want it refused: %+v", c)
	}
	return err
}

// enqueue adds entries, each in a change of its own.
func (x *trial) enqueue(add ...broker.Entry) {
	x.Helper()
	for _, e := range add {
		x.must(broker.Change{Enqueue: []broker.Entry{e}})
	}
}

// lease leases at most most entries of queue for ten seconds.
func (x *trial) lease(queue string, most int) []broker.Lease {
	x.Helper()
	return x.applyAnd(wanted(queue, most)).Leases
}

// wanted asks for at most most entries of queue for ten seconds.
func wanted(queue string, most int) broker.LeaseRequest {
	return broker.LeaseRequest{
		Queues: []broker.Share{{Queue: queue, First: most}},
		Max:    most,
		Until:  time.Now().Add(10 * time.Second),
	}
}

// leaseOne leases the next entry of queue, which there must be.
func (x *trial) leaseOne(queue string) broker.Lease {
	x.Helper()
	leases := x.lease(queue, 1)
	if len(leases) != 1 {
		x.Fatalf("leased %d entries of %s, want 1", len(leases), queue)
	}
	return leases[0]
}

// settled returns a settlement of l.
func settled(l broker.Lease, to broker.Outcome) broker.Settlement {
	return broker.Settlement{Token: l.Token, Entry: l.Entry, To: to, At: time.Now().Add(time.Minute)}
}

// settling returns a change that settles l.
func settling(l broker.Lease, to broker.Outcome) broker.Change {
	return broker.Change{Settle: []broker.Settlement{settled(l, to)}}
}

// advance advances queues without a limit that matters.
func (x *trial) advance(queues ...string) broker.Advanced {
	x.Helper()
	return x.advanceAtMost(1000, queues...)
}

func (x *trial) advanceAtMost(limit int, queues ...string) broker.Advanced {
	x.Helper()
	return x.advanceAs(broker.AdvanceRequest{Queues: queues, Limit: limit})
}

func (x *trial) advanceAs(r broker.AdvanceRequest) broker.Advanced {
	x.Helper()
	a, err := x.b.Advance(x.Context(), time.Now(), r)
	if err != nil {
		x.Fatalf("Advance(%s) = %v, want nil", brief(r), err)
	}
	return a
}

// pass lets d pass.
func (x *trial) pass(d time.Duration) { time.Sleep(d) }

// awake lets d pass while queues are advanced now and then, as they have to be for
// leases to be taken back; but not at its end.
func (x *trial) awake(d time.Duration, queues ...string) {
	x.Helper()
	const often = 4 * time.Second
	for ; d > often; d -= often {
		x.pass(often)
		x.advance(queues...)
	}
	x.pass(d)
}

// get returns the entry queue/id, which must exist.
func (x *trial) get(queue, id string) broker.Stored {
	x.Helper()
	s, err := x.b.Entry(x.Context(), broker.EntryRef{Queue: queue, ID: id})
	if err != nil {
		x.Fatalf("Entry(%s/%s) = %v, want nil", queue, id, err)
	}
	return s
}

// list returns the ids of the entries of queue that are in state, in order.
func (x *trial) list(queue string, state task.State) []string {
	x.Helper()
	found, err := x.b.List(x.Context(), broker.ListRequest{Queue: queue, State: state, Limit: 10_000})
	if err != nil {
		x.Fatalf("List(%s, %s) = %v, want nil", queue, state, err)
	}
	return storedIDs(found)
}

func storedIDs(found []broker.Stored) []string {
	var ids []string
	for _, s := range found {
		ids = append(ids, s.ID)
	}
	return ids
}

func leasedIDs(leases []broker.Lease) []string {
	var ids []string
	for _, l := range leases {
		ids = append(ids, l.Entry.ID)
	}
	return ids
}

// counts returns the figures of one queue.
func (x *trial) counts(queue string) broker.Counts {
	x.Helper()
	c, err := x.b.Counts(x.Context(), time.Now(), queue)
	if err != nil || len(c) != 1 {
		x.Fatalf("Counts(%s) = %+v, %v, want one and nil", queue, c, err)
	}
	return c[0]
}

// same compares values as the contract does: times by the instant, and no
// bytes like none.
var same = cmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(broker.Stored{}, "Version", "Place"), // only a broker knows what they say
}

// equal fails the case, and goes on, unless got is want.
func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// documents returns documents of home.
func (x *trial) documents(home broker.Home, keys ...string) []broker.Document {
	x.Helper()
	found, err := x.b.Documents(x.Context(), home, keys...)
	if err != nil || len(found) != len(keys) {
		x.Fatalf("Documents(%s, %v) = %v, %v, want as many and nil", home, keys, found, err)
	}
	return found
}

// latches returns the states of latches of home, which must exist.
func (x *trial) latches(home broker.Home, ids ...string) []broker.LatchState {
	x.Helper()
	found, err := x.b.Latches(x.Context(), home, ids...)
	if err != nil || len(found) != len(ids) {
		x.Fatalf("Latches(%s, %v) = %v, %v, want as many and nil", home, ids, found, err)
	}
	return found
}

// hours is the TTL of claims that are to last for the whole case.
const hours = 1000 * time.Hour

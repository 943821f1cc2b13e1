package redisbroker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
)

// TestWhatIsSettledTogetherLeavesTheOthersInTheirOrder settles the oldest of many
// leases, some between them, and some that lie far from them.
func TestWhatIsSettledTogetherLeavesTheOthersInTheirOrder(t *testing.T) {
	x := newBench(t)
	const all = 300
	var entries []broker.Entry
	for i := range all {
		entries = append(entries, plain(fmt.Sprint("e", i)))
	}
	x.apply(broker.Change{Enqueue: entries})
	left := x.lease(all).Leases // the oldest first
	random := rand.New(rand.NewPCG(1, 2))
	for len(left) > 0 {
		within := min(len(left), 1+random.IntN(len(left)))
		var settle []broker.Change
		for _, at := range random.Perm(within)[:(within+1)/2] {
			settle = append(settle, broker.Change{Settle: []broker.Settlement{{Token: left[at].Token, Entry: left[at].Entry, To: broker.Done}}})
		}
		x.apply(settle...)
		left = slices.DeleteFunc(left, func(l broker.Lease) bool {
			return slices.ContainsFunc(settle, func(c broker.Change) bool { return c.Settle[0].Entry.ID == l.Entry.ID })
		})
		want := []string{}
		for _, l := range slices.Backward(left) {
			want = append(want, l.Entry.ID)
		}
		if diff := cmp.Diff(want, x.c.LRange(t.Context(), x.queue("active"), 0, -1).Val()); diff != "" {
			t.Fatalf("active after %d were settled (-want +got):\n%s", len(settle), diff)
		}
		x.sound(fmt.Sprint(len(left), " left"))
	}
}

package sqlitebroker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// fillGroups puts a group with a batch into b, an entry that waits behind the
// claim of a leased one, one that was tried, and one that was cancelled.
func fillGroups(t testing.TB, b *sqlitebroker.Broker) {
	t.Helper()
	grouped := enqueue("q", "g1", "g2", "g3")
	for i := range grouped.Enqueue {
		grouped.Enqueue[i].Group = "g"
	}
	must(t, b, claimed("holder", "key"), enqueue("q", "tried", "cancelled"), grouped)
	l := lease(t, b, "q", 2).Leases
	behind := claimed("waiter", "key")
	behind.Enqueue[0].Claim.Behind = true
	must(t, b, behind,
		broker.Change{Settle: []broker.Settlement{{
			Token: l[1].Token, Entry: l[1].Entry, To: broker.Retry, At: time.Now().Add(time.Hour),
			Attempt: &broker.Attempt{Ended: time.Now(), Err: "failed"},
		}}},
		broker.Change{Move: []broker.Move{{EntryRef: broker.EntryRef{Queue: "q", ID: "cancelled"}, Do: broker.Cancel}}})
	r := broker.GatherRequest{Queue: "q", Group: "g", Token: "batch", MaxSize: 2, Until: time.Now().Add(time.Minute)}
	if batch, err := b.Gather(t.Context(), time.Now(), r); err != nil || len(batch.Members) != 2 {
		t.Fatalf("Gather() = %+v, %v, want two", batch, err)
	}
}

func TestVerifyFindsWhatContradictsTheRulesOfGroupsAndClaims(t *testing.T) {
	for _, c := range []struct{ sabotage, sentence string }{
		{`UPDATE leat_entry SET asked = 1 WHERE id = 'tried'`, "entry q/tried is to be cancelled and is not active"},
		{`UPDATE leat_entry SET ended = 1 WHERE id = 'tried'`, "entry q/tried has ended as 1 and is not archived"},
		{`UPDATE leat_entry SET version = 99 WHERE id = 'tried'`, "entry q/tried has version 99, its queue"},
		{`UPDATE leat_entry SET attempts = NULL WHERE id = 'tried'`, "entry q/tried has 1 of 0 attempts"},
		{`DELETE FROM leat_attempt`, "entry q/tried has 0 of 1 attempts"},
		{`UPDATE leat_attempt SET entry = 99`, "attempt 1 is of entry number 99, which does not exist"},
		{`UPDATE leat_claim SET entry = 'cancelled'`, "claim key is held for ever by q/cancelled, which has ended or waits for it"},
		{`UPDATE leat_claim SET entry = 'waiter'`, "claim key is held for ever by q/waiter, which has ended or waits for it"},
		{`UPDATE leat_entry SET behind = NULL WHERE id = 'waiter'`, "claim key of q is waited for by waiter, which does not wait"},
		{`UPDATE leat_claim SET waiter = NULL`, "entry q/waiter is in state 3 and waits behind no claim"},
		{`DELETE FROM leat_claim`, "entry q/waiter is in state 3 and waits behind no claim"},
		{`UPDATE leat_claim SET queue = 9`, "rows belong to queue number 9, which does not exist"},
		{`UPDATE leat_entry SET group_name = NULL WHERE id = 'g3'`, "entry q/g3 waits in no group"},
		{`UPDATE leat_entry SET group_name = 'h' WHERE id = 'g3'`, "group g of q counts 1 and 2 frozen entries, there are 0 and 2"},
		{`UPDATE leat_entry SET group_name = 'h' WHERE id = 'g3'`, "entry q/g3 waits in group h, which is not counted"},
		{`INSERT INTO leat_group VALUES (1, 'empty', 0, 0, 0)`, "group empty of q counts 0 and 0 frozen entries, there are 0 and 0"},
		{`UPDATE leat_queue SET joined = 5`, "group g of q was joined as number"},
		{`INSERT INTO leat_group SELECT queue, 'twin', 1, 0, joined FROM leat_group`, "2 groups of q were joined as number"},
		{`UPDATE leat_entry SET token = 'other' WHERE id = 'g1'`, "entry q/g1 is frozen in no batch of its group"},
		{`UPDATE leat_batch SET group_name = 'h'`, "entry q/g1 is frozen in no batch of its group"},
		{`INSERT INTO leat_batch VALUES ('none', 1, 'g', 0, 0)`, "batch none of group g is empty"},
		{`UPDATE leat_queue SET aggregating = 2`, "queue q counts 2 aggregating entries, there are 3"},
	} {
		b := open(t, ":memory:")
		fillGroups(t, b)
		sound(t, b)
		finds(t, b, c.sabotage, c.sentence)
		b.Close()
	}
}

// finds demands that Verify says sentence after sabotage.
func finds(t testing.TB, b *sqlitebroker.Broker, sabotage, sentence string) {
	t.Helper()
	b.Exec(t, "%s", sabotage)
	faults, err := b.Verify(t.Context(), time.Now())
	if err != nil || !strings.Contains(strings.Join(faults, "\n"), sentence) {
		t.Errorf("after %s\n\tVerify() = %q, %v, want %q", sabotage, faults, err, sentence)
	}
}

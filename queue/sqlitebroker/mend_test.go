package sqlitebroker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// TestMendPutsRightWhatVerifyFinds does one damage at a time, and mends it after it has
// only looked. One without a remedy is told of, and left.
func TestMendPutsRightWhatVerifyFinds(t *testing.T) {
	for _, c := range []struct{ sabotage, sentence, done string }{
		{`UPDATE leat_entry SET token = NULL WHERE id = 'holder'`, "entry q/holder is active and has no token", "made ready"},
		{`UPDATE leat_entry SET token = 'x' WHERE id = 'tried'`, "entry q/tried has a token and is not active", "its token is dropped"},
		{`UPDATE leat_entry SET asked = 1 WHERE id = 'tried'`, "entry q/tried is to be cancelled", "not to be cancelled"},
		{`UPDATE leat_entry SET ended = 1 WHERE id = 'tried'`, "entry q/tried has ended as 1", "has not ended"},
		{`UPDATE leat_entry SET version = 99 WHERE id = 'tried'`, "entry q/tried has version 99, its queue", "counts on from there"},
		{`INSERT INTO leat_attempt (entry, number) VALUES (99, 1)`, "attempt 1 is of entry number 99", "deleted"},
		{`UPDATE leat_entry SET at = 99 WHERE id = 'ready'`, "entry q/ready waits at place 99", "put at the end of the line"},
		{`UPDATE leat_entry SET at = (SELECT at FROM leat_entry WHERE id = 'ready') WHERE id = 'next'`, "2 entries of q wait at place", "all but one are put at the end"},
		{`INSERT INTO leat_claim (queue, key, entry, until) VALUES (1, 'k', 'ghost', 5)`, "claim k is held by q/ghost, which does not exist", "freed"},
		{`INSERT INTO leat_claim (queue, key, entry, until) VALUES (1, 'k', 'tried', 5)`, "claim k is held by q/tried, which is completed or did not", "freed"},
		{`UPDATE leat_entry SET claim = 'k' WHERE id = 'cancelled'; INSERT INTO leat_claim (queue, key, entry, until) VALUES (1, 'k', 'cancelled', 9223372036854775807)`,
			"claim k is held for ever by q/cancelled", "freed"},
		{`UPDATE leat_claim SET waiter = 'tried'`, "claim key of q is waited for by tried, which does not wait", "nobody waits for it"},
		{`DELETE FROM leat_claim`, "entry q/waiter is in state 3 and waits behind no claim", ""},
		{`UPDATE leat_claim SET waiter = NULL`, "entry q/waiter is in state 3 and waits behind no claim", "noted beside the claim"},
		{`INSERT INTO leat_claim (queue, key, entry, until, gone) VALUES (9, 'k', 'ghost', 5, 1)`, "rows belong to queue number 9", "deleted"},
		{`UPDATE leat_entry SET group_name = 'h' WHERE id = 'g3'`, "entry q/g3 waits in group h, which is not counted", "counted"},
		{`UPDATE leat_entry SET group_name = NULL WHERE id = 'g3'`, "entry q/g3 waits in no group", ""},
		{`INSERT INTO leat_group VALUES (1, 'empty', 0, 0, 0)`, "group empty of q counts 0 and 0", "counted anew"},
		{`UPDATE leat_group SET size = 7`, "group g of q counts 7 and 2", "counted anew"},
		{`UPDATE leat_queue SET joined = 5`, "group g of q was joined as number", "counts on from there"},
		{`DELETE FROM leat_batch`, "entry q/g1 is frozen in no batch of its group", "given back to its group"},
		{`INSERT INTO leat_batch VALUES ('none', 1, 'g', 0, 0)`, "batch none of group g is empty", "forgotten"},
		{`UPDATE leat_queue SET aggregating = 2`, "queue q counts 2 aggregating entries, there are 3", "counted anew"},
		{`UPDATE leat_queue SET pending = 9, retry = 0`, "queue q counts 9 pending entries, there are 2", "counted anew"},
		{`UPDATE leat_home SET bytes = 99`, "home q/run counts 99 bytes of documents, there are 4", "counted anew"},
		{`INSERT INTO leat_drain VALUES (99, '[]')`, "rows belong to home number 99", "deleted"},
		{`INSERT INTO leat_feed VALUES (99, 0, '{}')`, "rows belong to latch number 99", "deleted"},
		{`UPDATE leat_document SET version = 9`, "document doc of q/run is at version 9", ""},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			b := open(t, ":memory:")
			defer b.Close()
			fillGroups(t, b)
			must(t, b, enqueue("q", "ready", "next"),
				broker.Change{Home: broker.Home{Queue: "q", ID: "run"}, Put: []broker.Put{{Key: "doc", Body: []byte("body")}}})
			sound(t, b)
			finds(t, b, c.sabotage, c.sentence)
			before := verified(t, b)
			would := mended(t, b, true)
			if after := verified(t, b); after != before {
				t.Errorf("Verify() said:\n%s\nand after Mend(dry):\n%s", before, after)
			}
			did := mended(t, b, false)
			for when, all := range map[string][]broker.Mended{"would": would, "did": did} {
				if !told(all, c.sentence, c.done) {
					t.Errorf("Mend() %s %+v, want %q of %q", when, all, c.done, c.sentence)
				}
			}
			if after := verified(t, b); c.done != "" && after != "" || c.done == "" && !strings.Contains(after, c.sentence) {
				t.Errorf("Verify() said:\n%s\nand after Mend():\n%s", before, after)
			}
		})
	}
}

// told reports whether a fault that begins like sentence was mended in such words, or
// with none is left.
func told(all []broker.Mended, sentence, done string) bool {
	for _, m := range all {
		if strings.Contains(m.Fault, sentence) && strings.Contains(m.Done, done) && (done == "") == (m.Done == "") {
			return true
		}
	}
	return false
}

func verified(t *testing.T, b *sqlitebroker.Broker) string {
	t.Helper()
	faults, err := b.Verify(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(faults, "\n")
}

func mended(t *testing.T, b *sqlitebroker.Broker, dry bool) []broker.Mended {
	t.Helper()
	all, err := b.Mend(t.Context(), time.Now(), dry)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWhatWasMendedGoesOn works off a queue of which a leased entry had lost its lease.
func TestWhatWasMendedGoesOn(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	must(t, b, enqueue("q", "a", "b"))
	lease(t, b, "q", 1)
	b.Exec(t, `UPDATE leat_entry SET token = NULL`)
	mended(t, b, false)
	l := lease(t, b, "q", 9).Leases
	if len(l) != 2 || l[0].Entry.ID != "b" || l[1].Entry.ID != "a" {
		t.Errorf("leased %+v, want b and a", l)
	}
	sound(t, b)
}

package sqlitebroker

import (
	"math"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// always is the end of a claim that lasts as long as its entry; others have a
// TTL, or are held longer than their entry was there.
const always = math.MaxInt64

// A heldClaim is what an entry says of its claim. The key is "" if it has none.
type heldClaim struct {
	key    string
	hold   int64 // it does not end before
	behind bool  // the entry waits for it
}

var (
	selectClaim = prepared(`SELECT CASE WHEN until > ?3 THEN entry END, waiter FROM leat_claim WHERE queue = ?1 AND key = ?2`)
	takeClaim   = prepared(`INSERT INTO leat_claim (queue, key, entry, until) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
		SET entry = excluded.entry, until = excluded.until, gone = NULL, waiter = nullif(waiter, excluded.entry)`)
	freeClaim  = prepared(`DELETE FROM leat_claim WHERE queue = ? AND key = ? AND entry = ? RETURNING waiter`)
	loseClaim  = prepared(`DELETE FROM leat_claim WHERE queue = ? AND key = ? AND entry = ? AND ` + lasting + ` RETURNING waiter`)
	leaveClaim = prepared(`UPDATE leat_claim SET until = ?4, gone = 1 WHERE queue = ?1 AND key = ?2 AND entry = ?3 AND ` + lasting)
	awaitClaim = prepared(`UPDATE leat_claim SET waiter = ? WHERE queue = ? AND key = ?`)
	waitLess   = prepared(`UPDATE leat_claim SET waiter = NULL WHERE queue = ? AND key = ? AND waiter = ?`)
	selectGone = prepared(`SELECT key, entry FROM leat_claim WHERE queue = ? AND gone IS NOT NULL AND until <= ? ORDER BY until LIMIT ?`)

	stopWaiting = prepared(`UPDATE leat_entry SET behind = NULL WHERE num = ?`)
	waitAgain   = prepared(`UPDATE leat_entry SET at = ? WHERE num = ?`)
)

// lasting are claims without a TTL.
const lasting = `(until = 9223372036854775807 OR gone IS NOT NULL)`

// claim reads the columns of a claim.
func (r *row) claim() broker.Claim {
	c := broker.Claim{Key: r.text()}
	c.UntilStart, c.Hold, c.Since, c.Behind = r.flag(), r.milli(), r.milli(), r.flag()
	return c
}

// holder returns the ids of the entry that holds a claim at now, and of the one
// that waits behind it, "" if none does.
func (t *tx) holder(now time.Time, q *queue, key string) (id, waiter string) {
	t.on(selectClaim).int(q.num).text(key).int(now.UnixMilli()).first(func(r *row) { id, waiter = r.text(), r.text() })
	return id, waiter
}

// checkClaim says whether e can have its claim, or wait behind it.
func (t *tx) checkClaim(now time.Time, q *queue, e *broker.Entry) error {
	holder, waiter := t.holder(now, q, e.Claim.Key)
	if holder != "" && e.Claim.Behind {
		if k, found := t.find(broker.EntryRef{Queue: e.Queue, ID: holder}); found && k.state == task.Active {
			holder = waiter
		}
	}
	if holder == "" {
		return nil
	}
	return &broker.ClaimedError{Entry: e.EntryRef, Key: e.Claim.Key, Holder: holder}
}

// take gives q's claim to the entry called id. Whoever waits behind it goes on to.
func (t *tx) take(now time.Time, q *queue, id string, c broker.Claim) {
	t.on(takeClaim).int(q.num).text(c.Key).text(id).int(untilOf(now, c)).exec()
}

// untilOf returns when c ends if it is taken at now, as it is stored.
func untilOf(now time.Time, c broker.Claim) int64 {
	if c.TTL == 0 {
		return always
	}
	return milli(now.Add(c.TTL.Truncate(time.Second)))
}

// unclaim frees the claim of k, which has ended, unless it is kept or another
// holds it by now.
func (t *tx) unclaim(now time.Time, k *known) {
	switch c := k.claim; {
	case c.key == "":
	case c.behind:
		t.waitNoMore(k)
	case c.hold > now.UnixMilli() && t.leave(k):
	case k.state == task.Archived:
		t.free(now, k.q, loseClaim, c.key, k.id)
	default:
		t.free(now, k.q, freeClaim, c.key, k.id)
	}
}

// leave has the claim of k be held until its hold, if it has no TTL.
func (t *tx) leave(k *known) bool {
	t.on(leaveClaim).int(k.q.num).text(k.claim.key).text(k.id).int(k.claim.hold).exec()
	return t.changed()
}

// waitNoMore takes k from behind its claim.
func (t *tx) waitNoMore(k *known) {
	t.on(waitLess).int(k.q.num).text(k.claim.key).text(k.id).exec()
	k.claim.behind = false
}

// free takes a claim from the entry called id, by a query that says on which
// condition, and gives it to the one that waits for it.
func (t *tx) free(now time.Time, q *queue, by query, key, id string) {
	waiter := ""
	t.on(by).int(q.num).text(key).text(id).first(func(r *row) { waiter = r.text() })
	if waiter == "" {
		return
	}
	if k, found := t.find(broker.EntryRef{Queue: q.name, ID: waiter}); found && k.claim.behind {
		t.step(now, &k)
	}
}

// step has k, which waits behind a claim that is free, take it and become ready.
func (t *tx) step(now time.Time, k *known) {
	t.take(now, k.q, k.id, broker.Claim{Key: k.claim.key})
	t.on(stopWaiting).int(k.num).exec()
	k.claim.behind = false
	t.makeReady(now, k)
}

// stepOrWait has k, which is due, take the claim that it waits behind, or wait
// as long again.
func (t *tx) stepOrWait(now time.Time, k *known) (ready bool) {
	if holder, _ := t.holder(now, k.q, k.claim.key); holder == "" {
		t.step(now, k)
		return true
	}
	at := milli(now.Add(broker.BehindRetry))
	t.on(waitAgain).int(at).int(k.num).exec()
	k.q.awaits(k.state, at)
	return false
}

// forgetClaims frees claims that were held longer than their entries, a few at
// a time.
func (t *tx) forgetClaims(q *queue, now time.Time) {
	const most = 100
	type claim struct{ key, id string }
	var past []claim
	t.on(selectGone).int(q.num).int(now.UnixMilli()).int(most).each(func(r *row) { past = append(past, claim{r.text(), r.text()}) })
	for _, c := range past {
		t.free(now, q, freeClaim, c.key, c.id)
	}
}

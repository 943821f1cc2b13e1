package sqlitebroker

import (
	"strconv"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectVersionOf = prepared(`SELECT version FROM leat_entry WHERE num = ?`)
	renewClaim      = prepared(`UPDATE leat_claim SET until = ?4, gone = NULL WHERE queue = ?1 AND key = ?2 AND entry = ?3`)
	endClaim        = prepared(`UPDATE leat_entry SET claim_start = ?2, claim_hold = ?3, claim_since = ?4 WHERE num = ?1`)
	watchEntry      = prepared(`UPDATE leat_entry SET watched = 1 WHERE num = ?`)
)

// checkReplace says whether entries exist, wait, and are those that are meant.
func (t *tx) checkReplace(now time.Time, replace []broker.Replacement) error {
	for i := range replace {
		r := &replace[i]
		k, found := t.find(r.Entry.EntryRef)
		if !found {
			return broker.EntryNotFound(r.Entry.EntryRef)
		}
		if !k.waits() {
			return &broker.StateError{Entry: r.Entry.EntryRef, State: k.state, Frozen: k.frozen()}
		}
		if r.If != "" && t.versionOf(&k) != r.If {
			return broker.EntryChanged(r.Entry.EntryRef)
		}
		if r.If != "" {
			continue
		}
		if holder, waiter := t.holder(now, k.q, r.Entry.Claim.Key); holder != k.id && waiter != k.id {
			return &broker.ClaimedError{Entry: r.Entry.EntryRef, Key: r.Entry.Claim.Key, Holder: holder}
		}
	}
	return nil
}

// waits reports whether k may be replaced.
func (k *known) waits() bool {
	switch k.state {
	case task.Pending, task.Scheduled, task.Retry:
		return true
	default:
		return k.state == task.Aggregating && !k.frozen()
	}
}

func (t *tx) versionOf(k *known) (version string) {
	t.on(selectVersionOf).int(k.num).first(func(r *row) { version = strconv.FormatInt(r.int(), 10) })
	return version
}

// replace overwrites what r names, unless it went elsewhere in the same change.
func (t *tx) replace(now time.Time, r *broker.Replacement) {
	k, found := t.find(r.Entry.EntryRef)
	if !found || !k.waits() {
		return
	}
	e := &r.Entry
	t.overwrite(&k, e)
	if e.Claim.Key != "" && e.Claim.Key == k.claim.key {
		t.reclaim(now, &k, r)
	}
	switch {
	case e.DueAt.IsZero() || k.claim.behind:
	case e.DueAt.After(now):
		t.place(now, &k, task.Scheduled, milli(e.DueAt), 0)
	default:
		t.makeReady(now, &k)
	}
}

// reclaim has the claim of k end as r says. What is read back of a claim with a
// TTL has none: to store that again is not to end it otherwise.
func (t *tx) reclaim(now time.Time, k *known, r *broker.Replacement) {
	c := r.Entry.Claim
	t.on(endClaim).int(k.num).flag(c.UntilStart).any(milli(c.Hold)).any(milli(c.Since)).exec()
	if c.TTL != 0 || r.If == "" {
		t.on(renewClaim).int(k.q.num).text(c.Key).text(k.id).int(untilOf(now, c)).exec()
	}
}

// checkWatch says whether entries exist.
func (t *tx) checkWatch(watch []broker.EntryRef) error {
	for _, ref := range watch {
		if _, found := t.find(ref); !found {
			return broker.EntryNotFound(ref)
		}
	}
	return nil
}

// watch notes that somebody waits for the end of the entry that ref names.
func (t *tx) watch(ref broker.EntryRef) {
	if k, found := t.find(ref); found && !k.watched {
		t.on(watchEntry).int(k.num).exec()
	}
}

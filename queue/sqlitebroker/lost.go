package sqlitebroker

import (
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	keepLost   = prepared(`UPDATE leat_attempt SET token = ?3, began = ?4 WHERE entry = ?1 AND number = ?2`)
	selectLost = prepared(`SELECT token, began FROM leat_attempt WHERE entry = ? AND token IS NOT NULL ORDER BY number DESC LIMIT 1`)
	forgetLost = prepared(`UPDATE leat_attempt SET token = NULL, began = NULL WHERE entry = ? AND token IS NOT NULL`)
)

// newToken returns the token of a lease that begins now. It says so itself: only the
// few leases that run out are asked for it.
func newToken(now time.Time) string {
	token := strconv.AppendInt(make([]byte, 0, 40), milli(now), 36)
	return string(append(append(token, '.'), rand.Text()...))
}

// beganBy returns when the lease with a token began, 0 if that does not say so.
func beganBy(token string) int64 {
	began, _, found := strings.Cut(token, ".")
	if !found {
		return 0 // an older program's
	}
	ms, _ := strconv.ParseInt(began, 36, 64)
	return ms
}

// lose records that the lease of k has run out, for the next one to tell. Whoever
// calls it writes k.crashes and k.tried.
func (t *tx) lose(now time.Time, k *known, began int64) {
	k.crashes++
	t.record(k, &broker.Attempt{Ended: now, Err: broker.LeaseRanOut})
	if began != 0 {
		t.on(keepLost).int(k.num).int(k.tried).text(k.token).int(began).exec()
	}
}

// lost returns the lease that ran out before the one that is given to the entry with
// the number num, and forgets it.
func (t *tx) lost(num int64) *broker.LostLease {
	var lost *broker.LostLease
	t.on(selectLost).int(num).first(func(r *row) { lost = &broker.LostLease{Token: r.text(), Began: r.milli()} })
	if lost != nil {
		t.on(forgetLost).int(num).exec()
	}
	return lost
}

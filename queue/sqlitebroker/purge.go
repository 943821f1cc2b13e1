package sqlitebroker

// A home that is closed loses its name at once and what belongs to it by and
// by: a run of a hundred thousand steps is not deleted in one call.

var (
	unnameHome    = prepared(`UPDATE leat_home SET queue = NULL, id = NULL, close = NULL WHERE num = ?`)
	selectUnnamed = prepared(`SELECT num FROM leat_home WHERE queue IS NULL LIMIT 1`)
	deleteHome    = prepared(`DELETE FROM leat_home WHERE num = ?`)

	purgeDocuments = prepared(`DELETE FROM leat_document WHERE home = ?1 AND key IN
		(SELECT key FROM leat_document WHERE home = ?1 LIMIT ?2)`)
	purgeTerms = prepared(`DELETE FROM leat_term WHERE home = ?1 AND term IN
		(SELECT term FROM leat_term WHERE home = ?1 LIMIT ?2)`)
	deleteDrain    = prepared(`DELETE FROM leat_drain WHERE home = ?`)
	selectLatchNum = prepared(`SELECT num FROM leat_latch WHERE home = ? LIMIT 1`)
	purgeArrivals  = prepared(`DELETE FROM leat_arrival WHERE latch = ?1 AND word IN
		(SELECT word FROM leat_arrival WHERE latch = ?1 LIMIT ?2)`)
	purgeFeed = prepared(`DELETE FROM leat_feed WHERE latch = ?1 AND place IN
		(SELECT place FROM leat_feed WHERE latch = ?1 LIMIT ?2)`)
	deletePart  = prepared(`DELETE FROM leat_part WHERE latch = ?`)
	deleteLatch = prepared(`DELETE FROM leat_latch WHERE num = ?`)
)

// mostPurged is how many rows one call deletes.
const mostPurged = 1000

// purge deletes rows of closed homes.
func (t *tx) purge() {
	for left := int64(mostPurged); left > 0 && t.err == nil; {
		var home, latch int64
		if !t.on(selectUnnamed).first(func(r *row) { home = r.int() }) {
			return
		}
		if left -= t.removed(purgeDocuments, home, left); left == 0 {
			return
		}
		if left -= t.removed(purgeTerms, home, left); left == 0 {
			return
		}
		if !t.on(selectLatchNum).int(home).first(func(r *row) { latch = r.int() }) {
			t.on(deleteDrain).int(home).exec()
			t.on(deleteHome).int(home).exec()
			left -= 2
			continue
		}
		left = t.purgeLatch(latch, left)
	}
}

// purgeLatch deletes a latch if that is at most left rows, or else so many of
// them, and returns how many more may be deleted.
func (t *tx) purgeLatch(num, left int64) int64 {
	left -= t.removed(purgeArrivals, num, left)
	left -= t.removed(purgeFeed, num, left)
	if left < 2 {
		return 0
	}
	t.on(deletePart).int(num).exec()
	t.on(deleteLatch).int(num).exec()
	return left - 2
}

// removed runs a deletion of at most most rows and returns how many it were.
func (t *tx) removed(deletion query, of, most int64) int64 {
	t.on(deletion).int(of).int(most).exec()
	return t.db.Changes()
}

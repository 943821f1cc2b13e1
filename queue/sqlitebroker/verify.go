package sqlitebroker

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// A rule is one that the tables keep to.
type rule struct {
	find string // returns a sentence for each thing that contradicts it
	mend string // statements that put all of these right; "": there is no plain remedy
	done string // what they do, in words
}

// rules are in the order in which they are mended: what is counted comes behind what it
// counts. They read whole tables, and so are not prepared with the other queries.
var rules = []rule{
	// Entries.
	{find: `SELECT format('entry %s lies in queue number %d, which does not exist', e.id, e.queue)
		FROM leat_entry e WHERE NOT EXISTS (SELECT 1 FROM leat_queue q WHERE q.num = e.queue)`},
	{find: `SELECT format('entry %s/%s is in state %d, which does not exist', q.name, e.id, e.state)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state NOT IN (` + stateNumbers() + `)`},
	{
		find: `SELECT format('entry %s/%s is active and has no token', q.name, e.id)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state = 1 AND e.token IS NULL`,
		mend: takeBack(`e.state = 1 AND e.token IS NULL`),
		done: "made ready",
	},
	{
		find: `SELECT format('entry %s/%s has a token and is not active', q.name, e.id)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state NOT IN (1, 7) AND e.token IS NOT NULL`,
		mend: `UPDATE leat_entry SET token = NULL WHERE state NOT IN (1, 7) AND token IS NOT NULL`,
		done: "its token is dropped",
	},
	{find: `SELECT format('entry %s/%s has the token of another', q.name, e.id) FROM leat_entry e JOIN leat_queue q ON q.num = e.queue
		WHERE e.state = 1 AND e.token IN (SELECT token FROM leat_entry WHERE token IS NOT NULL GROUP BY token HAVING count(*) > 1)`},
	{
		find: `SELECT format('entry %s/%s is to be cancelled and is not active', q.name, e.id)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state <> 1 AND e.asked IS NOT NULL`,
		mend: `UPDATE leat_entry SET asked = NULL WHERE state <> 1 AND asked IS NOT NULL`,
		done: "not to be cancelled",
	},
	{
		find: `SELECT format('entry %s/%s has ended as %d and is not archived', q.name, e.id, e.ended)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state <> 5 AND e.ended IS NOT NULL`,
		mend: `UPDATE leat_entry SET ended = NULL WHERE state <> 5 AND ended IS NOT NULL`,
		done: "has not ended",
	},
	{
		find: `SELECT format('entry %s/%s has version %d, its queue %d', q.name, e.id, e.version, q.version)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.version > q.version`,
		mend: `UPDATE leat_queue SET version = max(version, coalesce((SELECT max(version) FROM leat_entry WHERE queue = leat_queue.num), 0))`,
		done: "the queue counts on from there",
	},
	{find: `SELECT format('entry %s/%s has %d of %d attempts', q.name, e.id, count(a.number), e.attempts)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue LEFT JOIN leat_attempt a ON a.entry = e.num
		GROUP BY e.num HAVING count(a.number) <> min(coalesce(e.attempts, 0), 10)`},
	{
		find: `SELECT format('attempt %d is of entry number %d, which does not exist', number, entry)
		FROM leat_attempt WHERE entry NOT IN (SELECT num FROM leat_entry)`,
		mend: `DELETE FROM leat_attempt WHERE entry NOT IN (SELECT num FROM leat_entry)`,
		done: "deleted",
	},
	{
		find: `SELECT format('entry %s/%s waits at place %d, which is not one of %d to %d', q.name, e.id, e.at, q.head, q.tail - 1)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state = 2 AND e.at NOT BETWEEN q.head AND q.tail - 1`,
		mend: takeBack(`e.state = 2 AND e.at NOT BETWEEN q.head AND q.tail - 1`),
		done: "put at the end of the line",
	},
	{
		find: `SELECT format('%d entries of %s wait at place %d', count(*), q.name, e.at)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state = 2 GROUP BY e.queue, e.at HAVING count(*) > 1`,
		mend: takeBack(`e.state = 2 AND EXISTS (SELECT 1 FROM leat_entry o WHERE o.queue = e.queue AND o.state = 2 AND o.at = e.at AND o.num < e.num)`),
		done: "all but one are put at the end of the line",
	},

	// Claims. Those without a TTL last as long as their entries, or are gone.
	{
		find: `SELECT format('claim %s is held by %s/%s, which does not exist', c.key, q.name, c.entry)
		FROM leat_claim c LEFT JOIN leat_queue q ON q.num = c.queue
		WHERE c.gone IS NULL AND NOT EXISTS (SELECT 1 FROM leat_entry e WHERE e.queue = c.queue AND e.id = c.entry)`,
		mend: `DELETE FROM leat_claim WHERE gone IS NULL AND waiter IS NULL
			AND NOT EXISTS (SELECT 1 FROM leat_entry e WHERE e.queue = leat_claim.queue AND e.id = leat_claim.entry)`,
		done: "freed",
	},
	{
		find: `SELECT format('claim %s is held by %s/%s, which is completed or did not claim it', c.key, q.name, c.entry)
		FROM leat_claim c JOIN leat_queue q ON q.num = c.queue JOIN leat_entry e ON e.queue = c.queue AND e.id = c.entry
		WHERE c.gone IS NULL AND (e.state = 6 OR e.claim IS NOT c.key)`,
		mend: `DELETE FROM leat_claim WHERE gone IS NULL AND waiter IS NULL AND EXISTS (SELECT 1 FROM leat_entry e
			WHERE e.queue = leat_claim.queue AND e.id = leat_claim.entry AND (e.state = 6 OR e.claim IS NOT leat_claim.key))`,
		done: "freed",
	},
	{
		find: `SELECT format('claim %s is held for ever by %s/%s, which has ended or waits for it', c.key, q.name, c.entry)
		FROM leat_claim c JOIN leat_queue q ON q.num = c.queue LEFT JOIN leat_entry e ON e.queue = c.queue AND e.id = c.entry
		WHERE c.until = 9223372036854775807 AND (e.num IS NULL OR e.state = 5 AND e.ended IS NOT 4 OR e.behind IS NOT NULL)`,
		mend: `DELETE FROM leat_claim WHERE waiter IS NULL AND until = 9223372036854775807 AND EXISTS (SELECT 1 FROM leat_entry e
			WHERE e.queue = leat_claim.queue AND e.id = leat_claim.entry AND e.state = 5 AND e.ended IS NOT 4)`,
		done: "freed",
	},
	{
		find: `SELECT format('claim %s of %s is waited for by %s, which does not wait', c.key, q.name, c.waiter)
		FROM leat_claim c JOIN leat_queue q ON q.num = c.queue WHERE c.waiter IS NOT NULL AND NOT EXISTS
		(SELECT 1 FROM leat_entry e WHERE e.queue = c.queue AND e.id = c.waiter AND e.claim = c.key AND e.behind IS NOT NULL)`,
		mend: `UPDATE leat_claim SET waiter = NULL WHERE waiter IS NOT NULL AND NOT EXISTS (SELECT 1 FROM leat_entry e
			WHERE e.queue = leat_claim.queue AND e.id = leat_claim.waiter AND e.claim = leat_claim.key AND e.behind IS NOT NULL)`,
		done: "nobody waits for it",
	},
	{
		find: `SELECT format('entry %s/%s is in state %d and waits behind no claim', q.name, e.id, e.state)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.behind IS NOT NULL AND (e.state <> 3 OR NOT EXISTS
		(SELECT 1 FROM leat_claim c WHERE c.queue = e.queue AND c.key = e.claim AND c.waiter = e.id))`,
		mend: `UPDATE leat_claim SET waiter = e.id FROM leat_entry e
			WHERE waiter IS NULL AND e.queue = leat_claim.queue AND e.claim = key AND e.behind IS NOT NULL AND e.state = 3 AND e.id <> leat_claim.entry`,
		done: "noted beside the claim",
	},

	// Groups and batches.
	{find: `SELECT format('entry %s/%s waits in no group', q.name, e.id)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state = 7 AND e.group_name IS NULL`},
	{
		find: `SELECT format('entry %s/%s is frozen in no batch of its group', q.name, e.id)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state = 7 AND e.token IS NOT NULL AND NOT EXISTS
		(SELECT 1 FROM leat_batch b WHERE b.token = e.token AND b.queue = e.queue AND b.group_name = e.group_name)`,
		mend: `UPDATE leat_entry SET token = NULL WHERE state = 7 AND token IS NOT NULL AND NOT EXISTS (SELECT 1 FROM leat_batch b
			WHERE b.token = leat_entry.token AND b.queue = leat_entry.queue AND b.group_name = leat_entry.group_name)`,
		done: "given back to its group",
	},
	{
		find: `SELECT format('entry %s/%s waits in group %s, which is not counted', q.name, e.id, e.group_name)
		FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE e.state = 7
		AND NOT EXISTS (SELECT 1 FROM leat_group g WHERE g.queue = e.queue AND g.name = e.group_name)`,
		mend: `INSERT OR IGNORE INTO leat_group (queue, name, size, frozen)
			SELECT queue, group_name, count(*) - count(token), count(token) FROM leat_entry
			WHERE state = 7 AND group_name IS NOT NULL GROUP BY queue, group_name`,
		done: "counted",
	},
	{
		find: `SELECT format('group %s of %s counts %d and %d frozen entries, there are %d and %d', g.name, q.name, g.size, g.frozen,
			count(e.num) - count(e.token), count(e.token))
		FROM leat_group g JOIN leat_queue q ON q.num = g.queue
		LEFT JOIN leat_entry e ON e.state = 7 AND e.queue = g.queue AND e.group_name = g.name
		GROUP BY g.queue, g.name HAVING g.size <> count(e.num) - count(e.token) OR g.frozen <> count(e.token) OR count(e.num) = 0`,
		mend: `UPDATE leat_group SET
				size = (SELECT count(*) FROM leat_entry e WHERE e.state = 7 AND e.queue = leat_group.queue AND e.group_name = name AND e.token IS NULL),
				frozen = (SELECT count(*) FROM leat_entry e WHERE e.state = 7 AND e.queue = leat_group.queue AND e.group_name = name AND e.token IS NOT NULL);
			DELETE FROM leat_group WHERE size = 0 AND frozen = 0`,
		done: "counted anew",
	},
	{
		find: `SELECT format('group %s of %s was joined as number %d, the last is %d', g.name, q.name, g.joined, q.joined)
		FROM leat_group g JOIN leat_queue q ON q.num = g.queue WHERE g.joined > q.joined`,
		mend: `UPDATE leat_queue SET joined = max(joined, coalesce((SELECT max(joined) FROM leat_group WHERE queue = leat_queue.num), 0))`,
		done: "the queue counts on from there",
	},
	{find: `SELECT format('%d groups of %s were joined as number %d', count(*), q.name, g.joined)
		FROM leat_group g JOIN leat_queue q ON q.num = g.queue WHERE g.joined > 0 GROUP BY g.queue, g.joined HAVING count(*) > 1`},
	{
		find: `SELECT format('batch %s of group %s is empty', b.token, b.group_name)
		FROM leat_batch b WHERE NOT EXISTS (SELECT 1 FROM leat_entry e WHERE e.state = 7 AND e.token = b.token)`,
		mend: `DELETE FROM leat_batch WHERE NOT EXISTS (SELECT 1 FROM leat_entry e WHERE e.state = 7 AND e.token = leat_batch.token)`,
		done: "forgotten",
	},

	// Figures.
	{find: `SELECT format('queue %s counts %d failures of %d outcomes', name, failed, processed) FROM leat_queue WHERE failed > processed`},
	{
		find: `SELECT format('rows belong to queue number %d, which does not exist', queue)
		FROM (SELECT queue FROM leat_day UNION SELECT queue FROM leat_claim UNION SELECT queue FROM leat_group UNION SELECT queue FROM leat_batch)
		WHERE queue NOT IN (SELECT num FROM leat_queue)`,
		mend: `DELETE FROM leat_day WHERE queue NOT IN (SELECT num FROM leat_queue);
			DELETE FROM leat_claim WHERE queue NOT IN (SELECT num FROM leat_queue);
			DELETE FROM leat_group WHERE queue NOT IN (SELECT num FROM leat_queue);
			DELETE FROM leat_batch WHERE queue NOT IN (SELECT num FROM leat_queue)`,
		done: "deleted",
	},
	{find: `SELECT format('the days of queue %s count more than its total', q.name) FROM leat_day d JOIN leat_queue q ON q.num = d.queue
		GROUP BY q.num HAVING sum(d.processed) > q.processed OR sum(d.failed) > q.failed`},

	// Homes.
	{find: `SELECT format('document %s belongs to home number %d, which does not exist', key, home)
		FROM leat_document WHERE home NOT IN (SELECT num FROM leat_home)`},
	{find: `SELECT format('document %s of %s/%s is at version %d, its home at %d', d.key, h.queue, h.id, d.version, h.version)
		FROM leat_document d JOIN leat_home h ON h.num = d.home WHERE d.version NOT BETWEEN 1 AND h.version`},
	{find: `SELECT format('%d documents of %s/%s are at version %d', count(*), h.queue, h.id, d.version)
		FROM leat_document d JOIN leat_home h ON h.num = d.home GROUP BY d.home, d.version HAVING count(*) > 1`},

	{
		find: `SELECT format('home %s/%s counts %d bytes of documents, there are %d', h.queue, h.id, h.bytes, coalesce(sum(length(d.body)), 0))
		FROM leat_home h LEFT JOIN leat_document d ON d.home = h.num WHERE h.id IS NOT NULL
		GROUP BY h.num HAVING h.bytes <> coalesce(sum(length(d.body)), 0)`,
		mend: `UPDATE leat_home SET bytes = (SELECT coalesce(sum(length(body)), 0) FROM leat_document WHERE home = num)
			WHERE id IS NOT NULL`,
		done: "counted anew",
	},
	{
		find: `SELECT format('rows belong to home number %d, which does not exist', home)
		FROM (SELECT home FROM leat_drain UNION SELECT home FROM leat_term) WHERE home NOT IN (SELECT num FROM leat_home)`,
		mend: `DELETE FROM leat_drain WHERE home NOT IN (SELECT num FROM leat_home);
			DELETE FROM leat_term WHERE home NOT IN (SELECT num FROM leat_home)`,
		done: "deleted",
	},
	{find: `SELECT format('nothing of home %s/%s is open, and it was not drained', h.queue, h.id)
		FROM leat_drain d JOIN leat_home h ON h.num = d.home WHERE h.id IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM leat_entry WHERE home_queue = h.queue AND home_id = h.id AND ` + unended + `)`},
	{find: `SELECT format('term %s of home %s/%s is at another place than the home', t.term, h.queue, h.id)
		FROM leat_term t JOIN leat_home h ON h.num = t.home WHERE h.id IS NOT NULL AND (t.queue <> h.queue OR t.id <> h.id
		OR NOT EXISTS (SELECT 1 FROM leat_term l WHERE l.home = t.home AND l.term = '' AND l.at = t.at))`},

	// Latches. Those of closed homes are half gone.
	{find: `SELECT format('latch %s belongs to home number %d, which does not exist', id, home)
		FROM leat_latch WHERE home NOT IN (SELECT num FROM leat_home)`},
	{
		find: `SELECT format('rows belong to latch number %d, which does not exist', latch)
		FROM (SELECT latch FROM leat_part UNION SELECT latch FROM leat_arrival UNION SELECT latch FROM leat_feed)
		WHERE latch NOT IN (SELECT num FROM leat_latch)`,
		mend: `DELETE FROM leat_part WHERE latch NOT IN (SELECT num FROM leat_latch);
			DELETE FROM leat_arrival WHERE latch NOT IN (SELECT num FROM leat_latch);
			DELETE FROM leat_feed WHERE latch NOT IN (SELECT num FROM leat_latch)`,
		done: "deleted",
	},
	{find: `SELECT format('latch %s of %s/%s has marked %d of %d arrived', l.id, h.queue, h.id, l.marked, l.arrived)
		` + liveLatches + ` WHERE l.marked > l.arrived`},
	{find: `SELECT format('latch %s of %s/%s has released %d of %d entries', l.id, h.queue, h.id, l.released, l.fed)
		` + liveLatches + ` WHERE l.released > l.fed`},
	{find: `SELECT format('latch %s of %s/%s is complete with %d of %d arrived', l.id, h.queue, h.id, l.arrived, l.total)
		` + liveLatches + ` WHERE l.complete AND NOT (` + allArrived + `)`},
	{find: `SELECT format('latch %s of %s/%s is not complete with %d of %d arrived', l.id, h.queue, h.id, l.arrived, l.total)
		` + liveLatches + ` WHERE NOT l.complete AND (` + allArrived + `)`},
	{find: `SELECT format('latch %s of %s/%s holds entries back though its window has room', l.id, h.queue, h.id)
		` + liveLatches + ` WHERE ` + releasing + ` AND l.released < l.fed AND (l.window = 0 OR l.released - l.arrived < l.window)`},
	{find: `SELECT format('latch %s of %s/%s lacks some of the entries that it was fed', l.id, h.queue, h.id)
		` + liveLatches + ` WHERE ` + releasing + ` AND l.fed - l.released <>
			(SELECT count(*) FROM leat_feed f WHERE f.latch = l.num AND f.place BETWEEN l.released AND l.fed - 1)`},
}

// takeBack returns statements that make entries ready, as the last of their queues.
func takeBack(which string) string {
	return `UPDATE leat_entry SET state = 2, at = n.place, token = NULL FROM (
			SELECT e.num, q.tail + row_number() OVER (PARTITION BY e.queue ORDER BY e.at, e.num) - 1 AS place
			FROM leat_entry e JOIN leat_queue q ON q.num = e.queue WHERE ` + which + `) n WHERE n.num = leat_entry.num;
		UPDATE leat_queue SET tail = max(tail, coalesce((SELECT max(at) + 1 FROM leat_entry WHERE queue = leat_queue.num AND state = 2), 0))`
}

// integrity says what is wrong with the file.
const integrity = `SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`

const (
	liveLatches = `FROM leat_latch l JOIN leat_home h ON h.num = l.home AND h.id IS NOT NULL`
	stopped     = `(l.stop_at > 0 AND l.marked >= l.stop_at)`
	allArrived  = `l.arrived = l.total OR ` + stopped + ` AND l.arrived >= l.released`
	releasing   = `NOT l.complete AND NOT ` + stopped
)

func stateNumbers() string {
	var numbers []string
	for _, state := range counted {
		numbers = append(numbers, fmt.Sprint(int(state)))
	}
	return strings.Join(numbers, ", ")
}

// Verify implements [broker.Verifier].
func (b *Broker) Verify(ctx context.Context, _ time.Time) ([]string, error) {
	var faults []string
	err := b.read(ctx, func(c *conn) {
		say := func(format string, values ...any) { faults = append(faults, fmt.Sprintf(format, values...)) }
		for _, r := range slices.Concat(rules, countRules()) {
			c.read(r.find, func(r *row) { say("%s", r.text()) })
		}
		c.read(integrity, func(r *row) { say("%s", r.text()) })
		c.verifyArrivals(say)
	})
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return faults, nil
}

// read runs sql, which is not one of the prepared queries.
func (c *conn) read(sql string, f func(*row)) {
	if c.err != nil {
		return
	}
	s, _, err := c.db.Prepare(sql)
	if err != nil {
		c.note(fmt.Errorf("prepare %q: %w", sql, err))
		return
	}
	defer s.Close()
	(&stmt{c: c, s: s, row: row{s: s}}).each(f)
}

// countRules are that queues count how many of their entries are in each state.
func countRules() (all []rule) {
	for _, state := range counted {
		actual := fmt.Sprintf(`(SELECT count(*) FROM leat_entry e WHERE e.queue = q.num AND e.state = %d)`, state)
		all = append(all, rule{
			find: fmt.Sprintf(`SELECT format('queue %%s counts %%d %[1]s entries, there are %%d', q.name, q.%[1]s, %[2]s)
				FROM leat_queue q WHERE q.%[1]s <> %[2]s`, state, actual),
			mend: fmt.Sprintf(`UPDATE leat_queue AS q SET %s = %s`, state, actual),
			done: "counted anew",
		})
	}
	return all
}

// verifyArrivals compares what latches count with the members that they note.
func (c *conn) verifyArrivals(say func(string, ...any)) {
	noted := make(map[int64]int)
	c.read(`SELECT latch, bits FROM leat_arrival`, func(r *row) { noted[r.int()] += bits.OnesCount64(uint64(r.int())) })
	c.read(`SELECT l.num, l.id, h.queue, h.id, l.arrived `+liveLatches, func(r *row) {
		num, id, queue, home, arrived := r.int(), r.text(), r.text(), r.text(), int(r.int())
		if noted[num] != arrived {
			say("latch %s of %s/%s counts %d arrived and notes %d", id, queue, home, arrived, noted[num])
		}
	})
}

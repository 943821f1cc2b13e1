package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A known entry is one that was looked up: where it stands, and what decides
// what else happens when it goes elsewhere.
type known struct {
	q       *queue
	num     int64
	id      string
	state   task.State // 0: it was deleted
	at      int64
	token   string
	group   string
	claim   heldClaim
	end     broker.End
	crashes int64
	tried   int64 // attempts that were recorded
	asked   bool
	watched bool
	leaves  bool // it has an exit
	home    broker.Home
}

// knownColumns are what row.known reads. Most entries have nothing in those after
// the sixth, which says so: to read a column costs more than to have it looked at.
const knownColumns = `num, id, state, at, token,
	coalesce(group_name, claim, ended, crashes, attempts, asked, watched, leaves, home_queue) IS NOT NULL,
	group_name, claim, claim_hold, behind, ended, crashes, attempts, asked, watched, leaves IS NOT NULL,
	home_queue, home_id`

var (
	selectKnown = prepared(`SELECT ` + knownColumns + ` FROM leat_entry WHERE queue = ? AND id = ?`)
	selectDue   = prepared(`SELECT ` + knownColumns + ` FROM leat_entry
		WHERE queue = ? AND state = ? AND at <= ? ORDER BY at, id LIMIT ?`)

	// moveEntry is for moves that change nothing but where the entry stands.
	moveEntry   = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, ready = ?4, token = NULL WHERE num = ?1`)
	deleteEntry = prepared(`DELETE FROM leat_entry WHERE num = ?`)
)

// known reads knownColumns of an entry of q.
func (r *row) known(q *queue) known {
	k := known{q: q, num: r.int(), id: r.text(), state: task.State(r.int()), at: r.int(), token: r.text()}
	if more := r.flag(); !more {
		return k
	}
	k.group = r.text()
	k.claim = heldClaim{key: r.text(), hold: r.int(), behind: r.flag()}
	k.end, k.crashes, k.tried = broker.End(r.int()), r.int(), r.int()
	k.asked, k.watched, k.leaves = r.flag(), r.flag(), r.flag()
	k.home = broker.Home{Queue: r.text(), ID: r.text()}
	return k
}

// ref returns the name of k.
func (k *known) ref() broker.EntryRef { return broker.EntryRef{Queue: k.q.name, ID: k.id} }

// frozen reports whether k is in a batch.
func (k *known) frozen() bool { return k.state == task.Aggregating && k.token != "" }

// find looks ref up.
func (t *tx) find(ref broker.EntryRef) (k known, found bool) {
	q := t.queue(ref.Queue)
	if q == nil {
		return k, false
	}
	found = t.on(selectKnown).int(q.num).text(ref.ID).first(func(r *row) { k = r.known(q) })
	return k, found
}

// lookUp returns the entry whose lease l names, if it is held.
func (t *tx) lookUp(l broker.LeaseRef) (k known, held bool) {
	k, found := t.find(l.EntryRef)
	return k, found && l.Token != "" && k.token == l.Token
}

// due returns at most most entries of q whose state ends by now, in order.
func (t *tx) due(q *queue, state task.State, now time.Time, most int) []known {
	var found []known
	if most > 0 && q.count[state] > 0 {
		t.on(selectDue).int(q.num).int(int64(state)).int(now.UnixMilli()).int(int64(most)).
			each(func(r *row) { found = append(found, r.known(q)) })
	}
	return found
}

// place moves k to another state, and changes nothing else.
func (t *tx) place(now time.Time, k *known, to task.State, at, ready int64) {
	t.on(moveEntry).int(k.num).int(int64(to)).int(at).any(ready).exec()
	k.q.awaits(to, at)
	t.moved(now, k, to)
}

// makeReady puts k into its group, or else at the back of its queue.
func (t *tx) makeReady(now time.Time, k *known) {
	if k.group != "" {
		t.place(now, k, task.Aggregating, ceilSecond(now), milli(now))
	} else {
		t.place(now, k, task.Pending, k.q.back(), milli(now))
	}
}

// moved counts k, which from now on is in another state, or with 0 in none.
func (t *tx) moved(now time.Time, k *known, to task.State) {
	k.q.add(k.state, -1)
	if k.state == task.Aggregating {
		t.leaveGroup(k)
	}
	t.came(now, k.q, k.id, k.group, to)
	k.state, k.token = to, ""
}

// came counts an entry that has come into a state, or with 0 was deleted.
func (t *tx) came(now time.Time, q *queue, id, group string, state task.State) {
	if state != 0 {
		q.add(state, 1)
	}
	if state == task.Pending {
		q.readied = true
	}
	if state == task.Aggregating {
		t.joinGroup(now, q, group, 0)
	}
	if t.events > 0 {
		t.event(now, q, id, state)
	}
}

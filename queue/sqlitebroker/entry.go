package sqlitebroker

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// entryColumns are what row.entry reads. The big ones are last: what lies
// before them is read without them.
const entryColumns = `id, state, at, type, max_retry, retried, last_error, failed, timeout, deadline,
	retention, completed, group_name, claim, home_queue, home_id, reads, headers, payload`

var (
	selectEntryNum = prepared(`SELECT num FROM leat_entry WHERE queue = ? AND id = ?`)
	insertEntry    = prepared(`INSERT INTO leat_entry (queue, ready, ` + entryColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
	deleteEntry = prepared(`DELETE FROM leat_entry WHERE num = ?`)
	// moveEntry is for moves that change nothing but where the entry stands.
	moveEntry = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, ready = ?4, token = NULL WHERE num = ?1`)
)

// entry reads entryColumns into an entry of the named queue. The error says
// what of it cannot be read; the rest is there.
func (r *row) entry(queue string) (broker.Stored, error) {
	var s broker.Stored
	s.Queue, s.ID, s.State = queue, r.text(), task.State(r.int())
	at := r.milli()
	switch s.State {
	case task.Scheduled, task.Retry:
		s.DueAt = at
	case task.Active, task.Completed:
		s.Until = at
	}
	s.Type, s.MaxRetry, s.Retried = r.text(), int(r.int()), int(r.int())
	s.LastErr, s.LastFailedAt = r.text(), r.second()
	s.Timeout, s.Deadline, s.Retention = r.duration(), r.milli(), r.duration()
	s.CompletedAt, s.Group, s.Claim.Key = r.second(), r.text(), r.text()
	s.Home = broker.Home{Queue: r.text(), ID: r.text()}
	reads := r.json("reads", &s.Reads)
	headers := r.json("headers", &s.Headers)
	s.Payload = r.blob()
	if reads != nil {
		return s, reads
	}
	return s, headers
}

// json reads a column of JSON into v, and leaves v alone for NULL.
func (r *row) json(column string, v any) error {
	text := r.raw()
	if text == nil {
		return nil
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", column, err)
	}
	return nil
}

func (r *row) duration() time.Duration { return time.Duration(r.int()) * time.Millisecond }

// insert adds e to q in the given state and place, unless its id exists.
func (t *tx) insert(q *queue, e *broker.Entry, state task.State, at, ready int64) (added bool) {
	t.on(insertEntry).int(q.num).any(ready).
		text(e.ID).int(int64(state)).int(at).
		text(e.Type).int(int64(e.MaxRetry)).int(int64(e.Retried)).some(e.LastErr).any(seconds(e.LastFailedAt)).
		any(millis(e.Timeout)).any(milli(e.Deadline)).any(millis(e.Retention)).any(seconds(e.CompletedAt)).
		some(e.Group).some(e.Claim.Key).some(e.Home.Queue).some(e.Home.ID).
		some(t.json(len(e.Reads), e.Reads)).some(t.json(len(e.Headers), e.Headers)).blob(e.Payload).exec()
	if added = t.changed(); added {
		q.add(state, 1)
	}
	return added
}

// json returns v as JSON, "" if its size is 0.
func (c *conn) json(size int, v any) string {
	if size == 0 {
		return ""
	}
	text, err := json.Marshal(v)
	c.note(err)
	return string(text)
}

// milli returns t in milliseconds, rounded up; 0 for the zero time.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return broker.CeilMilli(t).UnixMilli()
}

// fromMilli is the inverse of milli.
func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// seconds returns t in whole seconds that have passed; 0 for the zero time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// millis returns d in milliseconds, rounded up.
func millis(d time.Duration) int64 {
	ms := d.Milliseconds()
	if d > time.Duration(ms)*time.Millisecond {
		ms++
	}
	return ms
}

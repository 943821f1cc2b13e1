package sqlitebroker

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// entryColumns are what row.entry reads. Many entries have nothing in those behind
// the tenth, which says so: to read a column costs more than to have it looked at.
const entryColumns = allButExit + `leaves`

// leasedColumns are the same without the exit, which is not the holder's affair.
const leasedColumns = allButExit + `NULL`

const allButExit = `id, state, at, type, max_retry, retried, timeout, retention, payload,
	coalesce(last_error, failed, deadline, completed, start_by, group_name, claim, max_crashes, crashes,
		home_queue, reads, headers, leaves) IS NOT NULL,
	last_error, failed, deadline, completed, start_by, group_name, claim, claim_start, claim_hold, claim_since, behind,
	max_crashes, crashes, home_queue, home_id, reads, headers, `

var (
	selectEntryNum = prepared(`SELECT num FROM leat_entry WHERE queue = ? AND id = ?`)
	insertEntry    = prepared(`INSERT INTO leat_entry (queue, ready, version,
		id, state, at, type, max_retry, retried, last_error, failed, timeout, deadline, retention, completed, start_by,
		group_name, claim, claim_start, claim_hold, claim_since, behind, max_crashes, home_queue, home_id,
		reads, headers, leaves, payload)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
	replaceEntry = prepared(`UPDATE leat_entry SET version = ?2, type = ?3, max_retry = ?4, retried = ?5, last_error = ?6,
		failed = ?7, timeout = ?8, deadline = ?9, retention = ?10, completed = ?11, start_by = ?12,
		max_crashes = ?13, headers = ?14, payload = ?15 WHERE num = ?1`)
)

// entry reads entryColumns into an entry of the named queue. The error says
// what of it cannot be read; the rest is there.
func (r *row) entry(queue string) (broker.Stored, error) {
	var s broker.Stored
	s.Queue, s.ID, s.State = queue, r.text(), task.State(r.int())
	at := r.int()
	switch s.State {
	case task.Scheduled, task.Retry:
		s.DueAt = fromMilli(at)
	case task.Active, task.Completed:
		s.Until = fromMilli(at)
	}
	s.Type, s.MaxRetry, s.Retried = r.text(), int(r.int()), int(r.int())
	s.Timeout, s.Retention, s.Payload = r.duration(), r.duration(), r.blob()
	if more := r.flag(); !more {
		return s, nil
	}
	return s, r.rest(&s)
}

// rest reads into s what many entries have nothing in.
func (r *row) rest(s *broker.Stored) error {
	s.LastErr, s.LastFailedAt, s.Deadline = r.text(), r.second(), r.milli()
	s.CompletedAt, s.StartBy, s.Group = r.second(), r.milli(), r.text()
	s.Claim = r.claim()
	s.MaxCrashes, s.Crashes = int(r.int()), int(r.int())
	s.Home = broker.Home{Queue: r.text(), ID: r.text()}
	err := r.json("reads", &s.Reads)
	if fault := r.json("headers", &s.Headers); err == nil {
		err = fault
	}
	var leaves *recordedEntry
	if fault := r.json("leaves", &leaves); err == nil {
		err = fault
	}
	if leaves != nil {
		exit := leaves.entry()
		s.Exit = &exit
	}
	return err
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
func (t *tx) insert(now time.Time, q *queue, e *broker.Entry, state task.State, at, ready int64) (added bool) {
	claim := e.Claim
	if claim.Key == "" {
		claim = broker.Claim{}
	}
	waits := claim.Behind && state == task.Scheduled // it may not be scheduled otherwise
	t.on(insertEntry).int(q.num).any(ready).int(q.written()).
		text(e.ID).int(int64(state)).int(at).
		text(e.Type).int(int64(e.MaxRetry)).int(int64(e.Retried)).some(e.LastErr).any(seconds(e.LastFailedAt)).
		any(millis(e.Timeout)).any(milli(e.Deadline)).any(millis(e.Retention)).any(seconds(e.CompletedAt)).
		any(milli(e.StartBy)).some(e.Group).
		some(claim.Key).flag(claim.UntilStart).any(milli(claim.Hold)).any(milli(claim.Since)).flag(waits).
		any(int64(e.MaxCrashes)).some(e.Home.Queue).some(e.Home.ID).
		some(t.json(len(e.Reads), e.Reads)).some(t.json(len(e.Headers), e.Headers)).some(t.exit(e.Exit)).blob(e.Payload).exec()
	if added = t.changed(); added {
		q.awaits(state, at)
		t.came(now, q, e.ID, e.Group, state)
	}
	return added
}

// overwrite writes the fields of e over those of the entry k.
func (t *tx) overwrite(k *known, e *broker.Entry) {
	t.on(replaceEntry).int(k.num).int(k.q.written()).
		text(e.Type).int(int64(e.MaxRetry)).int(int64(e.Retried)).some(e.LastErr).any(seconds(e.LastFailedAt)).
		any(millis(e.Timeout)).any(milli(e.Deadline)).any(millis(e.Retention)).any(seconds(e.CompletedAt)).
		any(milli(e.StartBy)).any(int64(e.MaxCrashes)).some(t.json(len(e.Headers), e.Headers)).blob(e.Payload).exec()
}

// exit returns e as it is stored with the entry that leaves it, "" if it is nil.
func (c *conn) exit(e *broker.Entry) string {
	if e == nil {
		return ""
	}
	return c.json(1, recordEntry(e))
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

// ceilSecond returns t in milliseconds, rounded up to a whole second.
func ceilSecond(t time.Time) int64 { return milli(broker.CeilSecond(t)) }

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

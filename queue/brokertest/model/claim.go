package model

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

type claim struct {
	holder string
	ttl    bool
	until  time.Time // when it ends; zero: with its holder
}

// holder returns the id of the entry that holds a claim at now, or "".
func (q *queue) holder(now time.Time, key string) string {
	if c := q.claims[key]; c != nil && (c.until.IsZero() || now.Before(c.until)) {
		return c.holder
	}
	return ""
}

// refuser returns the id of the entry because of whose claim e cannot be added,
// or "".
func (m *Model) refuser(now time.Time, e broker.Entry) string {
	q := m.queues[e.Queue]
	if q == nil || e.Claim.Key == "" {
		return ""
	}
	holder := q.holder(now, e.Claim.Key)
	if h := q.entries[holder]; e.Claim.Behind && h != nil && h.State == task.Active {
		return q.behind[e.Claim.Key]
	}
	return holder
}

// take has e take its claim, and reports whether it could: it cannot if it is to
// wait behind the one that holds it.
func (m *Model) take(now time.Time, e *entry, by broker.Claim) bool {
	q := m.queues[e.Queue]
	if by.Behind && q.holder(now, by.Key) != "" {
		return false
	}
	c := &claim{holder: e.ID}
	if by.TTL > 0 {
		c.ttl, c.until = true, now.Add(by.TTL.Truncate(time.Second))
	}
	q.claims[by.Key] = c
	return true
}

// waitBehind has e wait behind its claim.
func (m *Model) waitBehind(now time.Time, e *entry) {
	m.queues[e.Queue].behind[e.Claim.Key] = e.ID
	e.Claim.Behind = true
	m.wait(now, e, now.Add(broker.BehindRetry))
}

// takeUp has e, which waits behind its claim, take it and be ready.
func (m *Model) takeUp(now time.Time, e *entry) {
	m.leave(e)
	m.take(now, e, e.Claim)
	m.ready(now, e)
}

// free frees the claim of e, if e holds it, or lets it end at its Hold. Who waits
// behind it takes it.
func (m *Model) free(now time.Time, e *entry) {
	q, key := m.queues[e.Queue], e.Claim.Key
	c := q.claims[key]
	if c == nil || c.holder != e.ID {
		return
	}
	if !c.ttl && e.Claim.Hold.After(now) {
		c.until = e.Claim.Hold
		return
	}
	delete(q.claims, key)
	if next := q.entries[q.behind[key]]; next != nil {
		m.takeUp(now, next)
	}
}

// freeUnlessTTL frees the claim of an entry that is archived.
func (m *Model) freeUnlessTTL(now time.Time, e *entry) {
	if c := m.queues[e.Queue].claims[e.Claim.Key]; c != nil && !c.ttl {
		m.free(now, e)
	}
}

// started frees the claim of an entry that is leased, if it is only until then.
func (m *Model) started(now time.Time, e *entry) {
	if e.Claim.UntilStart {
		m.free(now, e)
	}
}

package broker

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/leatwork/leat/task"
)

// Check returns a [task.InvalidError] for each thing in c that no broker
// accepts, joined, or nil. Every broker calls it first.
func (c Change) Check() error {
	k := checker{home: c.Home}
	k.size(c)
	k.settlements(c.Settle)
	k.moves(c.Move)
	k.replacements(c.Replace)
	for _, r := range c.Watch {
		k.ref("Watch", r)
	}
	k.homes(c)
	k.entries("Enqueue", c.Enqueue)
	k.latches(c.Open)
	for _, f := range c.Feed {
		k.made("Feed.Latch", f.Latch)
		k.unclaimed("Feed.Entries", f.Entries)
		for _, e := range f.Entries {
			if e.Home != c.Home {
				k.refuse("Feed.Entries", e.String(), "belongs to another home")
			}
		}
	}
	k.arrivals("Arrive", c.Arrive)
	k.unclaimed("Drain", c.Drain)
	for _, e := range c.Drain {
		if e.Home != c.Home {
			k.refuse("Drain", e.String(), "belongs to another home")
		}
	}
	k.listing(c.List)
	return errors.Join(k.faults...)
}

// A set finds what comes twice among n. It makes no map for the only one.
type set[K comparable] struct{ seen map[K]bool }

// add reports whether k is new.
func (s *set[K]) add(k K, n int) bool {
	if n < 2 {
		return true
	}
	if s.seen == nil {
		s.seen = make(map[K]bool, n)
	}
	if s.seen[k] {
		return false
	}
	s.seen[k] = true
	return true
}

// CheckStored returns what a settlement that stores e would be refused for, or
// nil.
func CheckStored(e *Entry) error {
	var k checker
	k.ref("Settle", e.EntryRef)
	k.stored("Settle", e)
	return errors.Join(k.faults...)
}

type checker struct {
	home   Home
	faults []error
}

func (k *checker) refuse(field string, value any, reason string) {
	k.faults = append(k.faults, task.Invalid(field, value, reason))
}

func (k *checker) made(field, name string) {
	if err := task.CheckMadeName(field, name); err != nil {
		k.faults = append(k.faults, err)
	}
}

// Parts returns how many parts c has; a change may have [MaxParts].
func (c Change) Parts() int {
	n := len(c.Settle) + len(c.Move) + len(c.Replace) + len(c.Watch) + len(c.Require) + len(c.Put) + len(c.Enqueue) + len(c.Open) + len(c.Feed) + len(c.Arrive)
	n += len(c.Drain)
	for _, l := range c.Open {
		n += len(l.Then.Enqueue) + len(l.Then.Arrive) + len(l.Else.Enqueue) + len(l.Else.Arrive)
	}
	for _, f := range c.Feed {
		n += len(f.Entries)
	}
	return n
}

// Bytes returns how large the bodies are that c writes; a change may have
// [MaxBytes].
func (c Change) Bytes() int {
	n := payloads(c.Enqueue) + payloads(c.Drain)
	for _, r := range c.Replace {
		n += len(r.Entry.Payload)
	}
	for _, s := range c.Settle {
		n += len(s.Result)
	}
	for _, p := range c.Put {
		n += len(p.Body)
	}
	for _, l := range c.Open {
		n += payloads(l.Then.Enqueue) + payloads(l.Else.Enqueue)
	}
	for _, f := range c.Feed {
		n += payloads(f.Entries)
	}
	return n
}

func payloads(entries []Entry) (n int) {
	for i := range entries {
		n += len(entries[i].Payload)
		if exit := entries[i].Exit; exit != nil {
			n += len(exit.Payload)
		}
	}
	return n
}

func (k *checker) size(c Change) {
	if n := c.Parts(); n > MaxParts {
		k.refuse("Change", n, fmt.Sprintf("has more than %d parts", MaxParts))
	}
	if n := c.Bytes(); n > MaxBytes {
		k.refuse("Change", n, fmt.Sprintf("has more than %d bytes", MaxBytes))
	}
}

func (k *checker) settlements(settle []Settlement) {
	var seen set[EntryRef]
	for i := range settle {
		s := &settle[i]
		if !seen.add(s.Entry.EntryRef, len(settle)) {
			k.refuse("Settle", s.Entry.String(), "is settled twice in one change")
		}
		k.ref("Settle", s.Entry.EntryRef)
		switch {
		case s.To < Done || s.To > Released:
			k.refuse("Settle.To", int(s.To), "is not an outcome")
		case s.End != 0 && s.To != Archived, s.End < 0, s.End > Poison:
			k.refuse("Settle.End", s.End.String(), fmt.Sprintf("is no end to settle as %s with", s.To))
		case (s.To == Completed || s.To == Retry) && s.At.IsZero():
			k.refuse("Settle.At", s.At, fmt.Sprintf("is needed to settle as %s", s.To))
		}
		if s.To != Done && s.To != Released {
			k.stored("Settle", &s.Entry)
		}
		k.headers("Settle", s.Headers)
		k.headerText("Settle", s.Headers)
		if a := s.Attempt; a != nil && !(utf8.ValidString(a.Worker) && utf8.ValidString(a.Err) && utf8.ValidString(a.Stack)) {
			k.refuse("Settle.Attempt", a.Worker+": "+a.Err, "is not valid UTF-8")
		}
	}
}

func (k *checker) moves(moves []Move) {
	seen := make(map[EntryRef]bool, len(moves))
	for _, m := range moves {
		k.ref("Move", m.EntryRef)
		if seen[m.EntryRef] {
			k.refuse("Move", m.String(), "is moved twice in one change")
		}
		seen[m.EntryRef] = true
		switch {
		case m.Do < Run || m.Do > Cancel:
			k.refuse("Move.Do", int(m.Do), "is not an act")
		case m.Do == Reschedule && m.At.IsZero():
			k.refuse("Move.At", m.At, "is needed to reschedule")
		}
	}
}

func (k *checker) replacements(replace []Replacement) {
	seen := make(map[EntryRef]bool, len(replace))
	for _, r := range replace {
		k.ref("Replace", r.Entry.EntryRef)
		k.stored("Replace", &r.Entry)
		k.headers("Replace", r.Entry.Headers)
		k.claim("Replace", r.Entry)
		if seen[r.Entry.EntryRef] {
			k.refuse("Replace", r.Entry.String(), "is replaced twice in one change")
		}
		seen[r.Entry.EntryRef] = true
		if r.If == "" && r.Entry.Claim.Key == "" {
			k.refuse("Replace.If", r.If, "is needed without a claim")
		}
	}
}

func (k *checker) homes(c Change) {
	if needed := len(c.Require)+len(c.Put)+len(c.Open)+len(c.Feed)+len(c.Arrive)+len(c.Drain) > 0 || c.List != nil || !c.Close.IsZero(); needed {
		k.at(c.Home)
	}
	for _, r := range c.Require {
		k.made("Require.Key", r.Key)
		if r.Version < 0 {
			k.refuse("Require.Version", r.Version, "must not be negative")
		}
	}
	if c.Quota < 0 {
		k.refuse("Quota", c.Quota, "must not be negative")
	}
	var seen set[string]
	for _, p := range c.Put {
		k.made("Put.Key", p.Key)
		if !seen.add(p.Key, len(c.Put)) {
			k.refuse("Put.Key", p.Key, "is written twice in one change")
		}
		if p.If < AnyVersion {
			k.refuse("Put.If", p.If, "must be AnyVersion, 0 or a version")
		}
	}
}

func (k *checker) entries(field string, entries []Entry) {
	type claim struct{ queue, key string }
	var ids set[EntryRef]
	var claims set[claim]
	for i := range entries {
		e := &entries[i]
		k.ref(field, e.EntryRef)
		k.stored(field, e)
		k.headers(field, e.Headers)
		if !ids.add(e.EntryRef, len(entries)) {
			k.refuse(field, e.String(), "is enqueued twice in one change")
		}
		if e.Claim.Key == "" {
			continue
		}
		if !claims.add(claim{e.Queue, e.Claim.Key}, len(entries)) {
			k.refuse(field+".Claim", e.Claim.Key, "is claimed twice in one change")
		}
		k.claim(field, *e)
	}
}

// claim checks the claim of e, if it has one.
func (k *checker) claim(field string, e Entry) {
	c := e.Claim
	if c.Key == "" {
		return
	}
	k.made(field+".Claim.Key", c.Key)
	if c.TTL != 0 && c.TTL < time.Second {
		k.refuse(field+".Claim.TTL", c.TTL, "must be 0, or at least 1s")
	}
	if c.TTL != 0 && (c.UntilStart || c.Behind || !c.Hold.IsZero()) {
		k.refuse(field+".Claim.TTL", c.TTL, "does not go with UntilStart, Hold and Behind")
	}
	if c.UntilStart && !c.Hold.IsZero() {
		k.refuse(field+".Claim.Hold", c.Hold, "does not go with UntilStart")
	}
	if c.Behind && (!e.DueAt.IsZero() || e.Group != "") {
		k.refuse(field+".Claim.Behind", e.String(), "does not go with a due time or a group")
	}
}

// exit checks what is enqueued if an entry ends otherwise than by its settlement.
func (k *checker) exit(field string, exit *Entry) {
	if exit == nil {
		return
	}
	if exit.Claim.Key != "" || exit.Group != "" || !exit.DueAt.IsZero() || exit.Exit != nil {
		k.refuse(field+".Exit", exit.String(), "must have no claim, group, due time or exit of its own")
		return
	}
	k.ref(field+".Exit", exit.EntryRef)
	k.stored(field+".Exit", exit)
	k.headers(field+".Exit", exit.Headers)
}

func (k *checker) unclaimed(field string, entries []Entry) {
	k.entries(field, entries)
	for _, e := range entries {
		if e.Claim.Key != "" {
			k.refuse(field, e.String(), "must not have a claim")
		}
	}
}

func (k *checker) latches(open []Latch) {
	seen := make(map[string]bool, len(open))
	for _, l := range open {
		k.made("Open.ID", l.ID)
		if seen[l.ID] {
			k.refuse("Open.ID", l.ID, "is opened twice in one change")
		}
		seen[l.ID] = true
		if l.Total > MaxTotal {
			k.refuse("Open.Total", l.Total, fmt.Sprintf("is more than %d", MaxTotal))
		}
		for _, n := range []struct {
			field string
			value int
		}{{"Total", l.Total}, {"Window", l.Window}, {"StopAt", l.StopAt}, {"Tolerate", l.Tolerate}} {
			if n.value < 0 {
				k.refuse("Open."+n.field, n.value, "must not be negative")
			}
		}
		for _, p := range []Part{l.Then, l.Else} {
			k.unclaimed("Open.Enqueue", p.Enqueue)
			k.arrivals("Open.Arrive", p.Arrive)
			for _, a := range p.Arrive {
				if a.Latch == l.ID {
					k.refuse("Open.Arrive", a.Latch, "arrives at its own latch")
				}
			}
		}
	}
}

func (k *checker) arrivals(field string, arrive []Arrival) {
	for _, a := range arrive {
		k.made(field+".Latch", a.Latch)
		if a.Member < 0 {
			k.refuse(field+".Member", a.Member, "must not be negative")
		}
	}
}

func (k *checker) ref(field string, r EntryRef) {
	k.part(field, ".Queue", r.Queue)
	k.part(field, ".ID", r.ID)
}

// part checks the name of a part of field.
func (k *checker) part(field, part, name string) {
	if task.CheckMadeName(part, name) != nil {
		k.made(field+part, name)
	}
}

// number checks a count in field, which is kept in 32 bits.
func (k *checker) number(field, part string, n int) {
	if n < 0 || n > math.MaxInt32 {
		k.refuse(field+part, n, "is out of range")
	}
}

// headers checks how much of them there is. Only those are asked that are added: an
// entry that asynq has stored with more is run all the same.
func (k *checker) headers(field string, headers map[string]string) {
	size := 0
	for key, value := range headers {
		size += len(key) + len(value)
	}
	if n := len(headers); n > MaxHeaders {
		k.refuse(field+".Headers", n, fmt.Sprintf("are more than %d", MaxHeaders))
	}
	if size > MaxHeaderBytes {
		k.refuse(field+".Headers", size, fmt.Sprintf("are larger than %d bytes", MaxHeaderBytes))
	}
}

func (k *checker) headerText(field string, headers map[string]string) {
	for key, value := range headers {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			k.refuse(field+".Headers", key+": "+value, "is not valid UTF-8")
		}
	}
}

// stored checks the fields of e that a broker writes down.
func (k *checker) stored(field string, e *Entry) {
	k.part(field, ".Type", e.Type)
	k.number(field, ".MaxCrashes", e.MaxCrashes)
	k.number(field, ".MaxRetry", e.MaxRetry)
	k.number(field, ".Retried", e.Retried)
	if e.Timeout < 0 {
		k.refuse(field+".Timeout", e.Timeout, "is out of range")
	}
	if e.Retention < 0 {
		k.refuse(field+".Retention", e.Retention, "is out of range")
	}
	if !utf8.ValidString(e.LastErr) {
		k.refuse(field+".LastErr", e.LastErr, "is not valid UTF-8")
	}
	k.headerText(field, e.Headers)
	if e.Group != "" {
		k.made(field+".Group", e.Group)
	}
	if !e.Home.IsZero() {
		k.made(field+".Home.Queue", e.Home.Queue)
		k.made(field+".Home.ID", e.Home.ID)
	} else if len(e.Reads) > 0 {
		k.refuse(field+".Reads", e.Reads, "needs a home")
	}
	for _, key := range e.Reads {
		k.made(field+".Reads", key)
	}
	k.exit(field, e.Exit)
}

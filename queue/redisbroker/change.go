package redisbroker

import (
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/wire"
	"github.com/leatwork/leat/queue/broker"
)

// A changeWriter packs changes as lua/apply.lua takes them at now. Its err is the
// first entry's that cannot be encoded.
type changeWriter struct {
	*packer
	b   *world
	now time.Time
	err error
}

// pack appends c to p, and returns how many values it consists of. If there is an
// error, p is as it was.
func (b *world) pack(p *packer, now time.Time, c broker.Change) (values int, err error) {
	if err := c.Check(); err != nil {
		return 0, err
	}
	began := len(p.b)
	w := &changeWriter{packer: p, b: b, now: now}
	w.write(c)
	if w.err != nil {
		p.b = p.b[:began]
	}
	return settlementValues*len(c.Settle) + entryValues*len(c.Enqueue) + 3, w.err
}

// list packs a field of a change, unless it is empty.
func list[T any](o object, name string, values []T, pack func(T)) {
	if len(values) == 0 {
		return
	}
	o.field(name).list(len(values))
	for _, v := range values {
		pack(v)
	}
}

// Of how many values settlements and entries consist.
const settlementValues, entryValues = 6, 4

func (w *changeWriter) write(c broker.Change) {
	w.int(int64(len(c.Settle)))
	for i := range c.Settle {
		w.settlement(&c.Settle[i])
	}
	w.int(int64(len(c.Enqueue)))
	for i := range c.Enqueue {
		w.ready(c.Enqueue[i])
	}
	o := w.object()
	list(o, "move", c.Move, w.move)
	list(o, "replace", c.Replace, w.replacement)
	list(o, "watch", c.Watch, w.ref)
	if !c.Home.IsZero() {
		o.field("home").list(2)
		w.text(c.Home.Queue)
		w.text(c.Home.ID)
	}
	list(o, "require", c.Require, w.condition)
	list(o, "put", c.Put, w.put)
	if c.Quota > 0 {
		o.field("quota").int(c.Quota)
	}
	list(o, "open", c.Open, w.latch)
	list(o, "feed", c.Feed, w.feed)
	list(o, "arrive", c.Arrive, w.arrival)
	list(o, "drain", c.Drain, w.entry)
	if c.List != nil {
		w.listing(o.field("list"), *c.List)
	}
	if !c.Close.IsZero() {
		o.field("close").int(millis(c.Close))
	}
	o.orNo()
}

func (w *changeWriter) settlement(s *broker.Settlement) {
	w.text(s.Entry.Queue)
	w.text(s.Entry.ID)
	w.text(s.Token)
	w.text(s.To.String())
	o := w.object()
	if s.Entry.Group != "" {
		o.field("group").text(s.Entry.Group)
	}
	if s.To == broker.Completed || s.To == broker.Retry {
		o.field("at").int(millis(s.At))
	}
	if s.To == broker.Retry && s.Failed {
		o.field("failed").yes()
	}
	if s.End != 0 {
		o.field("ending").text(s.End.String())
	}
	if claim := w.b.keys.claim(s.Entry); claim != "" && s.To != broker.Released {
		o.field("claim").text(claim)
		if !s.Entry.Claim.Hold.IsZero() {
			o.field("hold").text(strconv.FormatInt(millis(s.Entry.Claim.Hold), 10))
		}
	}
	o.orNo()
	if s.To == broker.Released && s.Headers == nil {
		w.no()
		return
	}
	at := w.begin()
	w.kept(s)
	w.end(at)
}

// kept packs what is stored with an entry that is kept, as one that is done may be,
// too.
func (w *changeWriter) kept(s *broker.Settlement) {
	o := w.object()
	switch s.To {
	case broker.Done, broker.Released: // the message is there
		if s.Headers != nil {
			w.headers(o.field("headers"), s.Headers)
		}
	default:
		e := s.Entry
		if s.Headers != nil {
			e.Headers = s.Headers
		}
		w.message(o.field("msg"), e)
	}
	if s.To == broker.Released {
		return
	}
	if s.To == broker.Done {
		o.field("patch").bytes(wire.EncodeOutcome(s.Entry))
	}
	if s.Result != nil {
		o.field("result").bytes(s.Result)
	}
	if a := s.Attempt; a != nil {
		words := 4
		if a.Stack != "" {
			words++
		}
		o.field("attempt").list(words)
		w.moment(a.Started)
		w.moment(a.Ended)
		w.text(a.Worker)
		w.text(a.Err)
		if a.Stack != "" {
			w.text(a.Stack)
		}
	}
}

// moment packs t in milliseconds, the zero time as 0.
func (w *changeWriter) moment(t time.Time) {
	if t.IsZero() {
		w.int(0)
		return
	}
	w.int(millis(t))
}

func (w *changeWriter) move(m broker.Move) {
	o := w.object()
	o.field("queue").text(m.Queue)
	o.field("id").text(m.ID)
	o.field("act").text(m.Do.String())
	if m.Do == broker.Reschedule {
		o.field("at").int(w.due(m.At))
	}
}

// due returns t in milliseconds, or 0 if it is not after now: that is asked before
// it is rounded.
func (w *changeWriter) due(t time.Time) int64 {
	if !t.After(w.now) {
		return 0
	}
	return millis(t)
}

func (w *changeWriter) ref(r broker.EntryRef) {
	w.list(2)
	w.text(r.Queue)
	w.text(r.ID)
}

// replacement packs r. The script adds what stays of the entry that is there.
func (w *changeWriter) replacement(r broker.Replacement) {
	e := r.Entry
	claim := e.Claim
	e.Group, e.Claim = "", broker.Claim{} // these stay as they are
	o := w.object()
	o.field("queue").text(e.Queue)
	o.field("id").text(e.ID)
	w.message(o.field("msg"), e)
	o.field("words").text(wire.Words(e))
	if r.If != "" {
		o.field("version").text(r.If)
	}
	if claim.Key != "" {
		o.field("claim").text(w.b.keys.claim(r.Entry))
		o.field("ttl").int(int64(claim.TTL / time.Second))
		o.field("ending").text(wire.ClaimWords(claim))
	}
	if !e.DueAt.IsZero() {
		o.field("due").int(w.due(e.DueAt))
	}
}

// message packs e's message as the next value of p.
func (w *changeWriter) message(p *packer, e broker.Entry) {
	msg, err := w.b.encode(e)
	if err != nil && w.err == nil {
		w.err = err
	}
	p.bytes(msg)
}

// headers packs those of a message as the next value of p.
func (w *changeWriter) headers(p *packer, headers map[string]string) {
	encoded, err := wire.EncodeHeaders(headers)
	if err != nil && w.err == nil {
		w.err = err
	}
	p.bytes(encoded)
}

func (w *changeWriter) condition(r broker.Condition) {
	o := w.object()
	o.field("key").text(r.Key)
	o.field("version").int(r.Version)
}

func (w *changeWriter) put(p broker.Put) {
	o := w.object()
	o.field("key").text(p.Key)
	o.field("body").bytes(p.Body)
	o.field("at").int(p.If)
}

// ready packs an entry that is enqueued at once. Whether it is due is asked
// before its time is rounded.
func (w *changeWriter) ready(e broker.Entry) {
	if !e.DueAt.After(w.now) {
		e.DueAt = time.Time{}
	}
	w.text(e.Queue)
	w.text(e.ID)
	w.message(w.packer, e)
	o := w.object()
	w.beside(o, e)
	o.orNo()
}

// entry packs an entry as it is kept until it is enqueued.
func (w *changeWriter) entry(e broker.Entry) {
	o := w.object()
	o.field("queue").text(e.Queue)
	o.field("id").text(e.ID)
	w.message(o.field("msg"), e)
	w.beside(o, e)
}

// beside packs what an entry has beside its message.
func (w *changeWriter) beside(o object, e broker.Entry) {
	if !e.DueAt.IsZero() {
		o.field("due").int(millis(e.DueAt))
	}
	if e.Group != "" {
		o.field("group").text(e.Group)
	}
	if claim := w.b.keys.claim(e); claim != "" {
		o.field("claim").text(claim)
		o.field("ttl").int(int64(e.Claim.TTL / time.Second))
		if e.Claim.Behind {
			o.field("behind").yes()
		}
	}
	more := w.b.moreFields(e)
	if e.Exit != nil {
		exit := &changeWriter{packer: &packer{}, b: w.b, now: w.now}
		exit.entry(*e.Exit)
		if w.err == nil {
			w.err = exit.err
		}
		more = append(more, fieldExit, string(exit.packer.b))
	}
	list(o, "more", more, w.text)
}

// listing packs l as the next value of p.
func (w *changeWriter) listing(p *packer, l broker.Listing) {
	o := p.object()
	o.field("at").int(millis(l.At))
	o.field("terms").list(len(l.Terms))
	for _, t := range l.Terms {
		p.text(t)
	}
}

// moreFields returns the names and values of what e's hash holds besides the
// message, its state, and since when it has been in it: its home first.
func (b *world) moreFields(e broker.Entry) []string {
	var more []string
	add := func(name, value string) {
		if value != "" {
			more = append(more, name, value)
		}
	}
	if !e.Home.IsZero() {
		add(fieldHome, homeField(e.Home))
	}
	add(fieldUnique, b.keys.claim(e))
	add(fieldWords, wire.Words(e))
	add(fieldGroup, e.Group)
	add(fieldReads, strings.Join(e.Reads, " "))
	return more
}

func (w *changeWriter) latch(l broker.Latch) {
	o := w.object()
	o.field("id").text(l.ID)
	o.field("total").int(int64(l.Total))
	o.field("window").int(int64(l.Window))
	o.field("stop_at").int(int64(l.StopAt))
	o.field("tolerate").int(int64(l.Tolerate))
	o.field("parts").list(2)
	for _, part := range []broker.Part{l.Then, l.Else} {
		w.list(2)
		w.list(len(part.Enqueue))
		for _, e := range part.Enqueue {
			w.entry(e)
		}
		w.list(len(part.Arrive))
		for _, a := range part.Arrive {
			w.arrival(a)
		}
	}
}

func (w *changeWriter) feed(f broker.Feed) {
	o := w.object()
	o.field("latch").text(f.Latch)
	o.field("entries").list(len(f.Entries))
	for _, e := range f.Entries {
		w.entry(e)
	}
}

func (w *changeWriter) arrival(a broker.Arrival) {
	n := 2
	if a.Mark {
		n = 3
	}
	w.list(n)
	w.text(a.Latch)
	w.int(int64(a.Member))
	if a.Mark {
		w.yes()
	}
}

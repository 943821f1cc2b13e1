package shard

import (
	"slices"

	"github.com/leatwork/leat/queue/broker"
)

// A route is in which world a change is made.
type route struct {
	layout  Layout
	name    string
	because string // of what it is in that world
	fixed   bool   // it cannot be in another; otherwise the name is a guess
	apart   error

	// unsure are entries that the change is about and that may lie elsewhere.
	unsure []broker.EntryRef
}

// need has the change be made in the world named name, because of subject.
func (r *route) need(name, subject string) {
	switch {
	case !r.fixed:
		r.name, r.because, r.fixed = name, subject, true
	case r.name != name && r.apart == nil:
		r.apart = &broker.ApartError{One: r.because, Other: subject, Rule: r.layout.Rule()}
	}
}

// about says that the change is about an entry that is there, most likely in the
// world named likely.
func (r *route) about(ref broker.EntryRef, likely string) {
	name, certain := r.layout.Find(ref)
	if certain {
		r.need(name, "entry "+ref.String())
		return
	}
	r.unsure = append(r.unsure, ref)
	if likely == "" {
		likely = name
	}
	if r.name == "" {
		r.name, r.because = likely, "entry "+ref.String()
	}
}

// route finds the world of c, and returns c as that is to get it. A change that
// does nothing has none.
func (b *Broker) route(c broker.Change) (*route, broker.Change) {
	r := &route{layout: b.layout}
	c.Settle = slices.Clone(c.Settle)
	for i, s := range c.Settle {
		name, bare, ok := b.layout.Unmark(s.Entry.EntryRef, s.Token)
		if !ok { // the token is that of a batch, or of nothing
			r.about(s.Entry.EntryRef, b.layout.Entry(s.Entry))
			continue
		}
		c.Settle[i].Token = bare
		r.need(name, "lease of "+s.Entry.String())
	}
	if !c.Home.IsZero() {
		r.need(b.layout.Home(c.Home), "home "+c.Home.String())
	}
	for _, m := range c.Move {
		r.about(m.EntryRef, "")
	}
	for _, p := range c.Replace {
		r.about(p.Entry.EntryRef, b.layout.Entry(p.Entry))
	}
	for _, ref := range c.Watch {
		r.about(ref, "")
	}
	r.adds(c)
	return r, c
}

// adds has the entries that c adds, now or later, lie where they are to.
func (r *route) adds(c broker.Change) {
	for _, e := range c.Enqueue {
		r.add(e)
	}
	for _, l := range c.Open {
		for _, part := range []broker.Part{l.Then, l.Else} {
			for _, e := range part.Enqueue {
				r.add(e)
			}
		}
	}
	for _, e := range c.Drain {
		r.add(e)
	}
	for _, f := range c.Feed {
		for _, e := range f.Entries {
			r.add(e)
		}
	}
}

func (r *route) add(e broker.Entry) {
	if r.name == "" || !r.layout.Stays(e) {
		r.need(r.layout.Entry(e), "entry "+e.String())
	}
	if !e.Home.IsZero() {
		r.need(r.layout.Home(e.Home), "home "+e.Home.String())
	}
	if e.Exit != nil {
		r.add(*e.Exit)
	}
}

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
	apart   error

	// unsure are entries that the change is about, and that may lie elsewhere;
	// fixed says that the change cannot follow them.
	unsure []broker.EntryRef
	fixed  bool
}

// need has the change be made in the world named name, because of subject.
func (r *route) need(name, subject string) {
	switch {
	case r.name == "":
		r.name, r.because = name, subject
	case r.name != name && r.apart == nil:
		r.apart = &broker.ApartError{One: r.because, Other: subject, Rule: r.layout.Rule()}
	}
}

// route finds the world of c, and returns c as that is to get it.
func (b *Broker) route(c broker.Change) (*route, broker.Change) {
	r := &route{layout: b.layout}
	c.Settle = slices.Clone(c.Settle)
	for i, s := range c.Settle {
		name, bare, ok := b.layout.Unmark(s.Entry.EntryRef, s.Token)
		if ok {
			c.Settle[i].Token = bare
			r.need(name, "lease of "+s.Entry.String())
		}
	}
	if !c.Home.IsZero() {
		r.need(b.layout.Home(c.Home), "home "+c.Home.String())
	}
	r.added(c)
	r.fixed = r.name != ""
	for _, m := range c.Move {
		r.about(m.EntryRef, "")
	}
	for _, p := range c.Replace {
		r.about(p.Entry.EntryRef, b.layout.Entry(p.Entry, ""))
	}
	for _, ref := range c.Watch {
		r.about(ref, "")
	}
	for _, s := range c.Settle { // by tokens that no world gave
		r.about(s.Entry.EntryRef, "")
	}
	if r.name == "" { // it does nothing
		r.name = b.layout.Home(broker.Home{})
	}
	return r, c
}

// added has the entries that c adds, now or later, lie where they are to.
func (r *route) added(c broker.Change) {
	within := r.name
	lies := func(e broker.Entry) {
		r.need(r.layout.Entry(e, within), "entry "+e.String())
		if e.Exit != nil {
			r.need(r.layout.Entry(*e.Exit, r.name), "entry "+e.Exit.String())
		}
	}
	for _, e := range c.Enqueue {
		lies(e)
	}
	within = r.name
	for _, l := range c.Open {
		for _, part := range []broker.Part{l.Then, l.Else} {
			for _, e := range part.Enqueue {
				lies(e)
			}
		}
	}
	for _, f := range c.Feed {
		for _, e := range f.Entries {
			lies(e)
		}
	}
}

// about says that the change is about an entry that is there, most likely in the
// world named likely, if that is known.
func (r *route) about(ref broker.EntryRef, likely string) {
	name, certain := r.layout.Find(ref)
	if certain {
		r.need(name, "entry "+ref.String())
		return
	}
	r.unsure = append(r.unsure, ref)
	if likely != "" {
		name = likely
	}
	if r.name == "" {
		r.name, r.because = name, "entry "+ref.String()
	}
}

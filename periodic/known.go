package periodic

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A document is a record as it was read or written.
type document struct {
	record
	version int64 // 0: there is none
}

// state returns what the runner knows. The plan is the one that is to be run: what is
// stored wins over what this process has of the same name.
func (r *runner) state() (p *plan, since time.Time, adopted bool, doc *document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.doc.isStored() {
		return r.stored, r.since, true, r.doc
	}
	r.adopted = r.adopted || r.own != nil && r.doc != nil && r.doc.describes(r.own)
	return r.own, r.since, r.adopted, r.doc
}

// isStored reports whether d is of an entry that is stored.
func (d *document) isStored() bool {
	return d != nil && d.Source == FromStore && d.Removed.IsZero()
}

// supersedes reports whether d was written after other. Versions begin anew with an
// entry that was forgotten and is known again.
func (d *document) supersedes(other *document) bool {
	return d != nil && other.version > 0 && d.version > other.version && !other.Known.After(d.Known)
}

// runsStored reports whether the entry that the runner runs is stored.
func (r *runner) runsStored() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.doc.isStored()
}

// replan has the runner run p from now on.
func (r *runner) replan(p *plan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p != nil && r.own != nil && r.own.source == p.source && r.own.spec.equal(&p.spec) {
		r.own = p // its functions may be others
		return
	}
	r.own, r.since, r.adopted = p, r.s.now(), false
	r.rouse()
}

// load reads the record.
func (r *runner) load(ctx context.Context) error {
	docs, err := r.s.broker.Documents(ctx, homeOf(r.name), recordKey)
	if err != nil {
		return fmt.Errorf("read %s: %w", r.name, err)
	}
	if err := r.learn(docs[0]); err != nil {
		return err
	}
	r.resolve()
	return nil
}

// learn takes d for the record, unless a later one is known: one may be heard of while
// an earlier one is on its way.
func (r *runner) learn(d broker.Document) error {
	known := document{version: d.Version}
	if d.Version > 0 {
		var err error
		if known.record, err = decodeRecord(d); err != nil {
			return fmt.Errorf("entry %s: %w", r.name, err)
		}
	}
	return r.know(known)
}

func (r *runner) know(d document) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.doc.supersedes(&d) {
		return nil
	}
	r.doc, r.since = &d, later(r.since, later(d.Last, d.Removed))
	if !d.isStored() || r.stored != nil && r.stored.spec.equal(&d.Spec) {
		return nil
	}
	p, err := d.Spec.entry(r.name).compile(FromStore)
	if r.stored = p; err != nil {
		return fmt.Errorf("stored %w", err)
	}
	return nil
}

// hear is told of a record that was read elsewhere.
func (r *runner) hear(d broker.Document) error {
	defer r.rouse()
	return r.learn(d)
}

// forget has the record read again.
func (r *runner) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.doc = nil
}

// outdate is told that doc is not the record any more.
func (r *runner) outdate(doc *document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.doc == doc {
		r.doc = nil
	}
}

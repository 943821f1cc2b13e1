package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/wire"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

const (
	// One script takes this much at most. A change is never divided.
	scriptParts = broker.MaxParts
	scriptBytes = 32 << 20

	// One argument of it has this many values at most: Lua's stack, on which they
	// are unpacked, has room for eight thousand.
	argumentValues = 7000

	// A part that is packed takes about as many bytes.
	usualPart = 320
)

// A batch is the changes of one call of the script.
type batch struct {
	packer       // what the changes consist of
	cuts   []int // where in it arguments begin, but for the first
	values int   // in the last argument
	of     []int // which of Apply's changes these are
	queues names
	needs  needs
	parts  int
}

// Apply implements [broker.Broker]. It takes one trip for a thousand parts.
func (b *world) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if err := errors.Join(want.Check(), b.started(ctx)); err != nil {
		return broker.Applied{}, fmt.Errorf("apply: %w", err)
	}
	now = b.clock.at(now)
	applied := broker.Applied{Outcomes: make([]error, len(changes))}
	batches := b.batches(now, changes, applied.Outcomes)
	for i, part := range batches {
		asked := broker.LeaseRequest{}
		if i == len(batches)-1 {
			asked = want
		}
		if len(part.of) == 0 && asked.Max == 0 && len(asked.Pass) == 0 {
			continue
		}
		found, err := b.applyBatch(ctx, now, part, asked)
		if err != nil && i > 0 {
			return applied, fmt.Errorf("apply, after a part of it took effect: %v", err) // not refused as a whole
		}
		if err != nil {
			return broker.Applied{}, fmt.Errorf("apply: %w", err)
		}
		for _, r := range found.refused {
			at := part.of[r.change]
			applied.Outcomes[at] = b.outcome(changes[at].Home, r.words)
		}
		applied.Leases, applied.Parked = found.leases, found.parked
	}
	return applied, nil
}

// batches packs changes for the script. One that is malformed, or too large to
// be stored, gets its outcome here. There is at least one batch.
func (b *world) batches(now time.Time, changes []broker.Change, outcomes []error) []*batch {
	part := &batch{}
	part.b = make([]byte, 0, min(usualPart*len(changes), scriptBytes))
	batches := []*batch{part}
	for i, c := range changes {
		began := len(part.b)
		values, err := b.pack(&part.packer, now, c)
		if err != nil {
			outcomes[i] = err
			continue
		}
		if began > 0 && (part.parts+c.Parts() > scriptParts || len(part.b) > scriptBytes) {
			next := &batch{}
			next.b = append(next.b, part.b[began:]...)
			part.b = part.b[:began]
			part, began = next, 0
			batches = append(batches, part)
		}
		part.add(i, c, began, values)
	}
	return batches
}

// add notes that the i-th change was packed, which began there and consists of so
// many values.
func (p *batch) add(i int, c broker.Change, began, values int) {
	if p.values+values > argumentValues && began > 0 {
		p.cuts, p.values = append(p.cuts, began), 0
	}
	p.values += values
	p.of = append(p.of, i)
	p.parts += c.Parts()
	p.needs.of(c)
	for _, s := range c.Settle {
		p.queues.add(s.Entry.Queue)
	}
	for _, m := range c.Move {
		p.queues.add(m.Queue)
	}
	for _, r := range c.Replace {
		p.queues.add(r.Entry.Queue)
	}
	for _, w := range c.Watch {
		p.queues.add(w.Queue)
	}
	for _, e := range c.Enqueue {
		p.queues.add(e.Queue)
	}
	if !c.Home.IsZero() {
		p.queues.add(c.Home.Queue)
	}
}

// found is the answer of the script.
type found struct {
	refused []refused
	leases  []broker.Lease
	parked  []broker.Parked
}

// A refused change is one that a word and its arguments say did not take effect.
type refused struct {
	change int
	words  []any
}

// applyBatch applies p and leases what is wanted. Entries that turn out not to
// be readable are parked, and others leased in their place.
func (b *world) applyBatch(ctx context.Context, now time.Time, p *batch, want broker.LeaseRequest) (found, error) {
	answer, err := b.applyOnce(ctx, now, p, want)
	if err != nil {
		return found{}, err
	}
	all := answer.found
	for tries := 0; len(answer.unreadable) > 0 && tries < 10; tries++ {
		want.Max, want.Pass = want.Max-len(answer.leases), nil
		parked := answer.unreadable
		answer, err = b.applyOnce(ctx, now, b.parking(parked), want)
		if err != nil {
			b.log.WarnContext(ctx, "unreadable entries not parked yet", "entries", len(parked), "err", err)
			break
		}
		for _, u := range parked {
			all.parked = append(all.parked, u.Parked)
		}
		all.leases = append(all.leases, answer.leases...)
		all.parked = append(all.parked, answer.parked...)
	}
	return all, nil
}

// arguments appends to args what p was packed as.
func (p *batch) arguments(args []any) []any {
	began := 0
	for _, cut := range p.cuts {
		args = append(args, p.b[began:cut])
		began = cut
	}
	if len(p.b) > began {
		args = append(args, p.b[began:])
	}
	return args
}

// parking returns the changes that archive unreadable entries as they are.
func (b *world) parking(unreadable []unreadable) *batch {
	p := &batch{needs: needs{leases: true}}
	for i, u := range unreadable {
		began := len(p.b)
		p.int(1)
		p.text(u.Queue)
		p.text(u.ID)
		p.text(u.token)
		p.text("parked")
		o := p.object()
		if u.group != "" {
			o.field("group").text(u.group)
			p.needs.others = true
		}
		o.orNo()
		p.no()
		p.int(0)
		p.no()
		p.add(i, broker.Change{}, began, settlementValues+3)
		p.queues.add(u.Queue)
	}
	return p
}

// applyOnce makes one call of the script, and hears its answer.
func (b *world) applyOnce(ctx context.Context, now time.Time, p *batch, want broker.LeaseRequest) (answer, error) {
	sequence, low, renew := b.sequences.begin()
	defer b.sequences.end(sequence)

	var request any = ""
	stem := ""
	asks := want.Max > 0 && len(want.Queues) > 0
	if asks || len(want.Pass) > 0 {
		p.needs.leases = true
		stem = b.stem(sequence, now)
		request = b.packRequest(want, stem)
		for _, q := range want.Queues {
			p.queues.add(q.Queue)
		}
		for _, w := range want.Pass {
			queue, _ := w.OfGroups()
			p.queues.add(queue)
		}
	}
	keys := append(make([]string, 0, 2+len(p.queues.all)), b.registry(), b.answers())
	for _, queue := range p.queues.all {
		keys = append(keys, b.keys.queue(queue))
	}
	args := p.arguments(append(b.common(now), b.day.of(now), sequence, low, renew, request))
	p.needs.apart = p.needs.apart || b.kept > 0
	reply, err := b.ask(ctx, p.needs.script(), asks, keys, args)
	if err != nil {
		return answer{}, err
	}
	b.sequences.answered(renew)
	return b.hear(ctx, reply, stem, broker.CeilSecond(want.Until), len(p.of) == 0)
}

// stem is what the tokens begin with that a call makes at now. They are made of the
// caller, the sequence and a number, so that none is ever made again, and say when:
// only the few leases that run out are asked for it.
func (b *world) stem(sequence int64, now time.Time) string {
	return b.caller + ":" + strconv.FormatInt(sequence, 10) + ":" + strconv.FormatInt(millis(now), 36) + ":"
}

// packRequest packs want for the script.
func (b *world) packRequest(want broker.LeaseRequest, stem string) []byte {
	p := &packer{}
	r := p.object()
	r.field("max").int(int64(want.Max))
	r.field("ends").text(strconv.FormatInt(broker.CeilSecond(b.clock.at(want.Until)).Unix(), 10))
	r.field("stem").text(stem)
	r.field("queues").list(len(want.Queues))
	for _, q := range want.Queues {
		p.list(2)
		p.text(q.Queue)
		p.int(int64(q.First))
	}
	r.field("pass").list(len(want.Pass))
	for _, w := range want.Pass {
		if w.At.IsZero() {
			p.list(1)
			p.text(w.Queue)
			continue
		}
		p.list(2)
		p.text(w.Queue)
		p.int(millis(b.clock.at(w.At)))
	}
	return p.b
}

// outcome translates what the script says of a refused change of home.
func (b *world) outcome(home broker.Home, words []any) error {
	word := textAt(words, 0)
	switch word {
	case "LEASE_LOST":
		return broker.LeaseLost(broker.EntryRef{Queue: textAt(words, 1), ID: textAt(words, 2)})
	case "CONFLICT":
		d := document(textAt(words, 1), words[2], words[3])
		return &broker.ConflictError{Home: home, Document: d}
	case "QUOTA":
		return &broker.QuotaError{Home: home, Bytes: numberAt(words, 1), Quota: numberAt(words, 2)}
	case "EXISTS":
		return &broker.ExistsError{Entry: broker.EntryRef{Queue: textAt(words, 1), ID: textAt(words, 2)}}
	case "NO_ENTRY":
		return broker.EntryNotFound(broker.EntryRef{Queue: textAt(words, 1), ID: textAt(words, 2)})
	case "CHANGED":
		return broker.EntryChanged(broker.EntryRef{Queue: textAt(words, 1), ID: textAt(words, 2)})
	case "STATE":
		state, _ := task.ParseState(textAt(words, 3))
		ref := broker.EntryRef{Queue: textAt(words, 1), ID: textAt(words, 2)}
		return &broker.StateError{Entry: ref, State: state, Frozen: textAt(words, 4) == "1"}
	case "LATCH_EXISTS":
		return &broker.ExistsError{Latch: textAt(words, 1)}
	case "NO_LATCH":
		return broker.LatchNotFound(home, textAt(words, 1))
	case "CLAIMED":
		ref := broker.EntryRef{Queue: textAt(words, 1), ID: textAt(words, 2)}
		key := strings.TrimPrefix(textAt(words, 3), b.keys.claims(ref.Queue))
		return &broker.ClaimedError{Entry: ref, Key: key, Holder: textAt(words, 4)}
	case "ERROR":
		return fmt.Errorf("storage is damaged: %s", textAt(words, 1))
	}
	return fmt.Errorf("unexpected answer %v", words)
}

// encode returns e's message.
func (b *world) encode(e broker.Entry) ([]byte, error) { return wire.EncodeEntry(e, b.keys.claim(e)) }

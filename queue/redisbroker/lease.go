package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// An answer is what the apply script said.
type answer struct {
	found
	unreadable []unreadable
}

// An unreadable entry was leased, alone or in a batch of a group, and cannot be
// decoded.
type unreadable struct {
	broker.Parked
	token, group string
}

var errUnheard = errors.New("the call had been given up")

// hear reads the answer of lua/apply.lua to a request whose leases have tokens
// that begin with stem. Queues that are damaged are an error if nothing but leases
// was asked for.
func (b *world) hear(ctx context.Context, reply []any, stem string, until time.Time, onlyLeases bool) (answer, error) {
	if textAt(reply, 0) == "OK" && len(reply) == 1 {
		return answer{}, nil // all has taken effect, and there is nothing else to say
	}
	if textAt(reply, 0) != "OK" || len(reply) < 5 {
		return answer{}, fmt.Errorf("%w: %v", errUnheard, reply)
	}
	var a answer
	for _, r := range listAt(reply, 1) {
		words, _ := r.([]any)
		a.refused = append(a.refused, refused{int(numberAt(words, 0)) - 1, words[1:]})
	}
	leases, sinces := listAt(reply, 2), textAt(reply, 6)
	a.leases = make([]broker.Lease, 0, len(leases)/4)
	for i := 0; len(leases) >= 4; i, leases = i+1, leases[4:] {
		var since string
		since, sinces, _ = strings.Cut(sinces, " ")
		a.lease(b, leases[:4], broker.Lease{Token: stem + strconv.Itoa(i+1), Until: until, Ready: b.since(since)})
	}
	for _, p := range listAt(reply, 3) {
		words, _ := p.([]any)
		ref := broker.EntryRef{Queue: textAt(words, 0), ID: textAt(words, 1)}
		a.parked = append(a.parked, broker.Parked{EntryRef: ref, Err: fmt.Errorf("entry %s: %w", ref, broker.ErrNotFound)})
	}
	b.leave(listAt(reply, 5))
	return a, b.damage(ctx, listAt(reply, 4), onlyLeases && len(a.leases) == 0)
}

// damage tells of queues whose storage is not what it should be: as an error,
// or in the log if the call did something else.
func (b *world) damage(ctx context.Context, faults []any, asError bool) error {
	var errs []error
	for _, f := range faults {
		words, _ := f.([]any)
		errs = append(errs, fmt.Errorf("queue %s is damaged: %s", textAt(words, 0), textAt(words, 1)))
	}
	err := errors.Join(errs...)
	if err != nil && !asError {
		b.log.WarnContext(ctx, "storage is damaged", "err", err)
		return nil
	}
	return err
}

// lease adds l to a, of the entry that words are: queue, id, message and the rest. One
// that has gone since it was asked for first has no message.
func (a *answer) lease(b *world, words []any, l broker.Lease) {
	ref := broker.EntryRef{Queue: textAt(words, 0), ID: textAt(words, 1)}
	if words[2] == nil {
		return
	}
	rest := listAt(words, 3)
	e, err := b.entry(ref, textAt(words, 2), rest)
	if err != nil {
		a.unreadable = append(a.unreadable, unreadable{broker.Parked{EntryRef: ref, Err: err}, l.Token, ""})
		return
	}
	l.Entry, l.Lost = e, b.lost(textAt(rest, 6))
	for i, key := range e.Reads {
		values := listAt(rest, 5)
		l.Documents = append(l.Documents, document(key, values[2*i], values[2*i+1]))
	}
	a.leases = append(a.leases, l)
}

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

// An answer is what the apply script said.
type answer struct {
	found
	unreadable []unreadable
}

// An unreadable entry was leased and cannot be decoded.
type unreadable struct {
	broker.Parked
	token string
}

var errUnheard = errors.New("the call had been given up")

// hear reads the answer of lua/apply.lua. Queues that are damaged are an error
// if nothing but leases was asked for.
func (b *world) hear(ctx context.Context, reply []any, until time.Time, onlyLeases bool) (answer, error) {
	if textAt(reply, 0) != "OK" || len(reply) != 5 {
		return answer{}, fmt.Errorf("%w: %v", errUnheard, reply)
	}
	var a answer
	for _, r := range listAt(reply, 1) {
		words, _ := r.([]any)
		a.refused = append(a.refused, refused{int(numberAt(words, 0)) - 1, words[1:]})
	}
	for _, l := range listAt(reply, 2) {
		words, _ := l.([]any)
		a.lease(b, words, until)
	}
	for _, p := range listAt(reply, 3) {
		words, _ := p.([]any)
		ref := broker.EntryRef{Queue: textAt(words, 0), ID: textAt(words, 1)}
		a.parked = append(a.parked, broker.Parked{EntryRef: ref, Err: fmt.Errorf("entry %s: %w", ref, broker.ErrNotFound)})
	}
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

// lease adds one lease to a: queue, id, token and the entry's body.
func (a *answer) lease(b *world, words []any, until time.Time) {
	ref := broker.EntryRef{Queue: textAt(words, 0), ID: textAt(words, 1)}
	token, body := textAt(words, 2), listAt(words, 3)
	e, err := b.entry(ref, body)
	if err != nil {
		a.unreadable = append(a.unreadable, unreadable{broker.Parked{EntryRef: ref, Err: err}, token})
		return
	}
	l := broker.Lease{Entry: e, Token: token, Until: until}
	for i, key := range e.Reads {
		values := listAt(body, 4)
		l.Documents = append(l.Documents, document(key, values[2*i], values[2*i+1]))
	}
	a.leases = append(a.leases, l)
}

// entry returns the entry ref that is stored as fields: the message, and what
// of [fieldFractions], [fieldHome] and [fieldReads] it has. It returns an error
// for one that this broker would not have stored.
func (b *world) entry(ref broker.EntryRef, fields []any) (broker.Entry, error) {
	e, claim, err := wire.DecodeEntry([]byte(textAt(fields, 0)))
	if err != nil {
		return broker.Entry{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	if e.EntryRef != ref {
		return broker.Entry{}, fmt.Errorf("entry %s: its message is that of %s", ref, e.EntryRef)
	}
	wire.SetFractions(&e, textAt(fields, 1))
	if home := textAt(fields, 2); home != "" {
		e.Home = parseHome(home)
		e.Reads = strings.Fields(textAt(fields, 3))
	}
	if claim != "" {
		key, ours := strings.CutPrefix(claim, b.keys.claims(ref.Queue))
		if !ours {
			err = task.Invalid("unique key", claim, "is not one of its queue")
		}
		e.Claim.Key = key
	}
	// What passes can be settled: a settlement is checked in the same way.
	stored := broker.Settlement{Entry: e, To: broker.Archived}
	if err := errors.Join(err, broker.Change{Settle: []broker.Settlement{stored}}.Check(), checkClaim(e)); err != nil {
		return broker.Entry{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	return e, nil
}

func checkClaim(e broker.Entry) error {
	if e.Claim.Key == "" {
		return nil
	}
	return task.CheckMadeName("Claim.Key", e.Claim.Key)
}

// document returns a document from its version and body, which are nil if it
// does not exist.
func document(key string, version, body any) broker.Document {
	d := broker.Document{Key: key}
	text, _ := version.(string)
	d.Version, _ = strconv.ParseInt(text, 10, 64)
	if s, ok := body.(string); ok && d.Version > 0 {
		d.Body = []byte(s)
	}
	return d
}

// textAt, numberAt and listAt return the i-th value of a reply, or nothing if
// it is of another kind.
func textAt(reply []any, i int) string {
	if i < len(reply) {
		if s, ok := reply[i].(string); ok {
			return s
		}
	}
	return ""
}

func numberAt(reply []any, i int) int64 {
	if i < len(reply) {
		switch n := reply[i].(type) {
		case int64:
			return n
		case string:
			v, _ := strconv.ParseInt(n, 10, 64)
			return v
		}
	}
	return 0
}

func listAt(reply []any, i int) []any {
	if i < len(reply) {
		if l, ok := reply[i].([]any); ok {
			return l
		}
	}
	return nil
}

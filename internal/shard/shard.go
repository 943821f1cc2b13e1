// Package shard makes one broker of several, its worlds: each is a whole storage
// of its own, and a change takes effect in one of them. A [Layout] says in which
// world what lies. There are two: a thing lies where its name's hash has it
// ([Hashed]), or each queue is a world.
//
// # What is kept, and what is not
//
// All rules of package broker hold within a world. Between worlds there is no
// commit, no order, and no sight of each other:
//
//   - A change about things that lie apart is refused ([broker.ErrApart]).
//   - Entries are leased from the worlds in turn: the order in which they became
//     ready holds for those of one world, and so do the shares of a request.
//   - Of several changes in one call, those in one world are taken in order.
//   - With hashes, an id is unique in its world. Most ids have one world in
//     which they can come to lie, so that this says little; it says something of
//     ids that are used with different claims or groups.
//   - If one world does not answer, a call fails although it took effect in
//     others. Such an error does not match [broker.ErrRefused].
package shard

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/leatwork/leat/queue/broker"
)

// A World is one of several brokers of which one is made.
type World interface {
	broker.Broker
	broker.Operator
	broker.Listener
	broker.Verifier
	broker.Mender
	broker.Streamer
}

// A Broker is several worlds that act as one.
type Broker struct {
	layout   Layout
	turn     atomic.Uint64 // of whom is asked first
	archives archives
}

var _ World = (*Broker)(nil)

// New returns the broker that the worlds of layout make.
func New(layout Layout) *Broker { return &Broker{layout: layout} }

// Ping implements [broker.Broker]. All worlds must answer.
func (b *Broker) Ping(ctx context.Context) error {
	names, err := b.layout.All(ctx)
	if err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	_, err = ask(b, names, func(w World) (struct{}, error) { return struct{}{}, w.Ping(ctx) })
	return err
}

// Close implements [broker.Broker].
func (b *Broker) Close() error { return b.layout.Close() }

// ask calls f with each of the worlds at once, and returns what it returned, in
// their order, and the first error.
func ask[T any](b *Broker, names []string, f func(World) (T, error)) ([]T, error) {
	answers, errs := parallel(names, func(name string) (T, error) { return f(b.layout.World(name)) })
	for _, err := range errs {
		if err != nil {
			return answers, err
		}
	}
	return answers, nil
}

// parallel calls f with each of names at once.
func parallel[T any](names []string, f func(string) (T, error)) ([]T, []error) {
	answers, errs := make([]T, len(names)), make([]error, len(names))
	if len(names) == 1 {
		answers[0], errs[0] = f(names[0])
		return answers, errs
	}
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { answers[i], errs[i] = f(name) })
	}
	all.Wait()
	return answers, errs
}

// inTurn returns names, beginning with another one at each call.
func (b *Broker) inTurn(names []string) []string {
	if len(names) < 2 {
		return names
	}
	first := int(b.turn.Add(1) % uint64(len(names)))
	turned := make([]string, 0, len(names))
	return append(append(turned, names[first:]...), names[:first]...)
}

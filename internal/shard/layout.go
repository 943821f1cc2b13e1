package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Layout says in which world what lies. Worlds have names.
type Layout interface {
	// World returns the world with that name, which the layout gave.
	World(name string) World

	// All names all worlds in which something may lie, in their order.
	All(ctx context.Context) ([]string, error)

	// Queues names all queues.
	Queues(ctx context.Context) ([]string, error)

	// Of names the worlds in which entries of a queue may lie, in their order.
	Of(queue string) []string

	// Ordered reports whether each queue lies in one world, so that what is done
	// to several can be done in their order.
	Ordered() bool

	// Home names the world of a home.
	Home(h broker.Home) string

	// Entry names the world in which an entry comes to lie.
	Entry(e broker.Entry) string

	// Stays reports whether an entry stays in the world of the change that adds
	// it, if other things have brought that there.
	Stays(e broker.Entry) bool

	// Find names the world in which an entry most likely lies, and whether it
	// lies there if it exists.
	Find(ref broker.EntryRef) (name string, certain bool)

	// Group names the world in which most likely a group lies.
	Group(queue, group string) string

	// Mark returns the token of a world as a caller gets it.
	Mark(name, token string) string

	// Unmark names the world of an entry's token, and returns it as that gave it.
	Unmark(ref broker.EntryRef, token string) (name, bare string, ok bool)

	// Server names the world that keeps the record of a server or scheduler, or what
	// a periodic entry has enqueued.
	Server(id string) string

	// Servers names the worlds that keep any.
	Servers() []string

	// Ears names the worlds that have to be listened to, or asked for events, to
	// hear of all.
	Ears() []string

	// Rule says what must lie together.
	Rule() string

	// Close closes the worlds.
	Close() error
}

// Hashed is the layout of a namespace that is divided into worlds of one kind.
// A thing lies in the world that the hash of a name has:
//
//   - of a home, the root of its id, which is what stands before the first ~;
//   - of an entry whose id was made and has a root, that; unless it is added by a
//     change that is about something else, too: it stays in the world of that;
//   - of another entry, its home's, or else its claim's key, its group's name, or
//     its id.
//
// The hash is FNV-1a of 64 bits, and is taken modulo the number of worlds.
type Hashed struct {
	worlds map[string]World
	names  []string
}

var _ Layout = (*Hashed)(nil)

// NewHashed returns the layout of worlds, of which there are at least one and at
// most 99. Their order decides where things lie.
func NewHashed(worlds ...World) *Hashed {
	h := &Hashed{worlds: make(map[string]World, len(worlds))}
	for i, w := range worlds {
		name := fmt.Sprintf("%02d", i)
		h.names = append(h.names, name)
		h.worlds[name] = w
	}
	return h
}

// Hash returns the hash of name among n.
func Hash(name string, n int) int {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return int(h % uint64(n))
}

func (h *Hashed) of(name string) string { return h.names[Hash(name, len(h.names))] }

// rootOf returns the root of an id, and whether it is one of an id that was made.
func rootOf(id string) (root string, made bool) {
	root, _, made = strings.Cut(id, string(task.Joint))
	return root, made
}

// World implements [Layout].
func (h *Hashed) World(name string) World { return h.worlds[name] }

// All implements [Layout].
func (h *Hashed) All(context.Context) ([]string, error) { return h.names, nil }

// Queues implements [Layout].
func (h *Hashed) Queues(ctx context.Context) ([]string, error) {
	all, errs := parallel(h.names, func(name string) ([]string, error) { return h.worlds[name].Queues(ctx) })
	queues := slices.Concat(all...)
	slices.Sort(queues)
	return slices.Compact(queues), errors.Join(errs...)
}

// Of implements [Layout]: any may hold some.
func (h *Hashed) Of(string) []string { return h.names }

// Ordered implements [Layout].
func (h *Hashed) Ordered() bool { return len(h.names) == 1 }

// Home implements [Layout].
func (h *Hashed) Home(home broker.Home) string {
	root, _ := rootOf(home.ID)
	return h.of(root)
}

// Entry implements [Layout].
func (h *Hashed) Entry(e broker.Entry) string {
	root, made := rootOf(e.ID)
	switch {
	case made:
		return h.of(root)
	case !e.Home.IsZero():
		return h.Home(e.Home)
	case e.Claim.Key != "":
		return h.of(e.Claim.Key)
	case e.Group != "":
		return h.of(e.Group)
	}
	return h.of(e.ID)
}

// Stays implements [Layout]: what was made does.
func (h *Hashed) Stays(e broker.Entry) bool {
	_, made := rootOf(e.ID)
	return made
}

// Find implements [Layout].
func (h *Hashed) Find(ref broker.EntryRef) (string, bool) {
	root, _ := rootOf(ref.ID)
	return h.of(root), len(h.names) == 1
}

// Group implements [Layout].
func (h *Hashed) Group(_, group string) string { return h.of(group) }

// mark stands between a world's name and its token. No name contains it.
const mark = "|"

// Mark implements [Layout].
func (h *Hashed) Mark(name, token string) string { return name + mark + token }

// Unmark implements [Layout].
func (h *Hashed) Unmark(_ broker.EntryRef, token string) (name, bare string, ok bool) {
	name, bare, _ = strings.Cut(token, mark)
	return name, bare, h.worlds[name] != nil
}

// Server implements [Layout].
func (h *Hashed) Server(id string) string { return h.of(id) }

// Servers implements [Layout].
func (h *Hashed) Servers() []string { return h.names }

// Ears implements [Layout].
func (h *Hashed) Ears() []string { return h.names }

// Rule implements [Layout].
func (h *Hashed) Rule() string { return "everything of one change must stay within one shard" }

// Close implements [Layout].
func (h *Hashed) Close() error {
	var errs []error
	for _, name := range h.names {
		errs = append(errs, h.worlds[name].Close())
	}
	return errors.Join(errs...)
}

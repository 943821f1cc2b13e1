package metrics

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// other is what stands for names that are too many.
const other = "other"

// A key is what series are told apart by. One of the two may be empty.
type key struct{ queue, name string }

// A table keeps what belongs to keys: to as many as there is room for, so that no
// names can make it grow without end. Those who look up what it has wait for nobody.
type table[V any] struct {
	room  int
	build func(key) V
	known atomic.Pointer[map[key]V]
	mu    sync.Mutex // held by who adds to it
}

func newTable[V any](room int, build func(key) V) *table[V] {
	t := &table[V]{room: room, build: build}
	t.known.Store(&map[key]V{})
	return t
}

// of returns what belongs to k, or if there is no room for that, to all others of its
// queue, or if there are twice as many, to all others.
func (t *table[V]) of(k key) V {
	if v, ok := t.own(k, t.room); ok {
		return v
	}
	if k.name = orOther(k.name); k.queue != "" {
		if v, ok := t.own(k, 2*t.room); ok {
			return v
		}
		k.queue = other
	}
	v, _ := t.own(k, 2*t.room+1)
	return v
}

func orOther(name string) string {
	if name == "" {
		return ""
	}
	return other
}

// own returns what belongs to k itself, if the table has it or fewer than room.
func (t *table[V]) own(k key, room int) (v V, ok bool) {
	known := *t.known.Load()
	if v, ok = known[k]; ok || len(known) >= room {
		return v, ok
	}
	return t.add(k, room)
}

func (t *table[V]) add(k key, room int) (v V, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := *t.known.Load()
	if v, ok = known[k]; ok || len(known) >= room {
		return v, ok
	}
	k = key{strings.Clone(k.queue), strings.Clone(k.name)} // which may be part of a message
	v = t.build(key{strings.ToValidUTF8(k.queue, "?"), strings.ToValidUTF8(k.name, "?")})
	grown := maps.Clone(known)
	grown[k] = v
	t.known.Store(&grown)
	return v, true
}

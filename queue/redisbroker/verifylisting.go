package redisbroker

import (
	"context"
	"strings"

	"github.com/leatwork/leat/queue/broker"
)

// terms returns the terms that a home notes of its listing.
func (v *verifier) terms(home broker.Home, packed string) []string {
	value, err := unpack([]byte(packed))
	list, ok := value.([]any)
	if empty, isMap := value.(map[string]any); isMap && len(empty) == 0 {
		ok = true // Lua does not tell them apart
	}
	if err != nil || !ok {
		v.fault("the terms of %s cannot be read", home)
	}
	var terms []string
	for i := range list {
		terms = append(terms, textAt(list, i))
	}
	return terms
}

// listings checks that the homes beside a queue are in the sets of their terms and
// in that of all, at the same time, and that nothing else is. Sets are named by ":"
// and the term.
func (v *verifier) listings(ctx context.Context, queue string, sets []string, terms map[string][]string) error {
	m := membership{sets: make(map[string]map[string]float64)}
	for _, name := range sets {
		if err := v.readSet(ctx, v.b.keys.listed(queue, strings.TrimPrefix(name, ":")), name, m); err != nil {
			return err
		}
	}
	wanted := make(map[string]map[string]bool)
	want := func(set, id string) {
		if wanted[set] == nil {
			wanted[set] = make(map[string]bool)
		}
		wanted[set][id] = true
		at, ok := m.sets[set][id]
		if !ok || at != m.sets[""][id] {
			v.mendable(remedy{"listed", queue, id, strings.TrimPrefix(set, ":")}, "home %s/%s is not listed in %q when it is in that of all", queue, id, set)
		}
	}
	for id, of := range terms {
		want("", id)
		for _, term := range of {
			want(":"+term, id)
		}
	}
	for set, ids := range m.sets {
		for id := range ids {
			if !wanted[set][id] {
				v.mendable(remedy{"listed", queue, id, strings.TrimPrefix(set, ":")}, "home %s/%s is listed in %q and does not know", queue, id, set)
			}
		}
	}
	return nil
}

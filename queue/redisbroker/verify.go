package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// scanCount is how many keys one SCAN looks at.
const scanCount = 1000

// Verify implements [broker.Verifier]. It reads all keys under the prefix, a
// page at a time, and keeps the ids of all entries in memory.
//
// What asynq alone may have left behind is reported too: a claim that a deleted
// queue's entry holds, for example.
func (b *world) Verify(ctx context.Context, _ time.Time) ([]string, error) {
	faults, err := b.faults(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	var sentences []string
	for _, f := range faults {
		sentences = append(sentences, f.sentence)
	}
	return sentences, nil
}

// faults returns what contradicts the rules, in order of its sentences.
func (b *world) faults(ctx context.Context) ([]fault, error) {
	v := &verifier{b: b, queues: make(map[string]*queueKeys), open: make(map[broker.Home]map[broker.EntryRef]bool)}
	if err := v.scan(ctx); err != nil {
		return nil, refusal(err)
	}
	registered, err := b.client.SMembers(ctx, b.keys.queues()).Result()
	if err != nil {
		return nil, refusal(err)
	}
	for name, q := range v.queues {
		if len(q.entries) > 0 && !slices.Contains(registered, name) {
			v.mendable(remedy{"register", name, q.entries[0], ""}, "queue %s holds entries and is not registered", name)
		}
		if err := v.queue(ctx, name, q); err != nil {
			return nil, fmt.Errorf("queue %s: %w", name, refusal(err))
		}
	}
	if err := v.openEntries(ctx); err != nil {
		return nil, fmt.Errorf("what is open of homes: %w", refusal(err))
	}
	for name, q := range v.queues {
		if err := v.homes(ctx, name, q); err != nil {
			return nil, fmt.Errorf("homes beside %s: %w", name, refusal(err))
		}
	}
	slices.SortFunc(v.faults, func(x, y fault) int { return strings.Compare(x.sentence, y.sentence) })
	return v.faults, nil
}

// A verifier collects what is wrong.
type verifier struct {
	b      *world
	queues map[string]*queueKeys
	open   map[broker.Home]map[broker.EntryRef]bool // by their states
	faults []fault
}

// queueKeys are the keys of one queue, by what they hold, without the part of
// their names that says so.
type queueKeys struct {
	entries []string // ids
	claims  []string
	behind  []string // claims that somebody waits behind
	runs    []string // ids of homes
	latches []string // "home|latch"
	opens   []string // ids of homes of which something is open
	listed  []string // ":" and the term that homes are listed with, or "" for all
	groups  []string // groups and the sets that are being folded
}

// fault notes something for which there is no plain remedy, mendable something for
// which there is one.
func (v *verifier) fault(format string, args ...any) { v.mendable(remedy{}, format, args...) }

func (v *verifier) mendable(r remedy, format string, args ...any) {
	v.faults = append(v.faults, fault{fmt.Sprintf(format, args...), r})
}

// scan finds all keys of queues.
func (v *verifier) scan(ctx context.Context) error {
	c, err := v.b.scanner(ctx)
	if err != nil {
		return err
	}
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		names, next, err := c.Scan(ctx, cursor, v.b.pattern(), scanCount).Result()
		if err != nil {
			return err
		}
		cursor = next
		for _, name := range names {
			v.sort(strings.TrimPrefix(name, string(v.b.keys)+":"))
		}
	}
	for _, q := range v.queues { // SCAN may return a key twice
		for _, names := range []*[]string{&q.entries, &q.claims, &q.behind, &q.runs, &q.latches, &q.opens, &q.listed, &q.groups} {
			slices.Sort(*names)
			*names = slices.Compact(*names)
		}
	}
	return nil
}

// sort puts the name of a key, without the prefix, where it belongs.
func (v *verifier) sort(name string) {
	if !strings.HasPrefix(name, "{") {
		return
	}
	queue, rest, ok := strings.Cut(name[1:], "}:")
	if !ok {
		return
	}
	q := v.queues[queue]
	if q == nil {
		q = &queueKeys{}
		v.queues[queue] = q
	}
	for _, kind := range []struct {
		begin string
		names *[]string
	}{
		{"t:", &q.entries},
		{"unique:", &q.claims},
		{"leat:behind:", &q.behind},
		{"leat:run:", &q.runs},
		{"leat:latch:", &q.latches},
		{"leat:open:", &q.opens},
		{"leat:listed", &q.listed},
		{"g:", &q.groups},
	} {
		if id, ok := strings.CutPrefix(rest, kind.begin); ok {
			*kind.names = append(*kind.names, id)
			return
		}
	}
}

// each reads something of every one of names, many in one trip, and hands the
// replies to judge.
func each[C any](ctx context.Context, v *verifier, names []string, read func(redis.Pipeliner, string) C, judge func(string, C)) error {
	for some := range slices.Chunk(names, scanCount) {
		replies := make([]C, len(some))
		_, err := v.b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, name := range some {
				replies[i] = read(p, name)
			}
			return nil
		})
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		for i, name := range some {
			judge(name, replies[i])
		}
	}
	return nil
}

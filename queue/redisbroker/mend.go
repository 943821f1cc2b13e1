package redisbroker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A fault is something that contradicts the rules, and what may put it right.
type fault struct {
	sentence string
	remedy   remedy // zero: there is none
}

// A remedy is one of those in lua/lib/remedy*.lua, and what it is about: the storage
// of a queue, and two names in it.
type remedy struct{ kind, queue, one, other string }

// mendsAtOnce is how many remedies one script tries.
const mendsAtOnce = 100

// mendRounds is how often Mend looks for more: what a remedy does may be a fault of
// another kind, as that a batch which has lost its last member is empty.
const mendRounds = 4

var _ broker.Mender = (*Broker)(nil)

// Mend implements [broker.Mender].
func (b *world) Mend(ctx context.Context, now time.Time, dry bool) ([]broker.Mended, error) {
	var all []broker.Mended
	var left []fault
	for range mendRounds {
		faults, mended, err := b.mendOnce(ctx, now, dry)
		all, left = append(all, mended...), faults
		if err != nil {
			return all, fmt.Errorf("mend: %w", err)
		}
		if dry || len(mended) == 0 {
			break
		}
	}
	standing, err := b.standing(ctx, left)
	return append(all, standing...), err
}

// mendOnce tries a remedy for each fault, and returns those that are left and those
// that were mended.
func (b *world) mendOnce(ctx context.Context, now time.Time, dry bool) (left []fault, mended []broker.Mended, err error) {
	faults, err := b.faults(ctx)
	if err != nil {
		return nil, nil, err
	}
	byQueue := make(map[string][]fault)
	for _, f := range faults {
		if f.remedy.kind == "" {
			left = append(left, f)
			continue
		}
		byQueue[f.remedy.queue] = append(byQueue[f.remedy.queue], f)
	}
	for queue, of := range byQueue {
		for some := range slices.Chunk(of, mendsAtOnce) {
			done, err := b.mend(ctx, now, dry, queue, some)
			if err != nil {
				return nil, mended, err
			}
			for i, f := range some {
				if done[i] == "" {
					left = append(left, f) // or is none any more: standing finds out
				} else {
					mended = append(mended, broker.Mended{Fault: f.sentence, Done: done[i]})
				}
			}
		}
	}
	slices.SortFunc(mended, bySentence)
	return left, mended, nil
}

// mend tries the remedies of faults of one queue, in one commit, and returns what
// each has done.
func (b *world) mend(ctx context.Context, now time.Time, dry bool, queue string, faults []fault) ([]string, error) {
	args := append(b.common(b.clock.at(now)), queue, "")
	if dry {
		args[len(args)-1] = "1"
	}
	for _, f := range faults {
		args = append(args, f.remedy.kind, f.remedy.one, f.remedy.other)
	}
	reply, err := b.run(ctx, mendScript, []string{b.registry(), b.keys.queue(queue)}, args...).Slice()
	if err != nil {
		return nil, fmt.Errorf("queue %s: %w", queue, refusal(err))
	}
	b.leave(listAt(reply, 1))
	done := make([]string, len(faults))
	for i, f := range faults {
		done[i] = textAt(listAt(reply, 0), i)
		if f.remedy.kind == "register" && done[i] != "" && !dry && b.only != "" {
			if err := b.client.SAdd(ctx, b.keys.queues(), queue).Err(); err != nil { // it lies in another slot
				return nil, fmt.Errorf("register queue %s: %w", queue, refusal(err))
			}
		}
	}
	return done, nil
}

func bySentence(x, y broker.Mended) int { return strings.Compare(x.Fault, y.Fault) }

// standing returns those of faults that are found again, none of them mended: what was
// on its way when it was seen is not.
func (b *world) standing(ctx context.Context, faults []fault) ([]broker.Mended, error) {
	if len(faults) == 0 {
		return nil, nil
	}
	again, err := b.Verify(ctx, atNoTime)
	if err != nil {
		return nil, fmt.Errorf("mend: %w", err)
	}
	var left []broker.Mended
	for _, f := range faults {
		if _, found := slices.BinarySearch(again, f.sentence); found {
			left = append(left, broker.Mended{Fault: f.sentence})
		}
	}
	slices.SortFunc(left, bySentence)
	return left, nil
}

// Mend implements [broker.Mender]: queues mend that they are registered.
func (r *register) Mend(context.Context, time.Time, bool) ([]broker.Mended, error) { return nil, nil }

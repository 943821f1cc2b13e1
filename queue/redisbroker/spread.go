package redisbroker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// A spread is a storage of several worlds whose queues' wakes lie elsewhere.
type spread struct {
	storage
	of     *world   // whose client, clock and leaver are those of all
	worlds []*world // in which entries of a queue lie, by their prefixes
}

func (b *world) spread(s storage, worlds ...*world) *spread {
	go b.leaver.run()
	return &spread{storage: s, of: b, worlds: worlds}
}

// Close implements [broker.Broker].
func (s *spread) Close() error {
	err := s.storage.Close()
	s.of.leaver.close()
	return err
}

// Apply implements [broker.Broker].
func (s *spread) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if err := want.Check(); err != nil {
		return broker.Applied{}, fmt.Errorf("apply: %w", err)
	}
	passed := want.Pass
	want.Pass = nil
	done, err := s.storage.Apply(ctx, now, changes, want)
	if err != nil {
		return done, err
	}
	for _, w := range passed {
		switch {
		case !w.At.IsZero():
			s.of.leaver.leave(w.Queue, pair{due: millis(s.of.clock.at(w.At))})
		case s.hasMore(ctx, w, want, len(done.Leases)):
			s.of.leaver.leave(w.Queue, pair{ready: true})
		}
	}
	return done, nil
}

// hasMore reports whether what w, which is of no time, says may still be so.
func (s *spread) hasMore(ctx context.Context, w broker.Wake, want broker.LeaseRequest, got int) bool {
	if queue, ok := w.OfGroups(); ok {
		return s.hasGroups(ctx, queue)
	}
	return s.mayHoldReady(ctx, w.Queue, want, got)
}

func (s *spread) hasGroups(ctx context.Context, queue string) bool {
	sizes := make([]*redis.IntCmd, len(s.worlds))
	_, err := s.of.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, w := range s.worlds {
			sizes[i] = p.SCard(ctx, w.keys.groups(queue))
		}
		return nil
	})
	return err != nil || slices.ContainsFunc(sizes, func(size *redis.IntCmd) bool { return size.Val() > 0 })
}

// mayHoldReady reports whether there may be ready entries in a queue of which, with
// others, so many have been leased as got says.
func (s *spread) mayHoldReady(ctx context.Context, queue string, want broker.LeaseRequest, got int) bool {
	if got < want.Max && slices.ContainsFunc(want.Queues, func(q broker.Share) bool { return q.Queue == queue }) {
		return false // it has none, or is paused
	}
	lengths, paused := make([]*redis.IntCmd, len(s.worlds)), make([]*redis.IntCmd, len(s.worlds))
	_, err := s.of.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, w := range s.worlds {
			lengths[i], paused[i] = p.LLen(ctx, w.keys.pending(queue)), p.Exists(ctx, w.keys.paused(queue))
		}
		return nil
	})
	if err != nil {
		return true
	}
	for i := range s.worlds {
		if lengths[i].Val() > 0 && paused[i].Val() == 0 {
			return true
		}
	}
	return false
}

// Remove implements [broker.Operator].
func (s *spread) Remove(ctx context.Context, now time.Time, queue string, force bool) error {
	if err := s.storage.Remove(ctx, now, queue, force); err != nil {
		return err
	}
	if err := s.of.leaver.forget(ctx, queue); err != nil {
		return fmt.Errorf("remove the wakes of %s: %w", queue, err)
	}
	return nil
}

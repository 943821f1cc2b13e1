package redisbroker

import (
	"context"
	"sync/atomic"
	"time"
)

// skewWarned is how far a clock may be off before an operator hears of it.
const skewWarned = time.Second

// slowAnswer is how long the server may take to tell the time. Half of it is
// how wrong the offset may be; an answer that takes longer is left aside.
const slowAnswer = 500 * time.Millisecond

// A clock corrects the time of this machine by the server's: the now of calls,
// and the ends of leases, which are meant from now on. Times at which something
// is to happen are not touched.
type clock struct {
	off    bool
	offset atomic.Int64 // the server's time less ours, in nanoseconds
}

// at returns now by the server's clock.
func (c *clock) at(now time.Time) time.Time { return now.Add(time.Duration(c.offset.Load())) }

// correct takes in a measurement of the offset that may be wrong by as much as
// doubt. One that does not contradict the offset in use changes nothing: on the
// server's own machine that stays 0, and no task is early by a guess.
func (c *clock) correct(offset, doubt time.Duration) {
	if inUse := time.Duration(c.offset.Load()); (offset - inUse).Abs() > doubt {
		c.offset.Store(int64(offset))
	}
}

// measure asks the server for the time. The answer is taken to be from halfway
// between question and answer, so the error is half a round trip.
func (b *world) measure(ctx context.Context) error {
	if b.clock.off {
		return nil
	}
	asked := time.Now()
	theirs, err := b.client.Time(ctx).Result()
	if err != nil && isReply(err) {
		b.log.DebugContext(ctx, "redis does not tell the time", "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	took := time.Since(asked)
	if took > slowAnswer {
		return nil
	}
	offset := theirs.Sub(asked.Add(took / 2))
	b.clock.correct(offset, took/2)
	if offset.Abs() > skewWarned {
		b.log.WarnContext(ctx, "clock differs from redis", "by", offset)
	}
	return nil
}

// back returns t, a time by the server's clock, by ours.
func (c *clock) back(t time.Time) time.Time { return t.Add(-time.Duration(c.offset.Load())) }

package queue

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// advanceLimit is how much is advanced in one call to the broker.
const advanceLimit = 500

// advance does what time has made due in the queues of the server, and says
// when to do it again.
func (s *Server) advance(ctx context.Context) (time.Duration, error) {
	now := time.Now()
	if wait := s.timekeeper.remaining(now); wait > 0 {
		return wait, nil
	}
	s.sweeps.begins(now, s.cfg.LeaseDuration)
	wait, err := s.sweep(ctx, now)
	s.sweeps.ends(time.Now(), wait, err)
	return wait, err
}

// sweep advances the queues now, and says when to do it again.
func (s *Server) sweep(ctx context.Context, now time.Time) (time.Duration, error) {
	call, cancel := context.WithTimeout(ctx, s.cfg.LeaseDuration)
	defer cancel()
	a, err := s.broker.Advance(call, now, broker.AdvanceRequest{
		Queues: s.queues,
		Limit:  advanceLimit,
		Keep:   s.cfg.Archive.keep(),
	})
	if err != nil {
		return advanceInterval, err
	}
	awake := s.doorman.awake.Load()
	if a.Due+a.Recovered > 0 && (!awake || rand.IntN(turns) == 0) {
		s.nudge(nil)
	}
	s.cfg.reportAdvanced(ctx, a)
	most := quietInterval
	switch {
	case !awake:
		most = advanceInterval
	case len(s.doorman.withRoom()) == 0:
		most = fullInterval
	}
	return s.timekeeper.after(a, now, time.Now(), most), nil
}

// turns is how often, out of so many times, who makes entries ready looks for them
// itself. Those who wait are woken in turn, one to make an entry ready and the next to
// lease it: so an entry that comes back again and again, as one does for which only one
// of two servers has the handler, could go to the other for ever.
const turns = 4

// reportAdvanced tells what an operator should know of a.
func (c Config) reportAdvanced(ctx context.Context, a broker.Advanced) {
	if a.Recovered > 0 {
		c.Logger.WarnContext(ctx, "tasks of workers that were lost are run again", "tasks", a.Recovered)
		c.Observer.observe(ctx, c.Logger, Event{Kind: EventRecovered, Count: a.Recovered})
	}
	if a.Trimmed > 0 {
		c.Logger.WarnContext(ctx, "archived tasks were deleted: there were too many, or they were too old or too large", "tasks", a.Trimmed)
		c.Observer.observe(ctx, c.Logger, Event{Kind: EventTrimmed, Count: a.Trimmed})
	}
	if a.Returned > 0 {
		c.Logger.WarnContext(ctx, "tasks of a batch that was not settled in time are back in their group", "tasks", a.Returned)
	}
	if a.Cancelled > 0 {
		c.Logger.InfoContext(ctx, "tasks of workers that were lost were cancelled before, and are archived", "tasks", a.Cancelled)
	}
}

package queue

import (
	"context"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

const (
	// advanceLimit is how much is advanced in one call to the broker.
	advanceLimit = 500

	// advanceInterval is how long a server waits at most until it looks again
	// for what has become due: somebody else may have scheduled it meanwhile.
	advanceInterval = time.Second

	// advancePause is how long it waits at least after a call that did nothing.
	advancePause = 50 * time.Millisecond
)

// advance does what time has made due in the queues of the server, and says
// when to do it again.
func (s *Server) advance(ctx context.Context) (time.Duration, error) {
	call, cancel := context.WithTimeout(ctx, s.cfg.LeaseDuration)
	defer cancel()
	a, err := s.broker.Advance(call, time.Now(), broker.AdvanceRequest{
		Queues: s.queues,
		Limit:  advanceLimit,
		Keep:   s.cfg.Archive.keep(),
	})
	if err != nil {
		return advanceInterval, err
	}
	if a.Due+a.Recovered > 0 {
		s.nudge(nil)
	}
	s.reportAdvanced(ctx, a)
	return advanceWait(a, time.Now()), nil
}

// reportAdvanced tells what an operator should know of a.
func (s *Server) reportAdvanced(ctx context.Context, a broker.Advanced) {
	if a.Recovered > 0 {
		s.cfg.Logger.WarnContext(ctx, "tasks of workers that were lost are run again", "tasks", a.Recovered)
		s.cfg.Observer.observe(ctx, s.cfg.Logger, Event{Kind: EventRecovered, Count: a.Recovered})
	}
	if a.Trimmed > 0 {
		s.cfg.Logger.WarnContext(ctx, "archived tasks were deleted: there were too many, or they were too old or too large", "tasks", a.Trimmed)
		s.cfg.Observer.observe(ctx, s.cfg.Logger, Event{Kind: EventTrimmed, Count: a.Trimmed})
	}
	if a.Returned > 0 {
		s.cfg.Logger.WarnContext(ctx, "tasks of a batch that was not settled in time are back in their group", "tasks", a.Returned)
	}
	if a.Cancelled > 0 {
		s.cfg.Logger.InfoContext(ctx, "tasks of workers that were lost were cancelled before, and are archived", "tasks", a.Cancelled)
	}
}

// advanceWait returns how long to wait after a call that did a and ended at
// now. A broker that announces work and does none is not asked without end.
func advanceWait(a broker.Advanced, now time.Time) time.Duration {
	if a.Next.IsZero() {
		return advanceInterval
	}
	wait := min(a.Next.Sub(now), advanceInterval)
	if wait <= 0 && a.Total() == 0 {
		return advancePause
	}
	return max(wait, 0)
}

package queue

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

// historyOf returns what counts what a server does in queues, nil if nothing is to.
func (c Config) historyOf(b broker.Broker, queues []string) *history.Keeper {
	if c.NoHistory {
		return nil
	}
	return history.NewKeeper(b, queues)
}

// A scribe has what a server does written into the history, minute by minute.
type scribe struct {
	keeper *history.Keeper
	busy   func() bool // the server runs tasks
	lag    time.Duration
	minute time.Time // that is to be written
	over   bool      // it is over, and was taken
}

func newScribe(k *history.Keeper, busy func() bool) *scribe {
	now := time.Now()
	return &scribe{keeper: k, busy: busy, lag: history.Lag + rand.N(history.Spread), minute: now.Truncate(time.Minute)}
}

// keep writes until ctx ends, and then what is left, best effort.
func (s *scribe) keep(ctx context.Context, log *slog.Logger) {
	loop.Sleep(ctx, s.untilOver())
	loop.Paced(ctx, log, "write history", s.next)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endGrace/2)
	defer cancel()
	s.keeper.Take(time.Now())
	if err := s.keeper.Write(ctx, time.Now(), false); err != nil {
		log.DebugContext(ctx, "the last figures of the history could not be written", "err", err)
	}
}

// next takes a minute that is over, or writes it, and says when it is to be called again.
func (s *scribe) next(ctx context.Context) (time.Duration, error) {
	if !s.over {
		s.keeper.Take(s.minute)
		s.over = true
		return s.lag, nil
	}
	ctx, cancel := context.WithTimeout(ctx, history.Patience)
	defer cancel()
	err := s.keeper.Write(ctx, time.Now(), s.busy())
	s.minute, s.over = time.Now().Truncate(time.Minute), false
	return s.untilOver(), err
}

func (s *scribe) untilOver() time.Duration {
	return time.Until(s.minute.Add(time.Minute))
}

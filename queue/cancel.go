package queue

import (
	"context"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

// listenRetry is how soon after an interruption a server listens again.
const listenRetry = time.Second

// listen hears of tasks that are to be cancelled, until ctx ends. What it misses
// the next extension of the lease finds out.
func (s *Server) listen(ctx context.Context, l broker.Listener) {
	complaints := loop.Complaints(ctx)
	for ctx.Err() == nil {
		err := l.Listen(ctx, s.hear)
		if err != nil && ctx.Err() == nil && complaints.Allow(time.Now()) {
			s.cfg.Logger.WarnContext(ctx, "storage is not listened to", "err", err)
		}
		loop.Sleep(ctx, listenRetry)
	}
}

// hear deals with a signal, and returns at once.
func (s *Server) hear(sig broker.Signal) {
	if sig.Kind != broker.CancelSent {
		return
	}
	for _, a := range s.roster.list() {
		switch e := a.lease.Entry; {
		case e.ID != sig.Entry.ID:
		case sig.Entry.Queue == "":
			a.cancel(ErrCancelled) // as asynq does: storage knows nothing of it
		case e.Queue == sig.Entry.Queue:
			a.doubted.Store(true)
			select {
			case s.doubt <- struct{}{}:
			default: // it is about to ask
			}
		}
	}
}

// confirm asks the storage about the attempts that are said to be cancelled, about
// all of them in one call, until ctx ends.
func (s *Server) confirm(ctx context.Context) {
	complaints := loop.Complaints(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.doubt:
			doubted := slices.DeleteFunc(s.roster.list(), func(a *attempt) bool { return !a.doubted.Swap(false) })
			if len(doubted) == 0 {
				continue
			}
			if err := s.extend(ctx, doubted); err != nil && ctx.Err() == nil && complaints.Allow(time.Now()) {
				s.cfg.Logger.WarnContext(ctx, "cancelled tasks cannot be asked about", "err", err)
			}
		}
	}
}

// abort ends the handler of an attempt whose task somebody wants cancelled.
func (a *attempt) abort() {
	a.asked.Store(true)
	a.cancel(ErrCancelled)
}

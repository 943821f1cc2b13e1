package periodic

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

const (
	// beatInterval is how often a scheduler says that it is alive and what it has
	// enqueued. Nothing depends on it but what people see.
	beatInterval = 15 * time.Second

	// firstBeat is when it does so first: what it runs has been read by then.
	firstBeat = time.Second

	// farewellTime is how long a scheduler that ends takes to say so.
	farewellTime = 2 * time.Second
)

// appear says again and again that the scheduler is alive, until ctx ends.
func (s *Scheduler) appear(ctx context.Context) {
	loop.Sleep(ctx, firstBeat)
	loop.Every(ctx, s.cfg.Logger, "periodic beat", s.cfg.beat, func(ctx context.Context) error { return s.beat(ctx, false) })
}

// disappear says that the scheduler has ended.
func (s *Scheduler) disappear(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellTime)
	defer cancel()
	if err := s.beat(ctx, true); err != nil {
		s.cfg.Logger.WarnContext(ctx, "scheduler ends in silence", "err", err)
	}
}

// beat says that the scheduler is alive, or has ended, and what it has enqueued since
// the last time.
func (s *Scheduler) beat(ctx context.Context, gone bool) error {
	if fired := s.takeFired(); len(fired) > 0 {
		if err := s.broker.RecordTicks(ctx, fired...); err != nil {
			s.noteFired(fired...)
			return fmt.Errorf("record ticks: %w", err)
		}
	}
	record := broker.Scheduler{ID: s.id, Host: hostname(), PID: os.Getpid(), Entries: s.entries(), Gone: gone}
	if err := s.broker.BeatScheduler(ctx, s.now(), record); err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	return nil
}

// entries returns what is told of the entries that the scheduler runs.
func (s *Scheduler) entries() (entries []broker.PeriodicEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, r := range s.runners {
		p, _, _, doc := r.state()
		if p == nil || doc == nil {
			continue
		}
		e := broker.PeriodicEntry{
			ID: name, Spec: p.timetable.String(), Type: p.Type, Options: p.spec.Options,
			Payload: p.spec.Payload[:min(len(p.spec.Payload), broker.MaxWorkerPayload)], Prev: doc.Fired,
		}
		if doc.Paused == nil {
			e.Next = p.timetable.Next(doc.Last)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b broker.PeriodicEntry) int { return cmp.Compare(a.ID, b.ID) })
	return entries
}

// noteFired keeps what was enqueued until it is told; not more than is kept anyway.
func (s *Scheduler) noteFired(ticks ...broker.Tick) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fired = append(s.fired, ticks...)
	s.fired = s.fired[max(0, len(s.fired)-broker.MaxTicks):]
}

func (s *Scheduler) takeFired() []broker.Tick {
	s.mu.Lock()
	defer s.mu.Unlock()
	fired := s.fired
	s.fired = nil
	return fired
}

package redisbroker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// An answer that never came: if a connection breaks after a command was sent,
// it may have been executed. Each call to the apply script therefore carries a
// sequence, and the server keeps its answer, so that a repetition does nothing
// and gets it.

const (
	// repeatTime is how long a call is repeated. Answers are kept for longer.
	repeatTime = time.Minute

	// leaseGrace is how long a call that may have leased something is repeated
	// after its context has ended.
	leaseGrace = 5 * time.Second

	firstPause, longestPause = 10 * time.Millisecond, time.Second

	// renewal is how long the time for which answers are kept, ten minutes, is
	// left to run down.
	renewal = time.Minute
)

// sequences numbers the calls of one broker.
type sequences struct {
	mu   sync.Mutex
	last int64
	low  int64 // all before it have been answered or given up
	open map[int64]bool

	heard   int64     // how many have been answered
	renewed time.Time // when the answers' time began anew
}

// begin returns the sequence of a new call, the lowest one whose answer has not
// come, and 1 if the time for which answers are kept is to begin anew.
func (s *sequences) begin() (sequence, low int64, renew int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open, s.low = make(map[int64]bool), 1
	}
	s.last++
	s.open[s.last] = true
	if time.Since(s.renewed) > renewal {
		renew = 1
	}
	return s.last, s.low, renew
}

// answered says that a call has been answered that had that renew.
func (s *sequences) answered(renew int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard++
	if renew == 1 {
		s.renewed = time.Now()
	}
}

// needless reports whether answers are kept that nobody will ask for: all calls
// have been answered. A call that was given up may still be under way, and has to
// be refused when it arrives.
func (s *sequences) needless() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last > 0 && s.heard == s.last
}

// end says that a call has been answered or given up: it is not repeated.
func (s *sequences) end(sequence int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sequence)
	for s.low <= s.last && !s.open[s.low] {
		s.low++
	}
}

// ask runs a script whose answers are kept, until it has been answered. If it
// asks for leases, it is asked again even when ctx has ended: an answer that is
// not heard would leave entries with nobody.
func (b *world) ask(ctx context.Context, s script, leases bool, keys []string, args []any) ([]any, error) {
	answer, err := b.run(ctx, s, keys, args...).Slice()
	if err == nil || isReply(err) || notExecuted(err) {
		return answer, refusal(err)
	}
	if leases {
		var cancel context.CancelFunc
		ctx, cancel = outlive(ctx, leaseGrace)
		defer cancel()
	}
	ctx, cancel := context.WithTimeout(ctx, repeatTime)
	defer cancel()
	lost := err
	for pause := firstPause; wait(ctx, pause); pause = min(2*pause, longestPause) {
		answer, err := b.run(ctx, s, keys, args...).Slice()
		switch {
		case err == nil:
			return answer, nil
		case isReply(err) && !passing(err):
			return nil, fmt.Errorf("asked again after %w: %w", lost, err)
		}
	}
	return nil, fmt.Errorf("no answer: %w", lost)
}

// outlive returns a context that ends grace after ctx does.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		wait(longer, grace)
		cancel()
	})
	return longer, func() { stop(); cancel() }
}

// wait waits for d and reports whether ctx still goes on.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// started returns an error that matches [broker.ErrRefused] if ctx has ended or
// b is closed: then nothing is sent.
func (b *world) started(ctx context.Context) error {
	err := ctx.Err()
	if err == nil && b.closed.Load() {
		err = broker.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("%w: %w", broker.ErrRefused, err)
	}
	return nil
}

// Package loop repeats what is done in the background, and says how often to
// try and to complain when it does not succeed.
package loop

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// ComplaintInterval is how far apart the first log lines of one trouble are at least.
const ComplaintInterval = 3 * time.Second

// Every calls f at once and then each time d has passed since it returned,
// until ctx is done. An error of f is logged and does not end the loop: the
// next call is the retry.
func Every(ctx context.Context, log *slog.Logger, name string, d time.Duration, f func(context.Context) error) {
	Paced(ctx, log, name, func(ctx context.Context) (time.Duration, error) { return d, f(ctx) })
}

// Paced is [Every] for an f that says how long to wait until the next call. It
// waits a millisecond at least, so that no mistake in f keeps a CPU busy.
func Paced(ctx context.Context, log *slog.Logger, name string, f func(context.Context) (time.Duration, error)) {
	Woken(ctx, log, name, nil, f)
}

// Woken is [Paced] for an f that is called earlier if wake is received from.
func Woken(ctx context.Context, log *slog.Logger, name string, wake <-chan struct{}, f func(context.Context) (time.Duration, error)) {
	complaints := Complaints(ctx)
	for ctx.Err() == nil {
		wait, err := f(ctx)
		if err != nil && ctx.Err() == nil && complaints.Allow(time.Now()) {
			log.WarnContext(ctx, "background work did not succeed", "loop", name, "err", err)
		}
		t := time.NewTimer(max(wait, time.Millisecond))
		select {
		case <-ctx.Done():
		case <-wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// Sleep waits until d has passed or ctx is done.
func Sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// A Throttle allows an event, and then others further and further apart: the first
// after Interval, each of the next after twice as long, up to a minute, until there
// were none for that long. The zero value allows all.
type Throttle struct {
	Interval time.Duration
	pause    time.Duration
	next     time.Time
	shared   *shared // what is allowed again has to be allowed by that, too; nil: it has not
}

const longestPause = time.Minute

// A shared throttle is one of several goroutines.
type shared struct {
	mu sync.Mutex
	Throttle
}

func (s *shared) allow(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Allow(now)
}

type sharedKey struct{}

// Together returns a context for what is likely to be in trouble at one time, as all that
// needs a storage is: each kind of complaint is made once, and then all of them together
// are made as seldom as one.
func Together(ctx context.Context) context.Context {
	return context.WithValue(ctx, sharedKey{}, &shared{Throttle: Throttle{Interval: ComplaintInterval}})
}

// Complaints returns a throttle for complaints of one kind, by one goroutine with ctx.
func Complaints(ctx context.Context) *Throttle {
	t := &Throttle{Interval: ComplaintInterval}
	t.shared, _ = ctx.Value(sharedKey{}).(*shared)
	return t
}

// Allow reports whether an event at now is allowed.
func (t *Throttle) Allow(now time.Time) bool {
	if now.Before(t.next) {
		return false
	}
	quiet := t.pause
	if t.shared != nil {
		quiet = longestPause // there are those who seldom try
	}
	goesOn := t.pause > 0 && now.Sub(t.next) < quiet
	if goesOn {
		t.pause = min(2*t.pause, max(t.Interval, longestPause))
	} else {
		t.pause = t.Interval
	}
	t.next = now.Add(t.pause)
	if t.shared == nil {
		return true
	}
	return t.shared.allow(now) || !goesOn
}

// A Backoff is a delay between attempts that doubles from Min to Max.
type Backoff struct {
	Min, Max time.Duration
	last     time.Duration
}

// Next returns how long to wait after one more attempt that did not succeed.
func (b *Backoff) Next() time.Duration {
	b.last = min(max(b.Min, 2*b.last), b.Max)
	return b.last
}

// Reset begins anew with Min, after an attempt that succeeded.
func (b *Backoff) Reset() { b.last = 0 }

package queue

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

const (
	// beatInterval is how often a server says that it is alive.
	beatInterval = broker.ServerTTL / 2

	// extendRetry is how soon after an error leases are extended again.
	extendRetry = time.Second
)

// A roster lists the attempts whose leases are to be kept.
type roster struct {
	mu       sync.Mutex
	attempts map[*attempt]struct{}
	ended    error // no handler may run any more, because of this
}

// add takes an attempt in. If the handlers have been told to end, so is its.
func (r *roster) add(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts == nil {
		r.attempts = make(map[*attempt]struct{})
	}
	r.attempts[a] = struct{}{}
	if r.ended != nil {
		a.cancel(r.ended)
	}
}

func (r *roster) remove(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.attempts, a)
}

// end ends the contexts of all handlers, those to come included, and returns
// how many have not returned.
func (r *roster) end(cause error) (running int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = cause
	for a := range r.attempts {
		if !a.claimed.Load() {
			running++
		}
		a.cancel(cause)
	}
	return running
}

func (r *roster) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.attempts)
}

func (r *roster) list() []*attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*attempt, 0, len(r.attempts))
	for a := range r.attempts {
		list = append(list, a)
	}
	return list
}

// extended notes that the lease of an attempt lasts until until.
func (r *roster) extended(a *attempt, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.until = until
}

// expired returns the attempts whose leases have ended at now, and when the next
// of the others ends, zero if there are none.
func (r *roster) expired(now time.Time) (expired []*attempt, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a := range r.attempts {
		switch {
		case !a.until.After(now):
			expired = append(expired, a)
		case next.IsZero() || a.until.Before(next):
			next = a.until
		}
	}
	return expired, next
}

// lose ends the handler of an attempt whose lease is lost. If the handler has returned
// before, the broker's answer to the settlement decides, not this.
func (r *roster) lose(a *attempt) {
	if a.claimed.Load() {
		return
	}
	a.cancel(ErrLeaseLost)
	r.remove(a)
}

// extendLeases extends all leases of the server, and says when to do it again.
func (s *Server) extendLeases(ctx context.Context) (time.Duration, error) {
	interval := s.cfg.LeaseDuration * 3 / 10
	attempts := s.roster.list()
	if len(attempts) == 0 {
		return interval, nil
	}
	ctx, cancel := context.WithTimeout(ctx, interval)
	defer cancel()
	if err := s.extend(ctx, attempts); err != nil {
		return s.expireLeases(interval), err
	}
	return interval, nil
}

// extend extends the leases of attempts, and ends the handlers of those that are
// lost or to be cancelled.
func (s *Server) extend(ctx context.Context, attempts []*attempt) error {
	refs := make([]broker.LeaseRef, len(attempts))
	for i, a := range attempts {
		refs[i] = a.lease.Ref()
	}
	now := time.Now()
	until := broker.CeilSecond(now.Add(s.cfg.LeaseDuration))
	held, err := s.broker.Extend(ctx, now, until, refs...)
	if err == nil && len(held) != len(refs) {
		err = fmt.Errorf("broker answered about %d of %d leases", len(held), len(refs))
	}
	if err != nil {
		return err
	}
	for i, h := range held {
		if h == broker.Lost {
			s.roster.lose(attempts[i])
			continue
		}
		s.roster.extended(attempts[i], until)
		if h == broker.Asked {
			attempts[i].abort()
		}
	}
	return nil
}

// expireLeases ends the handlers whose leases have run out while they could not
// be extended, and says when to try again.
func (s *Server) expireLeases(interval time.Duration) time.Duration {
	now := time.Now()
	expired, next := s.roster.expired(now)
	for _, a := range expired {
		s.roster.lose(a)
	}
	if next.IsZero() {
		return min(extendRetry, interval)
	}
	return min(extendRetry, interval, next.Sub(now))
}

// beat says that the server is alive, and what it runs.
func (s *Server) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatInterval)
	defer cancel()
	now := time.Now()
	s.beats.begins(now, beatInterval)
	err := s.broker.Beat(ctx, now, s.record())
	s.beats.ends(time.Now(), beatInterval, err)
	return err
}

// record returns what others may know of the server.
func (s *Server) record() broker.Server {
	r := s.identity
	r.Status = s.status()
	for _, a := range s.roster.list() {
		e := a.lease.Entry
		r.Workers = append(r.Workers, broker.Worker{
			Entry:    e.EntryRef,
			Type:     e.Type,
			Payload:  e.Payload[:min(len(e.Payload), broker.MaxWorkerPayload)],
			Started:  a.started,
			Deadline: a.ends,
		})
	}
	return r
}

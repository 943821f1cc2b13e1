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

// A roster lists the works whose leases are to be kept.
type roster struct {
	mu    sync.Mutex
	works map[*work]struct{}
	ended error // no handler may run any more, because of this
}

// add takes w in. If the handlers have been told to end, so is that of w.
func (r *roster) add(w *work) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.works == nil {
		r.works = make(map[*work]struct{})
	}
	r.works[w] = struct{}{}
	if r.ended != nil {
		w.cancel(r.ended)
	}
}

func (r *roster) remove(w *work) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.works, w)
}

// end ends the contexts of all handlers, those to come included, and returns
// how many have not returned.
func (r *roster) end(cause error) (running int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = cause
	for w := range r.works {
		if !w.claimed.Load() {
			running++
		}
		w.cancel(cause)
	}
	return running
}

func (r *roster) list() []*work {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*work, 0, len(r.works))
	for w := range r.works {
		list = append(list, w)
	}
	return list
}

// extended notes that the lease of w lasts until until.
func (r *roster) extended(w *work, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.until = until
}

// expired returns the works whose leases have ended at now, and when the next
// of the others ends, zero if there are none.
func (r *roster) expired(now time.Time) (expired []*work, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.works {
		switch {
		case !w.until.After(now):
			expired = append(expired, w)
		case next.IsZero() || w.until.Before(next):
			next = w.until
		}
	}
	return expired, next
}

// lose ends the handler of w, whose lease is lost. If the handler has returned
// before, the broker's answer to the settlement decides, not this.
func (r *roster) lose(w *work) {
	if w.claimed.Load() {
		return
	}
	w.cancel(ErrLeaseLost)
	r.remove(w)
}

// extendLeases extends all leases of the server, and says when to do it again.
func (s *Server) extendLeases(ctx context.Context) (time.Duration, error) {
	interval := s.cfg.LeaseDuration * 3 / 10
	works := s.roster.list()
	if len(works) == 0 {
		return interval, nil
	}
	refs := make([]broker.LeaseRef, len(works))
	for i, w := range works {
		refs[i] = w.lease.Ref()
	}
	ctx, cancel := context.WithTimeout(ctx, interval)
	defer cancel()
	now := time.Now()
	until := broker.CeilSecond(now.Add(s.cfg.LeaseDuration))
	held, err := s.broker.Extend(ctx, now, until, refs...)
	if err == nil && len(held) != len(refs) {
		err = fmt.Errorf("broker answered about %d of %d leases", len(held), len(refs))
	}
	if err != nil {
		return s.expireLeases(interval), err
	}
	for i, h := range held {
		if h == broker.Lost {
			s.roster.lose(works[i])
		} else {
			s.roster.extended(works[i], until)
		}
	}
	return interval, nil
}

// expireLeases ends the handlers whose leases have run out while they could not
// be extended, and says when to try again.
func (s *Server) expireLeases(interval time.Duration) time.Duration {
	now := time.Now()
	expired, next := s.roster.expired(now)
	for _, w := range expired {
		s.roster.lose(w)
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
	return s.broker.Beat(ctx, now, s.record())
}

// record returns what others may know of the server.
func (s *Server) record() broker.Server {
	r := s.identity
	r.Status = s.status()
	for _, w := range s.roster.list() {
		deadline, _ := w.ctx.Deadline()
		e := w.lease.Entry
		r.Workers = append(r.Workers, broker.Worker{
			Entry:    e.EntryRef,
			Type:     e.Type,
			Payload:  e.Payload,
			Started:  w.started,
			Deadline: deadline,
		})
	}
	return r
}

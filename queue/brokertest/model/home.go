package model

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// checkQuota reports whether c's documents make its home too large.
func (m *Model) checkQuota(c broker.Change) error {
	if c.Quota == 0 || len(c.Put) == 0 {
		return nil
	}
	sizes := make(map[string]int)
	if h := m.homes[c.Home]; h != nil {
		for key, d := range h.documents {
			sizes[key] = len(d.Body)
		}
	}
	for _, p := range c.Put {
		sizes[p.Key] = len(p.Body)
	}
	var total int64
	for _, size := range sizes {
		total += int64(size)
	}
	if total > c.Quota {
		return &broker.QuotaError{Home: c.Home, Bytes: total, Quota: c.Quota}
	}
	return nil
}

// isOpen reports whether e has a home and has not ended.
func (e *entry) isOpen() bool {
	ended := e.hasEnded() && e.End != broker.Undecodable
	return !e.Home.IsZero() && !ended
}

// open returns the open entries of home, in order of their queues and ids.
func (m *Model) open(home broker.Home) []broker.EntryRef {
	var refs []broker.EntryRef
	for _, q := range m.queues {
		for _, e := range q.entries {
			if e.Home == home && e.isOpen() {
				refs = append(refs, e.EntryRef)
			}
		}
	}
	slices.SortFunc(refs, func(a, b broker.EntryRef) int { return strings.Compare(a.String(), b.String()) })
	return refs
}

// drain does the drains of homes of which nothing is open.
func (m *Model) drain(now time.Time) {
	var drained []broker.Home
	for name, h := range m.homes {
		if len(h.drain) > 0 && len(m.open(name)) == 0 {
			drained = append(drained, name)
		}
	}
	slices.SortFunc(drained, compareHomes)
	for _, name := range drained {
		entries := m.homes[name].drain
		m.homes[name].drain = nil
		for _, e := range entries {
			m.addIfNew(now, e)
		}
	}
}

func compareHomes(a, b broker.Home) int {
	return cmp.Or(strings.Compare(a.Queue, b.Queue), strings.Compare(a.ID, b.ID))
}

// OpenEntries implements [broker.Broker].
func (m *Model) OpenEntries(ctx context.Context, r broker.OpenRequest) (broker.OpenPage, error) {
	if err := m.ask(ctx, r.Check()); err != nil {
		return broker.OpenPage{}, err
	}
	defer m.mu.Unlock()
	if r.After != "" && !strings.Contains(r.After, "/") {
		return broker.OpenPage{}, fmt.Errorf("%w: %w", broker.ErrRefused, task.Invalid("OpenRequest.After", r.After, "is no place"))
	}
	refs := m.open(r.Home)
	refs = slices.DeleteFunc(refs, func(ref broker.EntryRef) bool { return ref.String() <= r.After })
	if len(refs) <= r.Limit {
		return broker.OpenPage{Entries: refs}, nil
	}
	return broker.OpenPage{Entries: refs[:r.Limit], Next: refs[r.Limit-1].String()}, nil
}

// Homes implements [broker.Broker].
func (m *Model) Homes(ctx context.Context, r broker.HomesRequest) (broker.HomesPage, error) {
	if err := m.ask(ctx, r.Check()); err != nil {
		return broker.HomesPage{}, err
	}
	defer m.mu.Unlock()
	var last place
	if r.After != "" {
		var err error
		if last, err = parsePlace(r.After); err != nil {
			return broker.HomesPage{}, fmt.Errorf("%w: %w", broker.ErrRefused, task.Invalid("HomesRequest.After", r.After, "is no place"))
		}
	}
	var found []place
	for name, h := range m.homes {
		if name.Queue != r.Queue || h.listing == nil || !h.listing.found(r) {
			continue
		}
		p := place{h.listing.At.UnixMilli(), name.ID}
		if c := p.compare(last); r.After == "" || c != 0 && c < 0 == r.Newest {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, place.compare)
	if r.Newest {
		slices.Reverse(found)
	}
	var page broker.HomesPage
	for i, p := range found {
		if i == r.Limit {
			page.Next = found[i-1].String()
			break
		}
		page.Homes = append(page.Homes, broker.ListedHome{Home: broker.Home{Queue: r.Queue, ID: p.id}, At: time.UnixMilli(p.at)})
	}
	return page, nil
}

// A listing is what a home is found by.
type listing broker.Listing

func (l *listing) found(r broker.HomesRequest) bool {
	if !r.From.IsZero() && l.At.Before(broker.CeilMilli(r.From)) || !r.To.IsZero() && !l.At.Before(broker.CeilMilli(r.To)) {
		return false
	}
	for _, term := range r.Terms {
		if !slices.Contains(l.Terms, term) {
			return false
		}
	}
	return true
}

// list has a home found by l from now on.
func (h *home) list(l broker.Listing) {
	l.At, l.Terms = broker.CeilMilli(l.At), slices.Clone(l.Terms)
	h.listing = (*listing)(&l)
}

package storage

import (
	"context"
	"errors"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// mostGrouped is of how many queues groups are kept for others who want them.
const mostGrouped = 100

// Groups returns the groups of a queue that hold tasks, in order of their names.
func (s *Storage) Groups(ctx context.Context, name string) ([]broker.Group, error) {
	return s.groupsOf(name).get(ctx)
}

func (s *Storage) groupsOf(name string) *shared[[]broker.Group] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.groups[name]; one != nil {
		return one
	}
	if s.groups == nil || len(s.groups) == mostGrouped {
		s.groups = map[string]*shared[[]broker.Group]{}
	}
	one := &shared[[]broker.Group]{fresh: s.queues.fresh, life: s.life, read: func(ctx context.Context) ([]broker.Group, error) {
		return s.Inspector.Groups(ctx, name)
	}}
	s.groups[name] = one
	return one
}

// dropGroups has the groups of all queues read anew.
func (s *Storage) dropGroups() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups = nil
}

// A GroupSearch looks through the groups of all queues, in order of queues and names. It
// reads those of a queue at a time, which takes longer the more there are, and goes on
// where it was.
type GroupSearch struct {
	Storage *Storage
	Query   query.Query[query.Group]

	Queue, Group string // behind which it begins, and where it has got; "": at the beginning
	Scanned      int    // queues that it has looked into
	Total        int    // and may look into
}

// Next returns at most so many groups that are taken, of at most so many queues beside the
// one in which it goes on, and whether there are no more.
func (s *GroupSearch) Next(ctx context.Context, most, queues int) (found []query.Group, done bool, err error) {
	all, err := s.Storage.Queues(ctx)
	if err != nil {
		return nil, false, err
	}
	s.Scanned, s.Total = 0, 0
	for _, i := range all.Infos {
		if hasGroups(i) && s.Query.Allows("queue", i.Queue) {
			s.Total++
		}
	}
	behind, read := s.Queue, 0
	for _, i := range all.Infos {
		switch {
		case !hasGroups(i) || !s.Query.Allows("queue", i.Queue):
			continue
		case i.Queue < behind:
			s.Scanned++
			continue
		case i.Queue == behind: // it goes on there, and has got on whatever it finds
		case read == queues:
			return found, false, nil
		default:
			read++
		}
		some, isWhole, err := s.of(ctx, i.Queue, most-len(found))
		if err != nil {
			return found, false, err
		}
		if found = append(found, some...); !isWhole {
			return found, false, nil
		}
		s.Scanned++
	}
	return found, true, nil
}

func hasGroups(i queue.QueueInfo) bool { return i.Groups > 0 || i.Aggregating > 0 }

// of returns the groups of a queue that are taken, and whether these are all.
func (s *GroupSearch) of(ctx context.Context, name string, most int) (found []query.Group, isWhole bool, err error) {
	groups, err := s.Storage.Groups(ctx, name)
	if err != nil && !errors.Is(err, queue.ErrQueueNotFound) {
		return nil, false, err
	}
	now := s.Storage.Now()
	for _, g := range groups {
		group := query.Group{Group: g, Queue: name}
		if name == s.Queue && g.Name <= s.Group || !s.Query.Match(now, group) {
			continue
		}
		if len(found) == most {
			return found, false, nil
		}
		found = append(found, group)
		s.Queue, s.Group = name, g.Name
	}
	if s.Queue != name {
		s.Queue, s.Group = name, ""
	}
	return found, true, nil
}

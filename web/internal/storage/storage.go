package storage

import (
	"context"
	"sync"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/views"
	"github.com/leatwork/leat/workflow"
)

// A Storage is a broker with those who look after it. It may be used by several
// goroutines.
type Storage struct {
	Broker    broker.Broker
	Inspector *queue.Inspector
	Entries   *periodic.Inspector
	Client    *queue.Client

	// Now tells the time.
	Now func() time.Time

	queues  shared[Queues]
	servers shared[[]broker.Server]
	entries shared[Entries]
	about   shared[broker.About]
	runs    shared[map[workflow.State]int]
	memory  shared[map[string]int64]
	views   shared[[]views.View]
	pace    paced
	paces   paces
	life    *lifetime

	mu     sync.Mutex
	spans  map[Span]*shared[figures]
	groups map[string]*shared[[]broker.Group] // by queue
}

// Queues are the figures of all queues, and of those that cannot be read, why.
type Queues struct {
	At     time.Time // when they were read
	Infos  []queue.QueueInfo
	Broken map[string]error
	Loads  queue.Loads
}

// Entries are all periodic entries, and of those that cannot be read, why.
type Entries struct {
	At         time.Time
	Infos      []periodic.Info
	Broken     map[string]error
	Schedulers []broker.Scheduler
}

// New returns the storage in b. What is shared is at most fresh old. [Storage.Close] ends
// it.
func New(b broker.Broker, fresh time.Duration) *Storage {
	s := &Storage{Broker: b, Inspector: queue.NewInspector(b), Entries: periodic.NewInspector(b), Client: queue.NewClient(b), Now: time.Now, life: newLifetime()}
	s.queues = shared[Queues]{fresh: fresh, read: s.readQueues, life: s.life}
	s.servers = shared[[]broker.Server]{fresh: fresh, read: s.Inspector.Servers, life: s.life}
	s.entries = shared[Entries]{fresh: fresh, read: s.readEntries, life: s.life}
	s.runs = shared[map[workflow.State]int]{fresh: countEvery, read: s.countRuns, life: s.life}
	s.memory = shared[map[string]int64]{fresh: measureEvery, read: s.measure, life: s.life}
	s.views = shared[[]views.View]{fresh: fresh, life: s.life, read: func(ctx context.Context) ([]views.View, error) { return views.All(ctx, b) }}
	s.about = shared[broker.About]{fresh: fresh, life: s.life, read: func(ctx context.Context) (broker.About, error) { return s.Inspector.Describe(ctx) }}
	return s
}

// Close ends what is being read, and returns when nothing is any more. Who asks for
// something that is shared after it gets [ErrClosed]. The broker stays open.
func (s *Storage) Close() { s.life.close() }

// Queues returns the figures of all queues. What it returns is shared and must not be
// changed; the same holds for the methods below.
func (s *Storage) Queues(ctx context.Context) (Queues, error) { return s.queues.get(ctx) }

// Servers returns the servers that are alive.
func (s *Storage) Servers(ctx context.Context) ([]broker.Server, error) { return s.servers.get(ctx) }

// AllEntries returns the periodic entries.
func (s *Storage) AllEntries(ctx context.Context) (Entries, error) { return s.entries.get(ctx) }

// Views returns the views of lists that are kept.
func (s *Storage) Views(ctx context.Context) ([]views.View, error) { return s.views.get(ctx) }

// About returns what the storage says of itself.
func (s *Storage) About(ctx context.Context) (broker.About, error) { return s.about.get(ctx) }

// Changed has everything read anew that is asked for from now on, but for how many runs
// there are.
func (s *Storage) Changed() {
	s.queues.drop()
	s.servers.drop()
	s.entries.drop()
	s.about.drop()
	s.dropGroups()
	s.views.drop()
}

// QueueInfo returns the figures of one queue, its memory among them, or an error that matches
// [queue.ErrQueueNotFound]. Who has paused it is left out if that cannot be read.
func (s *Storage) QueueInfo(ctx context.Context, name string) (queue.QueueInfo, error) {
	info, err := s.Inspector.QueueInfo(ctx, name)
	if err != nil {
		return queue.QueueInfo{}, err
	}
	infos := []queue.QueueInfo{*info}
	_ = s.Inspector.ReadPauses(ctx, infos) // of what fails the figures know nothing, and go on
	return infos[0], nil
}

func (s *Storage) readQueues(ctx context.Context) (Queues, error) {
	at := s.Now()
	infos, broken, err := s.Inspector.Survey(ctx)
	if err != nil {
		return Queues{}, err
	}
	_ = s.Inspector.ReadPauses(ctx, infos) // of what fails the figures know nothing, and go on
	s.pace.see(at, infos)
	servers, err := s.Servers(ctx)
	if err != nil {
		return Queues{}, err
	}
	return Queues{At: at, Infos: infos, Broken: broken, Loads: s.Inspector.LoadsOf(ctx, infos, broken, servers)}, nil
}

func (s *Storage) readEntries(ctx context.Context) (Entries, error) {
	at := s.Now()
	infos, broken, err := s.Entries.Survey(ctx)
	if err != nil {
		return Entries{}, err
	}
	schedulers, err := s.Broker.Schedulers(ctx, at)
	return Entries{At: at, Infos: infos, Broken: broken, Schedulers: schedulers}, err
}

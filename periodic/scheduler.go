package periodic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Scheduler enqueues the tasks of entries at their ticks. It is a [queue.Runner]. Its
// methods may be called from several goroutines.
type Scheduler struct {
	client *queue.Client
	broker broker.Broker
	cfg    Config
	faults []error // of the Config
	id     string

	mu         sync.Mutex
	registered map[string]*plan
	provided   map[string]*plan
	runners    map[string]*runner
	running    context.Context // nil: it does not run
	ran        bool
	fired      []broker.Tick // not told yet
	work       sync.WaitGroup
}

// New returns a scheduler that enqueues with c: with its defaults, limits, middleware
// and observer. It does nothing until it is [Scheduler.Run].
func New(c *queue.Client, cfg Config) *Scheduler {
	s := &Scheduler{
		client: c, id: newID(),
		registered: make(map[string]*plan), provided: make(map[string]*plan), runners: make(map[string]*runner),
	}
	s.cfg, s.faults = cfg.withDefaults()
	if c != nil {
		s.broker = c.Broker()
	}
	if s.broker == nil {
		s.faults = append(s.faults, task.Invalid("client", nil, "must have a broker"))
	}
	return s
}

// newID returns what tells a scheduler from all others.
func newID() string { return fmt.Sprintf("%s:%d:%s", hostname(), os.Getpid(), uuid.NewString()[:8]) }

// hostname returns the name of this machine, if it can be told to others.
func hostname() string {
	host, err := os.Hostname()
	if err != nil || strings.Contains(host, ":") || task.CheckName("host", host) != nil {
		return "unknown"
	}
	return host
}

// Register adds entries that this scheduler is to run, all or none of them. If there is
// something wrong with some, the error tells of all of them, by an [EntryError] each. An
// entry may be registered before Run and during it, and goes on under the same name in
// programs to come: what was decided of its ticks is stored.
//
// That an entry of the same name is stored ([Inspector.Add]) shows only once the
// scheduler runs: that one is run then, and Config.OnError is told of the other with an
// [ExistsError].
func (s *Scheduler) Register(entries ...Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	plans, err := compileAll(FromCode, entries, s.registered, s.provided)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	for name, p := range plans {
		s.registered[name] = p
		s.runPlan(p)
	}
	return nil
}

// compileAll returns entries as plans by their names, or all that is wrong with them.
// None may be among others.
func compileAll(source Source, entries []Entry, others ...map[string]*plan) (map[string]*plan, error) {
	plans := make(map[string]*plan, len(entries))
	var faults []error
	for _, e := range entries {
		p, err := e.compile(source)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		for _, known := range append(others, plans) {
			if other := known[p.Name]; other != nil {
				faults = append(faults, &ExistsError{Entry: p.Name, Source: other.source})
			}
		}
		plans[p.Name] = p
	}
	return plans, errors.Join(faults...)
}

// Run runs the entries until ctx ends, and returns nil then. It begins although the
// storage does not answer, and goes on until it does. A scheduler runs once.
func (s *Scheduler) Run(ctx context.Context) error {
	if err := errors.Join(s.faults...); err != nil {
		return fmt.Errorf("run scheduler: %w", err)
	}
	ctx = loop.Together(ctx)
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.work.Go(func() { loop.Every(ctx, s.cfg.Logger, "periodic sync", s.cfg.SyncInterval, s.newFollower().once) })
	if s.cfg.Provider != nil {
		s.work.Go(func() { s.poll(ctx) })
	}
	s.work.Go(func() { s.appear(ctx) })
	<-ctx.Done()
	s.end()
	s.work.Wait()
	s.disappear(ctx)
	return nil
}

func (s *Scheduler) begin(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ran {
		return ErrRunning
	}
	s.ran, s.running = true, ctx
	for _, p := range s.registered {
		s.runPlan(p)
	}
	return nil
}

// end has no more runners begin.
func (s *Scheduler) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = nil
}

// runPlan has p run from now on, in place of what had its name. s.mu is held.
func (s *Scheduler) runPlan(p *plan) {
	if r := s.runners[p.Name]; r != nil {
		r.replan(p)
		return
	}
	s.launch(p.Name, p)
}

// leave has the plan of that name no longer run. s.mu is held.
func (s *Scheduler) leave(name string) {
	if r := s.runners[name]; r != nil && r.runsStored() {
		r.replan(nil)
		return
	}
	s.drop(name)
}

// launch begins to run the entry of that name. s.mu is held.
func (s *Scheduler) launch(name string, p *plan) *runner {
	if s.running == nil {
		return nil
	}
	ctx, stop := context.WithCancel(s.running)
	r := newRunner(s, name, p, stop)
	s.runners[name] = r
	s.work.Go(func() {
		defer stop()
		r.run(ctx)
	})
	return r
}

// drop stops the runner of that name. s.mu is held.
func (s *Scheduler) drop(name string) {
	if r := s.runners[name]; r != nil {
		r.stop()
		delete(s.runners, name)
	}
}

func (s *Scheduler) now() time.Time { return s.cfg.clock() }

package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

const (
	// reservedSlots is how many tasks of the reserved queues are run at once.
	reservedSlots = 4

	// manySlots are so many that half of them fill a call to the storage.
	manySlots = 32

	// settleGrace is how long a server that shuts down tries to record the
	// outcomes of handlers that it has ended.
	settleGrace = 2 * time.Second

	// endGrace is how long each of its last acts may take.
	endGrace = time.Second
)

var (
	errRunning = errors.New("server is running already")
	errStopped = errors.New("server has been stopped")
)

// A Server leases tasks from its queues and runs them with a handler. It is
// active from [Server.Run] or [Server.Start] on, takes no new tasks after
// [Server.Stop], and is closed by [Server.Shutdown]. It runs once.
//
// A handler that is told to end and goes on keeps its slot until it returns. It
// is reported after a second and every minute, in the log and as an
// [EventStuck].
type Server struct {
	broker     broker.Broker
	cfg        Config
	identity   broker.Server // what does not change in its record
	roster     roster
	doorman    *doorman
	timekeeper *timekeeper
	worker     string        // its name in the records of attempts
	doubt      chan struct{} // there may be attempts that are doubted
	beats      pulse
	sweeps     pulse

	// history is set when the server starts, nil if it keeps none.
	history *history.Keeper

	state atomic.Int32
	ended chan struct{} // closed when the server is

	// Written when the server starts.
	mu      sync.Mutex
	pools   []*pool
	queues  []string           // of all pools
	stop    context.CancelFunc // ends all loops
	enough  context.CancelFunc // ends the wait for tasks
	over    <-chan struct{}    // closed by that
	drained chan struct{}      // closed when every dispatcher has returned
	loops   sync.WaitGroup
	aside   []*background  // what the handler has run beside the tasks
	workers sync.WaitGroup // what runs handlers, and what watches these
}

// The states of a server, in their order.
const (
	stateNew int32 = iota
	stateActive
	stateStopped
	stateDraining
	stateClosed
)

// NewServer returns a server of the tasks in b, which it does not close. It
// returns a [task.InvalidError] if b is nil, and for each fault of cfg, all
// joined.
func NewServer(b broker.Broker, cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err := errors.Join(checkBroker(b), err); err != nil {
		return nil, fmt.Errorf("new server: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	if cfg.Client == nil {
		cfg.Client = NewClient(b)
		cfg.Client.Tracer = cfg.Tracer
	}
	s := &Server{
		broker:     b,
		timekeeper: newTimekeeper(),
		cfg:        cfg,
		worker:     strings.ToValidUTF8(fmt.Sprintf("%s:%d", host, os.Getpid()), "?"),
		doubt:      make(chan struct{}, 1),
		ended:      make(chan struct{}),
		identity: broker.Server{
			ID:          uuid.NewString(),
			Host:        host,
			PID:         os.Getpid(),
			Concurrency: cfg.Concurrency,
			Queues:      cfg.Queues,
			Strict:      cfg.StrictPriority,
		},
	}
	s.doorman = newDoorman(s)
	return s, nil
}

func checkBroker(b broker.Broker) error {
	if b == nil {
		return task.Invalid("broker", nil, "must not be nil")
	}
	return nil
}

// Run serves with h until ctx ends, then shuts down as [Server.Shutdown] does,
// and returns nil. It returns early if Shutdown is called. If ctx is from
// [SignalContext], its pause signal stops the server as [Server.Stop] does. It
// returns the errors of [Server.Start].
func (s *Server) Run(ctx context.Context, h task.Handler) error {
	lasting := context.WithoutCancel(ctx)
	if err := s.start(lasting, h); err != nil {
		return err
	}
	quiet := quieted(ctx)
	for {
		select {
		case <-quiet:
			s.Stop()
			quiet = nil
		case <-ctx.Done():
			return s.Shutdown(lasting)
		case <-s.ended:
			return nil
		}
	}
}

// Start begins to serve with h, and returns at once; it does not ask whether
// the storage can be reached. If h has a method Reserved() []string, as a
// [task.Mux] has, the queues that this names are served with four slots of
// their own. If it has a method Backgrounds() map[string]func(context.Context) error,
// as a Mux has, these functions are run beside the tasks until the server stops:
// see [Background]. The queues that a method Needed() []string names, as a Mux has it,
// must be served by the server.
//
// It returns a [task.InvalidError] if h is nil or needs queues that the server does not
// serve, [ErrServerClosed] after
// Shutdown, and another error if the server is active or stopped. Then it
// changes nothing.
func (s *Server) Start(h task.Handler) error { return s.start(context.Background(), h) }

func (s *Server) start(ctx context.Context, h task.Handler) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := task.CheckHandler(h); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	reserved, err := reservedBy(h)
	if err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	aside, err := backgroundsOf(h)
	if err := errors.Join(err, s.serves(h, reserved)); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	switch s.state.Load() {
	case stateActive:
		return errRunning
	case stateStopped:
		return errStopped
	case stateDraining, stateClosed:
		return ErrServerClosed
	}
	for _, slots := range divided(s.cfg.Concurrency) {
		s.pools = append(s.pools, newPool(s, h, s.cfg.Queues, slots, s.chance()))
	}
	s.identity.Queues = maps.Clone(s.cfg.Queues)
	if len(reserved) > 0 {
		s.pools = append(s.pools, newPool(s, h, reserved, reservedSlots, newRand()))
		maps.Copy(s.identity.Queues, reserved)
	}
	s.queues = slices.Sorted(maps.Keys(s.identity.Queues))
	s.history = s.cfg.historyOf(s.broker, s.queues)
	s.aside = aside
	s.identity.Started = time.Now()
	s.state.Store(stateActive)
	s.launch(ctx)
	return nil
}

// divided returns how many slots each pool has of those that serve the same queues.
// With many slots there are two: while the storage works for one, the other's
// handlers run.
func divided(slots int) []int {
	if slots < manySlots {
		return []int{slots}
	}
	return []int{slots - slots/2, slots / 2}
}

// reservedBy returns the queues that h wants to be served besides, all with one
// priority.
func reservedBy(h task.Handler) (map[string]int, error) {
	r, ok := h.(interface{ Reserved() []string })
	if !ok {
		return nil, nil
	}
	queues := make(map[string]int)
	for _, name := range r.Reserved() {
		if err := task.CheckMadeName("reserved queue", name); err != nil {
			return nil, err
		}
		queues[name] = 1
	}
	return queues, nil
}

// serves returns which queues the server does not serve although h needs them.
func (s *Server) serves(h task.Handler, reserved map[string]int) error {
	n, ok := h.(interface{ Needed() []string })
	if !ok {
		return nil
	}
	var missing []error
	for _, name := range n.Needed() {
		if s.cfg.Queues[name] == 0 && reserved[name] == 0 {
			missing = append(missing, task.Invalid("Config.Queues", name, "is missing, and its handler needs it"))
		}
	}
	return errors.Join(missing...)
}

// chance returns what draws the order in which queues get what others leave, nil
// if priorities are strict.
func (s *Server) chance() *rand.Rand {
	if s.cfg.StrictPriority {
		return nil
	}
	return newRand()
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }

// launch starts everything that runs besides the handlers.
func (s *Server) launch(ctx context.Context) {
	ctx, s.stop = context.WithCancel(loop.Together(ctx))
	taking, enough := context.WithCancel(ctx)
	s.enough = enough
	s.over, s.drained = ctx.Done(), make(chan struct{})
	s.loops.Go(func() {
		defer close(s.drained)
		var dispatchers sync.WaitGroup
		for _, p := range s.pools {
			dispatchers.Go(func() { p.dispatch(ctx) })
		}
		dispatchers.Wait()
	})
	s.loops.Go(func() { loop.Paced(ctx, s.cfg.Logger, "extend leases", s.extendLeases) })
	if s.doorman.waker != nil {
		s.loops.Go(func() { s.doorman.watch(taking) })
	}
	if l, ok := s.broker.(broker.Listener); ok {
		s.loops.Go(func() { s.listen(ctx, l) })
		s.loops.Go(func() { s.confirm(ctx) })
	}
	s.loops.Go(func() { loop.Every(ctx, s.cfg.Logger, "beat", beatInterval, s.beat) })
	s.loops.Go(func() { loop.Woken(ctx, s.cfg.Logger, "advance", s.timekeeper.sooner, s.advance) })
	if s.cfg.HealthCheckFunc != nil {
		s.loops.Go(func() { s.checkHealth(ctx) })
	}
	if s.history != nil {
		w := newScribe(s.history, func() bool { return s.roster.size() > 0 })
		s.loops.Go(func() { w.keep(ctx, s.cfg.Logger) })
	}
	s.runAside(taking)
}

// Stop has the server take no new tasks; those that it runs go on, and the
// contexts of its backgrounds end. It returns at once, and does nothing unless the
// server is active.
func (s *Server) Stop() {
	if s.state.CompareAndSwap(stateActive, stateStopped) {
		s.enough()
		s.nudge(nil)
	}
}

// Shutdown stops the server, waits until its handlers and backgrounds have
// returned and the outcomes are recorded, and closes it. After Config.ShutdownTimeout, or when
// ctx ends, it ends the contexts of the handlers that still run, with
// [ErrShutdown]; what they leave undone goes back to the front of its queue and
// has cost no attempt. It waits a few seconds for that, and reports the handlers
// and backgrounds that go on even so. Nothing else that the server has started is left when
// Shutdown returns.
//
// It returns nil, or the error of ctx if that ended before all of them had
// returned. While one call is at it, others wait for it or for their own ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	if !s.beginShutdown() {
		select {
		case <-s.ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.nudge(nil)
	err := s.drain(ctx)
	s.finish(context.WithoutCancel(ctx))
	s.state.Store(stateClosed)
	close(s.ended)
	return err
}

// beginShutdown reports whether there is something to shut down and nobody else
// is at it.
func (s *Server) beginShutdown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state.Load() {
	case stateNew:
		s.state.Store(stateClosed)
		close(s.ended)
		return false
	case stateDraining, stateClosed:
		return false
	}
	s.state.Store(stateDraining)
	s.enough()
	return true
}

// drain waits until all handlers have returned and their outcomes are recorded,
// and for the backgrounds; handlers that take too long are told to end.
func (s *Server) drain(ctx context.Context) error {
	patience, cancel := context.WithTimeout(ctx, s.cfg.ShutdownTimeout)
	defer cancel()
	drained, left := closedWithin(patience, s.drained), s.leftAside(patience)
	if drained && len(left) == 0 {
		return nil
	}
	err := ctx.Err()
	if drained {
		return err
	}
	running := s.roster.end(ErrShutdown)
	s.cfg.Logger.WarnContext(ctx, "handlers take too long and are told to end", "handlers", running)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace+settleGrace)
	defer cancel()
	closedWithin(last, s.drained)
	return err
}

// finish ends every goroutine that is left, and takes the server off the record.
func (s *Server) finish(ctx context.Context) {
	s.stop()
	if !waited(ctx, &s.loops) {
		s.cfg.Logger.WarnContext(ctx, "background work goes on after the server has ended")
	}
	if !waited(ctx, &s.workers) {
		s.cfg.Logger.WarnContext(ctx, "handlers go on after the server has ended")
	}
	s.endAside(ctx)
	ctx, cancel := context.WithTimeout(ctx, endGrace)
	defer cancel()
	s.passOn(ctx)
	record := s.record()
	record.Gone = true
	if err := s.broker.Beat(ctx, time.Now(), record); err != nil {
		s.cfg.Logger.WarnContext(ctx, "server could not be taken off the record", "err", err)
	}
}

// passOn gives to others the wakes that the server has not followed.
func (s *Server) passOn(ctx context.Context) {
	wakes := s.timekeeper.leave(s.queues)
	for _, p := range s.pools {
		for range len(p.wakes) {
			wakes = append(wakes, <-p.wakes)
		}
	}
	if s.doorman.waker == nil || len(wakes) == 0 {
		return
	}
	if _, err := s.broker.Apply(ctx, time.Now(), nil, broker.LeaseRequest{Pass: wakes}); err != nil {
		s.cfg.Logger.DebugContext(ctx, "others are not woken, and find by themselves what there is to do", "err", err)
	}
}

// waited waits for wg, and reports whether that took no longer than endGrace.
func waited(ctx context.Context, wg *sync.WaitGroup) bool {
	ctx, cancel := context.WithTimeout(ctx, endGrace)
	defer cancel()
	done := make(chan struct{})
	go func() { // lasts as long as the goroutines that are waited for
		wg.Wait()
		close(done)
	}()
	return closedWithin(ctx, done)
}

// closedWithin reports whether c was closed before ctx ended.
func closedWithin(ctx context.Context, c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
	}
	select { // both may have happened
	case <-c:
		return true
	default:
		return false
	}
}

// Ping returns nil if the storage answers, and [ErrServerClosed] after
// Shutdown.
func (s *Server) Ping(ctx context.Context) error {
	if s.state.Load() == stateClosed {
		return ErrServerClosed
	}
	return s.broker.Ping(ctx)
}

func (s *Server) leasing() bool  { return s.state.Load() == stateActive }
func (s *Server) draining() bool { return s.state.Load() >= stateDraining }

// status returns the word for the server's state in its record.
func (s *Server) status() string {
	if s.leasing() {
		return "active"
	}
	return "stopped"
}

// nudge has every pool look for work, except one that has just done so.
func (s *Server) nudge(except *pool) {
	for _, p := range s.pools {
		if p != except {
			p.nudge()
		}
	}
}

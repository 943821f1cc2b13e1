package queue

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// How much is committed in one call to the broker.
const (
	commitChanges = 64
	commitParts   = broker.MaxParts
	commitBytes   = 4 << 20
)

// A server that is woken looks this much less often for tasks that nobody has
// announced, such as those of asynq's clients, unless it has found one within
// that time.
const (
	strayFactor = 10
	strayTime   = 10 * time.Minute
)

// A pool serves some queues with a number of slots, each for one handler, alone or
// with another one that has the same queues. Its
// dispatcher alone leases entries and records outcomes; both travel in one call,
// with all outcomes that came in while the call before was under way.
type pool struct {
	server *Server
	picker *picker
	queues []string
	slots  int

	finished chan *attempt // attempts with an outcome; has room for all that are open
	over     chan struct{} // closed when the dispatcher has returned
	freed    chan struct{} // handlers that were given up and have returned
	wake     chan struct{} // there may be something to do
	wakes    chan broker.Wake
	hands    *hands
	room     atomic.Bool // there are free slots, and they are to be filled

	// What follows is the dispatcher's.
	waiting    []*attempt    // finished, to be recorded
	open       int           // attempts whose outcome is not recorded
	busy       int           // slots that are not free
	hungry     bool          // there may be entries to lease
	woken      []broker.Wake // wakes to be followed, or passed on
	polled     bool          // nothing has announced the entries that there may be
	found      time.Time     // when such ones were found last
	changes    []broker.Change
	poll       *time.Timer
	backoff    loop.Backoff
	complaints *loop.Throttle
}

func newPool(s *Server, h task.Handler, queues map[string]int, slots int, r *rand.Rand) *pool {
	p := &pool{
		server:   s,
		picker:   newPicker(queues, r),
		queues:   slices.Sorted(maps.Keys(queues)),
		slots:    slots,
		finished: make(chan *attempt, slots+commitChanges),
		over:     make(chan struct{}),
		freed:    make(chan struct{}, slots+commitChanges),
		wake:     make(chan struct{}, 1),
		wakes:    make(chan broker.Wake, len(queues)),
		hungry:   true,
		backoff:  loop.Backoff{Min: 50 * time.Millisecond, Max: time.Second},
	}
	p.hands = newHands(slots, &s.workers, func(a *attempt) { a.run(h) })
	return p
}

// nudge has the dispatcher look for work now.
func (p *pool) nudge() {
	select {
	case p.wake <- struct{}{}:
	default: // it is about to look
	}
}

// dispatch leases and records until the server drains and every outcome is
// recorded, or until ctx ends.
func (p *pool) dispatch(ctx context.Context) {
	p.complaints = loop.Complaints(ctx)
	p.poll = time.NewTimer(p.server.cfg.PollInterval)
	defer p.poll.Stop()
	defer p.hands.rest()
	for ctx.Err() == nil {
		runtime.Gosched() // handlers that are about to return travel along
		p.collect()
		batch := p.batch()
		want := p.want(batch)
		p.setRoom(want > 0)
		switch {
		case len(batch) > 0 || p.hungry && want > 0 || len(p.woken) > 0:
			p.commit(ctx, batch, want)
		case p.open == 0 && p.server.draining():
			return
		default:
			p.wait(ctx, want > 0)
		}
	}
	p.leave(ctx)
}

// leave gives up what is not recorded.
func (p *pool) leave(ctx context.Context) {
	if p.open > 0 {
		p.server.cfg.Logger.ErrorContext(ctx, "outcomes were not recorded; their tasks are run again", "tasks", p.open)
	}
	for _, a := range p.waiting {
		a.giveUp()
	}
	close(p.over)
	p.giveUpFinished()
}

// finish takes back an attempt whose outcome is to be recorded. After the dispatcher has
// returned, nobody does that.
func (p *pool) finish(a *attempt) {
	p.finished <- a
	select {
	case <-p.over:
		p.giveUpFinished()
	default:
	}
}

func (p *pool) giveUpFinished() {
	for {
		select {
		case a := <-p.finished:
			a.giveUp()
		default:
			return
		}
	}
}

// collect takes in what has finished.
func (p *pool) collect() {
	for {
		select {
		case a := <-p.finished:
			p.take(a)
		case <-p.freed:
			p.busy--
			p.hungry = true
		case w := <-p.wakes:
			p.follow(w)
		default:
			return
		}
	}
}

// follow has the dispatcher look for what w announces. If there is no room for all
// of it, w is passed on.
func (p *pool) follow(w broker.Wake) {
	p.woken = append(p.woken, w)
	p.hungry = true
}

func (p *pool) setRoom(room bool) {
	if p.room.Swap(room) != room && room {
		p.server.doorman.hasRoom(p)
	}
}

// take takes in an attempt that has finished. There is nothing to record for one
// that was abandoned.
func (p *pool) take(a *attempt) {
	if a.abandoned {
		p.lost(a, ErrLeaseLost)
		return
	}
	p.waiting = append(p.waiting, a)
}

// batch returns the attempts that are to be recorded next.
func (p *pool) batch() []*attempt {
	parts, bytes := 0, 0
	for i, a := range p.waiting {
		parts += a.change.Parts()
		bytes += weight(a.change)
		if i == commitChanges || i > 0 && (parts > commitParts || bytes > commitBytes) {
			return p.waiting[:i]
		}
	}
	return p.waiting
}

// weight returns how many bytes c writes, those of entries included that are
// written once more as they are kept.
func weight(c broker.Change) int {
	n := c.Bytes()
	for i := range c.Settle {
		if s := &c.Settle[i]; s.To != broker.Done && s.To != broker.Released {
			n += len(s.Entry.Payload)
		}
	}
	return n
}

// want returns how many entries to lease, once batch is recorded.
func (p *pool) want(batch []*attempt) int {
	if !p.server.leasing() {
		return 0
	}
	if base := p.base(); base.Err() != nil {
		p.complain("no tasks are taken: the base context has ended", "cause", context.Cause(base))
		return 0
	}
	n := p.slots - p.busy
	for _, a := range batch {
		if !a.stuck {
			n++
		}
	}
	return min(max(n, 0), broker.MaxParts)
}

// wait waits until there may be something to do.
func (p *pool) wait(ctx context.Context, idle bool) {
	var poll <-chan time.Time
	if idle {
		d := p.pollInterval()
		p.poll.Reset(d/2 + rand.N(d)) // servers that began together drift apart
		poll = p.poll.C
	}
	select {
	case a := <-p.finished:
		p.take(a)
	case <-p.freed:
		p.busy--
		p.hungry = true
	case w := <-p.wakes:
		p.follow(w)
	case <-p.wake:
		p.hungry = true
	case <-poll:
		p.hungry, p.polled = true, true
	case <-ctx.Done():
	}
}

// pollInterval returns how long to wait until the pool looks for tasks that nothing
// has announced. Where there were some of late, there will be more.
func (p *pool) pollInterval() time.Duration {
	d := p.server.cfg.PollInterval
	if p.server.doorman.awake.Load() && time.Since(p.found) > strayTime {
		d *= strayFactor
	}
	return d
}

// commit records the outcomes of batch, which are the first that wait, and
// starts up to want entries. If the broker does not answer, they keep waiting.
func (p *pool) commit(ctx context.Context, batch []*attempt, want int) {
	applied, err := p.apply(ctx, batch, want)
	if err != nil {
		for _, a := range batch {
			a.uncertain = a.uncertain || !errors.Is(err, broker.ErrRefused)
		}
		if ctx.Err() == nil {
			p.complain("storage did not answer", "err", err, "outcomes", len(p.waiting))
		}
		loop.Sleep(ctx, p.backoff.Next())
		return
	}
	p.backoff.Reset()
	if p.polled && len(applied.Leases) > 0 {
		p.found = time.Now()
	}
	if want > 0 {
		p.hungry, p.polled = len(applied.Leases) == want, false
	}
	p.woken = p.woken[:0]
	for i, a := range batch {
		p.answered(a, applied.Outcomes[i])
	}
	p.waiting = slices.Delete(p.waiting, 0, len(batch))
	p.begin(applied.Leases)
	for _, parked := range applied.Parked {
		p.server.cfg.parked(ctx, parked)
	}
}

// apply makes the call. It does not outlast a lease.
func (p *pool) apply(ctx context.Context, batch []*attempt, want int) (broker.Applied, error) {
	ctx, cancel := context.WithTimeout(ctx, p.server.cfg.LeaseDuration)
	defer cancel()
	p.changes = p.changes[:0]
	for _, a := range batch {
		p.changes = append(p.changes, a.change)
	}
	now := time.Now()
	request := broker.LeaseRequest{Max: want, Until: now.Add(p.server.cfg.LeaseDuration), Pass: p.woken}
	if want > 0 {
		request.Queues = p.picker.pick(want)
	}
	applied, err := p.server.broker.Apply(ctx, now, p.changes, request)
	if err == nil {
		err = checkOutcomes(applied.Outcomes, len(batch))
	}
	clear(p.changes)
	return applied, err
}

// answered deals with the broker's answer to the change of an attempt.
func (p *pool) answered(a *attempt, outcome error) {
	lost := errors.Is(outcome, broker.ErrLeaseLost)
	switch {
	case outcome == nil:
		p.recorded(a)
	case lost && a.uncertain:
		a.log(slog.LevelDebug, "outcome had been recorded by a call that was not answered")
		p.recorded(a)
	case lost, a.settleFunc() == nil && len(a.companions) == 0:
		p.lost(a, outcome)
	default:
		p.server.workers.Go(func() { a.refused(outcome) })
	}
}

// recorded closes an attempt whose outcome is stored.
func (p *pool) recorded(a *attempt) {
	s := settles(a.change, &a.settled[0])
	a.tellSettled()
	a.tellRecorded(nil)
	a.announce()
	failed := s.IsFailure()
	a.count.Settled(s.To, failed, a.took)
	a.observe(Event{Kind: EventSettled, Entry: s.Entry, Outcome: s.To, Failed: failed, Err: a.err, Took: a.took})
	if !p.server.doorman.awake.Load() && (len(a.change.Enqueue) > 0 || !a.change.Home.IsZero()) {
		p.server.nudge(p)
	}
	p.close(a)
}

// lost closes an attempt whose outcome is not stored because of why.
func (p *pool) lost(a *attempt, why error) {
	a.log(slog.LevelWarn, "outcome was not recorded", "cause", why, "err", a.err)
	a.tellRecorded(why)
	a.observe(Event{Kind: EventLeaseLost, Err: why, Took: a.took})
	p.hungry = true
	p.close(a)
}

func (p *pool) close(a *attempt) {
	p.server.roster.remove(a)
	p.open--
	if !a.stuck {
		p.busy--
	}
}

// begin runs the handler for each of leases. If the server was told to stop
// while they were on their way, they are given back, the last one first: they
// keep their order.
func (p *pool) begin(leases []broker.Lease) {
	p.open += len(leases)
	p.busy += len(leases)
	if !p.server.leasing() {
		for _, l := range slices.Backward(leases) {
			p.waiting = append(p.waiting, unstarted(p, l))
		}
		return
	}
	now := time.Now()
	for _, l := range leases {
		a := newAttempt(p, p.base(), now, l)
		p.server.roster.add(a)
		p.hands.take(a, p.busy)
	}
}

// parked reports an entry that cannot be read.
func (c Config) parked(ctx context.Context, p broker.Parked) {
	c.Logger.ErrorContext(ctx, "task cannot be read and was archived", "queue", p.Queue, "id", p.ID, "err", p.Err)
	e := Event{Kind: EventParked, Entry: broker.Entry{EntryRef: p.EntryRef}, Err: p.Err}
	c.Observer.observe(ctx, c.Logger, e)
}

// base returns the context that tasks are run in.
func (p *pool) base() context.Context {
	return p.server.cfg.baseContext(func(problem string) {
		p.complain("callback does not work", "callback", "BaseContext", "problem", problem)
	})
}

// complain logs a trouble that may last, and does not repeat itself too often.
func (p *pool) complain(msg string, args ...any) {
	if p.complaints.Allow(time.Now()) {
		p.server.cfg.Logger.Warn(msg, args...)
	}
}

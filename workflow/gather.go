package workflow

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/leatwork/leat/internal/aside"
	"github.com/leatwork/leat/internal/gather"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// batchGrace is how long a step's function may go on that has no more time.
const batchGrace = time.Second

// batched returns the batched steps of the engine's workflows, one for each queue that
// they are in.
func (e *engine) batched() (units []plan.Unit) {
	seen, used := make(map[[2]string]bool), make(map[string]bool)
	for _, p := range e.program.Plans {
		for _, n := range p.Nodes {
			if n.Unit == nil || n.Unit.Batch == nil || seen[[2]string{n.Unit.Type, n.Unit.Queue}] {
				continue
			}
			seen[[2]string{n.Unit.Type, n.Unit.Queue}] = true
			units = append(units, *n.Unit)
			used[n.Unit.Type] = true
		}
	}
	return append(units, e.leftOver(used)...)
}

// leftOver returns the batched steps that are registered and that no workflow has any
// more, in the queues in which the runs of one that had them look for them.
func (e *engine) leftOver(used map[string]bool) (units []plan.Unit) {
	seen := make(map[[2]string]bool)
	for _, s := range e.program.Specs {
		if s.Batch == nil || used[s.Type] {
			continue
		}
		for _, p := range e.program.Plans {
			u := s.Unit
			if u.Resolve(p.Queue, s.Options) != nil || seen[[2]string{u.Type, u.Queue}] {
				continue
			}
			seen[[2]string{u.Type, u.Queue}] = true
			units = append(units, u)
		}
	}
	return units
}

// gather returns what a server does beside the tasks for batched steps.
func (e *engine) gather(units []plan.Unit) func(context.Context) error {
	return func(ctx context.Context) error {
		server, ok := queue.BackgroundFromContext(ctx)
		if !ok {
			return errors.New("gather: not in the background of a server")
		}
		rules := make(map[string]map[string]*gather.Rule)
		for _, u := range units {
			if rules[u.Queue] == nil {
				rules[u.Queue] = make(map[string]*gather.Rule)
			}
			rules[u.Queue][u.Type] = e.rule(server, u)
		}
		w := &gather.Watcher{
			Broker: server.Broker(), Queues: make(map[string]func(string) *gather.Rule),
			Lease: server.Config().LeaseDuration, Patience: server.Patience(), Lost: queue.ErrLeaseLost, Stopped: queue.ErrShutdown,
			Unfit: server.Unfit, Parked: server.Parked, Log: server.Config().Logger,
		}
		for name, of := range rules {
			w.Queues[name] = func(group string) *gather.Rule { return of[group] }
		}
		return w.Run(ctx)
	}
}

// rule returns when a batched step is run, and how.
func (e *engine) rule(server *queue.Background, unit plan.Unit) *gather.Rule {
	return &gather.Rule{
		Grace: unit.Batch.MaxWait, MaxDelay: unit.Batch.MaxWait, MaxSize: unit.Batch.MaxSize, Parallel: 1,
		Run: func(ctx context.Context, leased *gather.Batch) {
			b := &batch{engine: e, server: server, unit: unit, leased: leased}
			b.run(ctx)
		},
	}
}

// A batch is members that a step is run for together.
type batch struct {
	engine  *engine
	server  *queue.Background
	unit    plan.Unit
	leased  *gather.Batch
	members []*member
}

// run runs the step's function for as long as it may take, and settles the members.
func (b *batch) run(ctx context.Context) {
	if b.unit.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.unit.Timeout)
		defer cancel()
	}
	var fit []*member
	parts := make([]gather.Part, len(b.leased.Members))
	for i, l := range b.leased.Members {
		m := &member{batch: b, lease: l, began: time.Now()}
		parts[i] = m
		b.members = append(b.members, m)
		m.ctx, m.trace = b.server.Begin(ctx, l)
		if m.begin(m.ctx); m.err == nil {
			fit = append(fit, m)
		}
	}
	if len(fit) > 0 {
		b.call(ctx, fit)
	}
	for _, m := range b.members {
		m.decide(ctx)
	}
	b.leased.Settle(parts...)
}

// call runs the step's function for some members.
func (b *batch) call(ctx context.Context, of []*member) {
	var inputs [][]byte
	for _, m := range of {
		inputs = append(inputs, m.input)
	}
	step := b.engine.program.Specs[b.unit.Type]
	calling, over := b.traced(ctx, of)
	results, err := aside.Call(calling, batchGrace, func() ([]plan.Result, error) { return step.Many(calling, inputs) })
	over(err)
	for i, m := range of {
		if err != nil {
			m.end(ctx, nil, err)
		} else {
			m.end(ctx, results[i].Output, results[i].Err)
		}
	}
}

// traced tells a tracer that some members are about to be run together.
func (b *batch) traced(ctx context.Context, of []*member) (calling context.Context, over func(error)) {
	t := b.server.Tracer()
	if t == nil {
		return ctx, func(error) {}
	}
	attempts := make([]queue.TracedAttempt, len(of))
	for i, m := range of {
		attempts[i] = m.trace
	}
	calling, done := t.Batch(ctx, b.leased.Queue, b.leased.Group, attempts)
	if done == nil {
		done = func(error) {}
	}
	return calling, done
}

// A member is one entry of a batch: what [queue.Running] is to a task.
type member struct {
	batch   *batch
	ctx     context.Context
	trace   queue.TracedAttempt
	lease   broker.Lease
	began   time.Time
	outcome *stepOutcome
	input   []byte
	err     error
	settle  queue.SettleFunc
	told    func()
	settled broker.Settlement
	change  broker.Settlement // the same as the last change has it
}

// Lease returns the member's lease.
func (m *member) Lease() broker.Lease { return m.lease }

// Broker returns the broker that the batch came from.
func (m *member) Broker() broker.Broker { return m.batch.server.Broker() }

// Serves reports whether the server serves the named queue.
func (m *member) Serves(name string) bool { return m.batch.server.Serves(name) }

// OnSettle has f decide on the change that records the outcome.
func (m *member) OnSettle(f queue.SettleFunc) { m.settle = f }

// OnSettled has f called once what the function of OnSettle has returned is recorded.
func (m *member) OnSettled(f func()) { m.told = f }

// Tracer returns the server's tracer.
func (m *member) Tracer() queue.Tracer { return m.batch.server.Tracer() }

// Tell tells the server's observer.
func (m *member) Tell(ctx context.Context, e queue.Event) { m.batch.server.Tell(ctx, e) }

// begin finds out what the member is for, and its input.
func (m *member) begin(ctx context.Context) {
	defer m.survive()
	if m.err = stalled(m.read(ctx)); m.err != nil {
		return
	}
	v, err := m.batch.engine.visit(ctx, m)
	if err != nil {
		putOff(m.trace, v, err)
		m.err = errors.Join(err, v.noteDeath(ctx))
		return
	}
	m.outcome = &stepOutcome{visit: v, began: m.began, failure: errUnfinished}
	m.settle = m.outcome.settle
	if m.input, err = v.input(ctx); err != nil {
		m.err = stalled(err)
		m.outcome.failure = m.err
		if isPutOff(m.err) {
			m.trace.PutOff("stalled")
		}
		return
	}
	v.tellInputs(ctx)
}

// read reads the documents that a lease of the entry would bring.
func (m *member) read(ctx context.Context) (err error) {
	e := m.lease.Entry
	if e.Home.IsZero() {
		return fmt.Errorf("entry %s belongs to no run: %w", e, task.SkipRetry)
	}
	m.lease.Documents, err = m.Broker().Documents(ctx, e.Home, e.Reads...)
	return err
}

// survive makes a panic in what is done for the member, such as that of a blob store, an
// error of its own.
func (m *member) survive() {
	p := recover()
	if p == nil {
		return
	}
	if m.err = (&task.PanicError{Value: p, Stack: debug.Stack()}); m.outcome != nil {
		m.outcome.failure = m.err
	}
}

// end takes in what the step's function has given.
func (m *member) end(ctx context.Context, output []byte, err error) {
	defer m.survive()
	if err == nil {
		err = m.outcome.complete(ctx, output)
	}
	m.outcome.overdue = ctx.Err() != nil
	if m.outcome.overdue && err != nil {
		err = errors.Join(err, m.outcome.noteDoubt(context.WithoutCancel(ctx)))
	}
	m.outcome.failure, m.err = err, err
}

// decide decides how the member's lease ends. One that the server has interrupted goes
// back to its group.
func (m *member) decide(ctx context.Context) {
	if queue.Interrupted(ctx, m.err) {
		m.settled = broker.Settlement{Token: m.lease.Token, Entry: m.lease.Entry, To: broker.Released}
		m.settle, m.told = nil, nil
		return
	}
	m.settled = m.batch.server.Settlement(ctx, m.lease, m.began, nil, m.err)
}

// Change implements [gather.Part].
func (m *member) Change(refused error) broker.Change {
	c := broker.Change{Settle: []broker.Settlement{m.settled}}
	if m.settle != nil {
		c = m.settle(m.settled, refused)
	}
	for i := range c.Settle {
		if s := &c.Settle[i]; s.Entry.EntryRef == m.lease.Entry.EntryRef {
			m.trace.Settle(s, m.err)
			m.change = *s
		}
	}
	return c
}

// Settled implements [gather.Part].
func (m *member) Settled(err error) {
	if err == nil {
		m.count()
	}
	if err == nil && m.told != nil {
		m.told()
	}
	m.trace.Settled(err)
}

// count counts what was recorded in the server's history.
func (m *member) count() {
	e := queue.Event{Kind: queue.EventStarted, Entry: m.lease.Entry}
	if !m.lease.Ready.IsZero() {
		e.Waited = m.began.Sub(m.lease.Ready)
	}
	m.batch.server.Count(e)
	e = queue.Event{Kind: queue.EventSettled, Entry: m.change.Entry, Outcome: m.change.To, Failed: m.change.IsFailure(), Took: time.Since(m.began)}
	m.batch.server.Count(e)
}

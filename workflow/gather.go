package workflow

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// How batches are leased, and how often a server looks whether there is one.
const (
	batchLease  = 10 * time.Second
	batchExtend = 3 * time.Second
	batchLook   = 250 * time.Millisecond
	batchGrace  = 3 * time.Second // for the step's function, once it has no more time
)

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

// gather returns what a server does beside the tasks for a batched step.
func (e *engine) gather(unit plan.Unit) func(context.Context) error {
	return func(ctx context.Context) error {
		background, ok := queue.BackgroundFromContext(ctx)
		if !ok {
			return errors.New("gather: not in the background of a server")
		}
		for {
			size, err := e.runBatch(ctx, background, unit)
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("batches of step %s: %w", unit.Type, err)
			}
			pause := batchLook
			if size > 0 {
				pause = 0
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
		}
	}
}

// A batch is entries of a group that are leased together.
type batch struct {
	engine  *engine
	server  *queue.Background
	unit    plan.Unit
	leased  broker.Batch
	members []*member
}

// runBatch runs the next batch of a step, if there is one, and returns its size.
func (e *engine) runBatch(ctx context.Context, server *queue.Background, unit plan.Unit) (int, error) {
	now := time.Now()
	leased, err := server.Broker().Gather(ctx, now, broker.GatherRequest{
		Queue: unit.Queue, Group: unit.Type, Token: uuid.NewString(),
		Grace: unit.Batch.MaxWait, MaxDelay: unit.Batch.MaxWait, MaxSize: unit.Batch.MaxSize, Until: now.Add(batchLease),
	})
	if err != nil || leased.Token == "" {
		return 0, err
	}
	// What is leased is run to its end, also if the server is told to stop.
	b := &batch{engine: e, server: server, unit: unit, leased: leased}
	return len(leased.Entries), b.run(context.WithoutCancel(ctx))
}

func (b *batch) run(ctx context.Context) error {
	held, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	stop := b.extend(held, lost)
	defer stop()
	b.work(held)
	return b.settle(ctx)
}

// work runs the step's function for as long as it may take.
func (b *batch) work(ctx context.Context) {
	if b.unit.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.unit.Timeout)
		defer cancel()
	}
	for _, e := range b.leased.Entries {
		m := &member{batch: b, entry: e}
		m.begin(ctx)
		b.members = append(b.members, m)
	}
	b.call(ctx)
}

// extend keeps the batch leased until the function that it returns is called. When the
// lease is lost the batch's context ends.
func (b *batch) extend(ctx context.Context, lost context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		ref := broker.LeaseRef{EntryRef: b.leased.Entries[0].EntryRef, Token: b.leased.Token}
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(batchExtend):
			}
			now := time.Now()
			held, err := b.server.Broker().Extend(ctx, now, now.Add(batchLease), ref)
			if err == nil && held[0] == broker.Lost {
				lost(queue.ErrLeaseLost)
				return
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// call runs the step's function for those members that have an input. One whose worker
// has died is run alone, so that it can be no other's death.
func (b *batch) call(ctx context.Context) {
	var together []*member
	for _, m := range b.members {
		switch {
		case m.err != nil:
		case m.entry.Crashes > 0:
			b.callFor(ctx, []*member{m})
		default:
			together = append(together, m)
		}
	}
	if len(together) > 0 {
		b.callFor(ctx, together)
	}
}

// callFor runs the step's function for some members.
func (b *batch) callFor(ctx context.Context, of []*member) {
	var inputs [][]byte
	for _, m := range of {
		inputs = append(inputs, m.input)
	}
	step := b.engine.program.Specs[b.unit.Type]
	results, err := aside(ctx, batchGrace, func() ([]plan.Result, error) { return step.Many(ctx, inputs) })
	for i, m := range of {
		if err != nil {
			m.end(ctx, nil, err)
		} else {
			m.end(ctx, results[i].Output, results[i].Err)
		}
	}
}

// settle records what has come of each member, a hundred together.
func (b *batch) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, batchLease)
	defer cancel()
	const together = 100
	for from := 0; from < len(b.members); from += together {
		if err := b.settleSome(ctx, b.members[from:min(from+together, len(b.members))]); err != nil {
			return err
		}
	}
	return nil
}

// settleSome settles members, those again whose change was refused.
func (b *batch) settleSome(ctx context.Context, members []*member) error {
	for range 5 {
		changes := make([]broker.Change, len(members))
		for i, m := range members {
			changes[i] = m.change(ctx)
		}
		applied, err := b.server.Broker().Apply(ctx, time.Now(), changes, broker.LeaseRequest{})
		if err != nil {
			return err
		}
		var again []*member
		for i, outcome := range applied.Outcomes {
			if outcome != nil && !errors.Is(outcome, broker.ErrLeaseLost) {
				members[i].refused = outcome
				again = append(again, members[i])
			}
		}
		if members = again; len(members) == 0 {
			return nil
		}
	}
	return fmt.Errorf("settle %s: %w", members[0].entry, members[0].refused)
}

// A member is one entry of a batch: what [queue.Running] is to a task.
type member struct {
	batch   *batch
	entry   broker.Entry
	docs    []broker.Document
	outcome *stepOutcome
	input   []byte
	err     error
	fate    broker.End // it is not run, and ended for this
	settled queue.SettleFunc
	refused error
}

// Lease returns the member's lease.
func (m *member) Lease() broker.Lease {
	return broker.Lease{Entry: m.entry, Token: m.batch.leased.Token, Until: m.batch.leased.Until, Documents: m.docs}
}

// Broker returns the broker that the batch came from.
func (m *member) Broker() broker.Broker { return m.batch.server.Broker() }

// Serves reports whether the server serves the named queue.
func (m *member) Serves(name string) bool { return m.batch.server.Serves(name) }

// OnSettle has f decide on the change that records the outcome.
func (m *member) OnSettle(f queue.SettleFunc) { m.settled = f }

// begin finds out what the member is for, and its input.
func (m *member) begin(ctx context.Context) {
	defer m.survive()
	if m.err = stalled(m.read(ctx)); m.err != nil {
		return
	}
	var why error
	if m.fate, why = m.batch.server.Unfit(m.entry); why != nil {
		m.err = fmt.Errorf("%w: %w", why, task.SkipRetry)
		return
	}
	v, err := m.batch.engine.visit(ctx, m)
	if err != nil {
		m.err = errors.Join(err, v.noteDeath(ctx))
		return
	}
	m.outcome = &stepOutcome{visit: v, began: time.Now(), failure: errUnfinished}
	m.settled = m.outcome.settle
	if m.input, err = v.input(ctx); err != nil {
		m.err = stalled(err)
		m.outcome.failure = m.err
	}
}

// read reads the documents that a lease of the entry would bring.
func (m *member) read(ctx context.Context) (err error) {
	if m.entry.Home.IsZero() {
		return fmt.Errorf("entry %s belongs to no run: %w", m.entry, task.SkipRetry)
	}
	m.docs, err = m.Broker().Documents(ctx, m.entry.Home, m.entry.Reads...)
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
	m.outcome.failure, m.outcome.overdue, m.err = err, ctx.Err() != nil, err
}

// change returns the change that settles the member.
func (m *member) change(ctx context.Context) broker.Change {
	s := m.batch.server.Settlement(ctx, m.Lease(), m.err)
	if m.settled == nil || m.fate != 0 {
		s.End = m.fate
		return broker.Change{Settle: []broker.Settlement{s}}
	}
	return m.settled(s, m.refused)
}

package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// How long an entry waits that this server cannot run, because it does not have
// all that the run's plan consists of, and one whose run is paused.
const (
	elsewhere     = 5 * time.Second // at first; a tenth of the run's age later
	elsewhereMost = time.Minute
	asleep        = 10 * time.Second
)

// stall is how long an entry waits because the storage did not answer.
const stall = time.Second

// stalled returns an error of the storage, or of what was read from it, as an outcome
// that costs no attempt, unless it says itself what it is.
func stalled(err error) error {
	if _, snoozed := errors.AsType[*task.SnoozeError](err); err == nil || snoozed ||
		errors.Is(err, task.SkipRetry) || errors.Is(err, task.Revoke) || errors.Is(err, task.ErrHandlerNotFound) {
		return err
	}
	return fmt.Errorf("%w: %w", err, task.Snooze(stall))
}

// isPutOff reports whether err has an entry wait for something else than its own retry.
func isPutOff(err error) bool {
	_, snoozed := errors.AsType[*task.SnoozeError](err)
	return snoozed || errors.Is(err, task.ErrHandlerNotFound)
}

// pausedText says in an entry's last error that it has fallen asleep in a pause.
const pausedText = "is paused"

// A visit is one lease of an entry that belongs to a run.
type visit struct {
	graph
	part
	running server
	ctx     context.Context // for whoever is told of the visit
	tracer  Tracer          // nil: there is none
	news    news
	lease   broker.Lease
	version int64 // of the control document, as last seen
	values  *values
	lists   map[int][][]byte // the elements of a map, by its node
}

// A server is what carries out a leased entry: a [queue.Running], or a batch's member.
type server interface {
	audience
	Lease() broker.Lease
	Broker() broker.Broker
	Serves(queue string) bool
	OnSettle(queue.SettleFunc)
	OnSettled(func())
}

// visit finds out what a leased entry is for. The errors are outcomes for the
// task: dropped if its run has gone or does not want it any more, put off if the
// run is paused or this server cannot carry it out.
func (e *engine) visit(ctx context.Context, running server) (*visit, error) {
	lease := running.Lease()
	v := &visit{running: running, ctx: ctx, tracer: tracerOf(running), lease: lease, graph: graph{home: lease.Entry.Home}}
	if len(lease.Documents) == 0 {
		return nil, fmt.Errorf("entry %s of run %s reads no control document: %w", lease.Entry, v.home.ID, task.SkipRetry)
	}
	var err error
	if v.control, err = e.controls.decode(v.home, lease.Documents[0]); err != nil {
		return nil, fmt.Errorf("run %s: %w: %w", v.home.ID, err, task.Revoke)
	}
	v.version = lease.Documents[0].Version
	if !strings.HasPrefix(lease.Entry.ID, v.root()) {
		return nil, fmt.Errorf("entry %s is left of an earlier run %s: %w", lease.Entry, v.home.ID, task.Revoke)
	}
	if v.Plan, err = e.plan(ctx, running, v.control.Workflow, v.control.Plan); err != nil {
		return nil, fmt.Errorf("run %s goes by plan %s of workflow %s, which this server cannot carry out: %w: %w",
			v.home.ID, v.control.Plan, v.control.Workflow, err, task.Snooze(v.elsewhere()))
	}
	if queue := decideName(v.Name); !running.Serves(queue) {
		return nil, fmt.Errorf("server does not serve %s, as it would if it had been started with the mux on which workflow %s was registered before: %w",
			queue, v.Name, task.ErrHandlerNotFound)
	}
	if v.part = v.place(lease.Entry.ID); v.node == nil {
		v.node = v.End()
		v.running.OnSettle(v.abandon) // the run does not wait for it
		return nil, fmt.Errorf("entry %s is no part of workflow %s: %w", lease.Entry, v.Name, task.SkipRetry)
	}
	v.values = newValues(v.graph, running.Broker(), lease.Documents)
	return v, v.admit()
}

// elsewhere is how long the entry waits for a server that can carry it out.
func (v *visit) elsewhere() time.Duration {
	return min(max(time.Since(v.control.Started)/10, elsewhere), elsewhereMost)
}

// admit says whether the run, as it stands, wants what the entry is for.
func (v *visit) admit() error {
	state := v.control.State
	switch {
	case state == Running, slices.Contains(closers[v.cause], state):
		return nil
	case state == Paused:
		v.running.OnSettle(func(s broker.Settlement, refused error) broker.Change { return v.doze(nil, s, refused) })
		return fmt.Errorf("run %s %s: %w", v.home.ID, pausedText, task.Snooze(asleep))
	default:
		return fmt.Errorf("run %s is %s: %w", v.home.ID, state, task.Revoke)
	}
}

// add adds a part to a change.
func add(c *broker.Change, p broker.Part) {
	c.Enqueue, c.Arrive = append(c.Enqueue, p.Enqueue...), append(c.Arrive, p.Arrive...)
}

// change returns a change of the run that settles s.
func (v *visit) change(s broker.Settlement) broker.Change {
	c := v.writes()
	c.Settle = []broker.Settlement{s}
	return c
}

// writes returns a change of the run as it stands.
func (v *visit) writes() broker.Change {
	return broker.Change{Home: v.home, Require: []broker.Condition{{Key: controlKey, Version: v.version}}}
}

// goesOn reports whether anything follows from what is recorded of the run now: of one
// that is paused, or closes, it is only recorded.
func (v *visit) goesOn() bool { return v.control.State == Running }

// record adds to c what has come of n, and what follows from that.
func (v *visit) record(c *broker.Change, n *plan.Node, r record) {
	c.Put = append(c.Put, broker.Put{Key: v.key(n), Body: r.encode()})
	switch {
	case !v.goesOn():
	case r.state.bad() && n.Fatal:
		v.close(c, Failed, r.failure())
	default:
		add(c, v.follow(n, r.state))
	}
}

// close adds to c that the run closes: nothing of it begins any more, what runs is
// waited for.
func (v *visit) close(c *broker.Change, to State, failure *StepError) {
	v.turn(c, v.control.closing(to, failure))
	c.Enqueue = append(c.Enqueue, v.about(causeStop))
}

// turn adds to c that next takes the place of the control document.
func (v *visit) turn(c *broker.Change, next control) {
	c.Require = slices.DeleteFunc(c.Require, func(r broker.Condition) bool { return r.Key == controlKey })
	c.Put = append(c.Put, next.put(v.version))
	c.List = next.listing()
}

// end adds to c what ends the run: the control document, the time until which it is
// kept, and that whoever waits for it is told.
func (v *visit) end(c *broker.Change, last control) {
	v.turn(c, last)
	keep := v.Terms.Retention
	if last.State != Done {
		keep = v.Terms.FailureRetention
	}
	c.Close = last.Ended.Add(keep)
	if !last.Deadline.IsZero() {
		c.Move = append(c.Move, broker.Move{EntryRef: v.about(causeDeadline).EntryRef, Do: broker.Delete})
	}
	if last.Parent != nil {
		c.Enqueue = append(c.Enqueue, v.joined())
	}
	v.news.last = &last
}

// strand adds to c that the run is stuck, and why.
func (v *visit) strand(c *broker.Change, why string) {
	next := v.control.with(Stuck, why)
	v.turn(c, next)
	v.news.last = &next
}

// A lesson is what a refusal means for the next try.
type lesson int

const (
	again       lesson = iota // with what is known now
	nothingLeft               // the outcome stands in the run already, or the run has gone or goes on without
	impossible                // no broker takes this change
)

// A refusals is what a change has learned from being refused.
type refusals struct {
	exist map[string]bool // entries and latches that are there already
	still map[string]bool // entries that cannot be moved
}

// learn takes in why a change was refused. If it was for the control document, it
// is the visit's that is brought up to date.
func (v *visit) learn(r *refusals, refused error) lesson {
	if exists, ok := errors.AsType[*broker.ExistsError](refused); ok {
		r.exist = noted(r.exist, exists.Entry.ID+exists.Latch)
		return again
	}
	if state, ok := errors.AsType[*broker.StateError](refused); ok {
		r.still = noted(r.still, state.Entry.ID)
		return again
	}
	conflict, ok := errors.AsType[*broker.ConflictError](refused)
	switch {
	case !ok && errors.Is(refused, broker.ErrNotFound):
		r.still = noted(r.still, "")
		return again
	case !ok:
		return impossible
	case conflict.Document.Key != controlKey:
		return nothingLeft
	}
	c, err := decodeControl(conflict.Document)
	if err != nil || c.Tag != v.control.Tag {
		return nothingLeft
	}
	v.version, v.control = conflict.Document.Version, c
	return again
}

func noted(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = make(map[string]bool)
	}
	set[name] = true
	return set
}

// apply leaves out of c what it was refused for.
func (r refusals) apply(c *broker.Change) {
	if r.exist != nil {
		c.Enqueue = slices.DeleteFunc(c.Enqueue, func(e broker.Entry) bool { return r.exist[e.ID] })
		c.Open = slices.DeleteFunc(c.Open, func(l broker.Latch) bool { return r.exist[l.ID] })
	}
	if r.still != nil {
		c.Move = slices.DeleteFunc(c.Move, func(m broker.Move) bool { return r.still[m.ID] || r.still[""] })
	}
}

// isPassing reports whether a change was refused for something that has changed, so
// that it is worth another look.
func isPassing(refused error) bool { return errors.Is(refused, broker.ErrConflict) }

// doze settles an entry that falls asleep, for as long as nothing is recorded of what
// it waits for, and its run stands as it did: or else it looks again at once.
func (v *visit) doze(outcome []broker.Condition, s broker.Settlement, refused error) broker.Change {
	if s.To != broker.Retry {
		return v.abandon(s, refused)
	}
	c := v.change(s)
	c.Require = append(c.Require, outcome...)
	if refused != nil {
		c.Require = nil
		c.Settle[0].At = time.Now()
	}
	return c
}

package tracing

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// An attempt is a leased entry, from when it is its turn until its outcome is recorded.
// Only then are its spans exported, by who has recorded it: if the lease was lost, the
// next lease exports them instead.
type attempt struct {
	tracer  *Tracer
	ctx     context.Context // the handler's
	lease   broker.Lease
	label   *label
	cover   cover
	history history // as far as it is known now
	bare    bool    // the entry has come without any context

	began   time.Time
	number  int // of this attempt, from 1 on
	process linker

	putOff string
	adrift bool              // the entry has no room for what the next attempt would have to know
	to     broker.Settlement // how it is settled, as far as was said
	err    error             // what the handler has come to
	ended  time.Time         // when that was said

	linking    sync.Mutex  // guards process: a function that was given up may still look for its input
	sends      atomic.Bool // something was sent from within
	afterwards []func()    // what else is exported once the outcome is recorded
}

type attemptKey struct{}

// attemptOf returns the attempt whose handler has ctx, nil if it is none that is traced.
func attemptOf(ctx context.Context) *attempt {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	return a
}

// Begin implements [queue.Tracer].
func (t *Tracer) Begin(ctx context.Context, l broker.Lease) (context.Context, queue.TracedAttempt) {
	e := &l.Entry
	ctx, from := t.extract(ctx, e.Headers)
	switch {
	case from.IsValid() && !from.IsSampled():
		return ctx, nil
	case isDecide(e):
		return ctx, nil // see [Tracer.Decided]
	case !from.IsValid():
		return t.beginBare(ctx, l)
	}
	h := readHistory(e.Headers[headerHistory])
	if isRun(e) && h.start.IsZero() && t.outlived(readOrigin(e.Headers[headerRun]), now()) {
		return t.beginApart(ctx, from, l)
	}
	a := t.newAttempt(l, from, h)
	return a.begin(ctx), a
}

// beginBare begins the attempt of an entry that was enqueued by somebody who traces
// nothing. It begins a trace, which belongs to the lease: if that is lost nobody else
// knows of it but the next one, which has a trace of its own.
func (t *Tracer) beginBare(ctx context.Context, l broker.Lease) (context.Context, queue.TracedAttempt) {
	h := history{own: true}
	if l.Lost != nil && t.covers {
		h.origin, h.why = t.endBare(ctx, l), waitLost
	}
	l.Lost = nil
	self := t.bareRoot(ctx, &l.Entry, l.Token)
	a := t.newAttempt(l, self, h)
	a.bare = true
	if t.covers && !self.IsSampled() {
		a.process.sc, a.ctx = self, trace.ContextWithRemoteSpanContext(ctx, self)
		return a.ctx, a
	}
	return a.begin(ctx), a
}

// endBare exports the trace that a lost lease has begun, and returns its root.
func (t *Tracer) endBare(ctx context.Context, l broker.Lease) trace.SpanContext {
	self := t.bareRoot(ctx, &l.Entry, l.Lost.Token)
	if !self.IsSampled() {
		return trace.SpanContext{}
	}
	a := t.newAttempt(l, self, history{own: true})
	a.exportLost(ctx, l.Lost)
	t.export(ctx, a.cover.record(&l.Entry, latest(a.history.ended, a.cover.start.Add(shortest)), outcomeContinued, fault{}, a.number-1))
	return self
}

// bareRoot returns the root of the trace that the lease of e with the token begins.
func (t *Tracer) bareRoot(ctx context.Context, e *broker.Entry, token string) trace.SpanContext {
	id := deriveTrace(e.Queue, e.ID, token)
	self := trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: deriveSpan(id, kindTask), Remote: true})
	if !t.covers {
		return self
	}
	return t.decide(ctx, self, t.labels.get(e.Queue, e.Type).task)
}

// beginApart begins the first attempt of a step of a run that is too old for another to be
// in its trace. The step has a trace of its own.
func (t *Tracer) beginApart(ctx context.Context, root trace.SpanContext, l broker.Lease) (context.Context, queue.TracedAttempt) {
	id := deriveTrace(root.TraceID().String(), root.SpanID().String(), l.Entry.ID)
	self := root.WithTraceID(id).WithSpanID(deriveSpan(id, kindStep))
	a := t.newAttempt(l, self, history{own: true, origin: root})
	a.bare = true
	return a.begin(ctx), a
}

func (t *Tracer) newAttempt(l broker.Lease, from trace.SpanContext, h history) *attempt {
	a := &attempt{tracer: t, lease: l, history: h, began: now()}
	a.label = t.labels.get(l.Entry.Queue, l.Entry.Type)
	a.number = h.attempts + l.Entry.Crashes + 1
	a.cover = t.coverOf(&a.lease, from, h)
	if !t.covers {
		a.cover.self = a.cover.nearest()
	}
	if a.cover.start.IsZero() {
		var known bool
		if a.cover.start, known = a.firstSeen(); !known {
			a.cover.run = append(a.cover.run, keyStartUnknown.Bool(true))
		}
	}
	a.began = latest(a.began, a.cover.start)
	return a
}

// firstSeen returns when an entry began to wait of which nobody has kept that, and whether
// that is known: of a step that was lost again and again, it is only that it began no
// earlier than its run. No step does, whatever clocks say.
func (a *attempt) firstSeen() (at time.Time, known bool) {
	run := readOrigin(a.lease.Entry.Headers[headerRun]).start
	switch l := a.lease; {
	case l.Entry.Crashes > 1 && !run.IsZero():
		return run, false
	case l.Lost != nil && !l.Lost.Began.IsZero():
		return latest(run, micros(l.Lost.Began)), true
	case !l.Ready.IsZero() && l.Ready.Before(a.began):
		return latest(run, micros(l.Ready)), true
	default:
		return latest(run, a.began), true
	}
}

// begin starts the span of the attempt, and returns the handler's context.
func (a *attempt) begin(ctx context.Context) context.Context {
	t := a.tracer
	if lost := a.lease.Lost; lost != nil && t.covers {
		a.exportLost(ctx, lost)
	}
	span := t.open(ctx, a.cover.self, a.processOf(a.lease.Token), a.label.process, append(a.label.processing[:len(a.label.processing):len(a.label.processing)], trace.WithTimestamp(a.began))...)
	a.process = linker{span: span, sc: span.SpanContext()}
	if span.IsRecording() {
		span.SetAttributes(a.processAttributes(a.number)...)
		a.process.link(a.cover.origin)
		a.process.link(a.prior())
	}
	a.ctx = context.WithValue(trace.ContextWithSpan(ctx, span), attemptKey{}, a)
	return a.ctx
}

// processOf returns the context of the attempt that had the lease with the token.
func (a *attempt) processOf(token string) trace.SpanContext {
	return at(a.cover.self, deriveSpan(a.cover.self.TraceID(), kindProcess, a.lease.Entry.Queue, a.lease.Entry.ID, token))
}

// prior returns the context of the attempt before, not valid if there is none, or if it is
// what the entry comes from.
func (a *attempt) prior() trace.SpanContext {
	if !a.history.prior.IsValid() || a.history.prior == a.cover.origin.SpanID() {
		return trace.SpanContext{}
	}
	return at(a.cover.self, a.history.prior)
}

func (a *attempt) processAttributes(number int) []attribute.KeyValue {
	e := &a.lease.Entry
	set := []attribute.KeyValue{messageID(e.ID), keyAttempt.Int(number), keyMaxRetry.Int(e.MaxRetry)}
	if isRun(e) {
		set = append(set, conversation(e.Home.ID))
	}
	return set
}

// exportLost exports the attempt whose worker has died, from which nothing more comes,
// and takes note of it.
func (a *attempt) exportLost(ctx context.Context, lost *broker.LostLease) {
	began := earliest(latest(micros(lost.Began), a.cover.start), a.began)
	ended := a.began
	if ready := micros(a.lease.Ready); ready.After(began) && ready.Before(ended) {
		ended = ready
	}
	self, links := a.processOf(lost.Token), []trace.SpanContext{a.cover.origin}
	if a.lease.Entry.Crashes <= 1 { // else it is not known what was before
		links = append(links, a.prior())
		if !a.history.start.IsZero() {
			a.exportWait(ctx, lost.Token, a.number-1, began, time.Time{})
		}
	}
	a.tracer.export(ctx, record{
		parent: a.cover.self,
		self:   self,
		name:   a.label.process,
		kind:   trace.SpanKindConsumer,
		start:  began,
		end:    ended,
		attributes: append(append(processAttributes(a.lease.Entry.Queue), a.processAttributes(a.number-1)...),
			a.label.taskType, keyExportedBy.String(exportedByNext), keyOutcome.String(outcomeLost)),
		links: links,
		fault: fault{kind: errorWorkerLost},
	})
	a.history.prior, a.history.ended, a.history.why = self.SpanID(), latest(a.history.ended, ended), waitLost
}

// exportWait exports for how long the attempt of that number, which had the lease with the
// token, had to wait until it began.
func (a *attempt) exportWait(ctx context.Context, token string, number int, began, ready time.Time) {
	if a.tracer.detail == Minimal {
		return
	}
	from, why := earliest(latest(a.history.ended, a.cover.start), began), a.history.why
	switch {
	case why != "":
	case a.lease.Entry.Group != "": // the first attempt of a step that shares its work
		why = waitGroup
	default:
		why = waitQueue
	}
	r := record{
		parent:     a.cover.self,
		self:       at(a.cover.self, deriveSpan(a.cover.self.TraceID(), kindWait, a.lease.Entry.Queue, a.lease.Entry.ID, token)),
		name:       a.label.wait,
		kind:       trace.SpanKindInternal,
		start:      from,
		end:        began,
		attributes: []attribute.KeyValue{keyWaitReason.String(why), a.label.taskType, keyAttempt.Int(number)},
	}
	if why == waitGroup {
		r.attributes = append(r.attributes, keyGroup.String(a.lease.Entry.Group))
	}
	if ready.After(from) && ready.Before(began) {
		r.ready = ready
	}
	a.tracer.export(ctx, r)
}

// PutOff implements [queue.TracedAttempt]. There is no attempt then, as far as spans tell,
// unless somebody has begun some below it: the entry goes on waiting.
func (a *attempt) PutOff(why string) { a.putOff = word(why) }

// vanishes reports whether nothing is told of the attempt.
func (a *attempt) vanishes() bool {
	return a.putOff != "" && !a.sends.Load() && !hasChildren(a.process.span)
}

// outcome says in a word what came of the attempt.
func (a *attempt) outcome() string {
	if a.putOff != "" && a.to.To == broker.Retry {
		return a.putOff
	}
	return outcome(a.to, a.err)
}

// Settle implements [queue.TracedAttempt].
func (a *attempt) Settle(s *broker.Settlement, err error) {
	a.to, a.err, a.ended = broker.Settlement{To: s.To, End: s.End, Failed: s.Failed}, err, latest(a.now(), a.began.Add(shortest))
	if s.To != broker.Done {
		s.Headers = a.headers(s)
		a.adrift = a.bare && !a.cover.step && s.Headers[headerHistory] == ""
	}
}

// now returns the time, in which all that was sent from within has ended.
func (a *attempt) now() time.Time {
	if a.sends.Load() {
		return now().Add(shortest)
	}
	return now()
}

// headers returns those that the entry is kept with, nil if they stay as they are.
func (a *attempt) headers(s *broker.Settlement) map[string]string {
	t, old := a.tracer, a.lease.Entry.Headers
	switch {
	case !t.covers && a.bare: // what comes hangs below this attempt
		h := a.goesOn(s)
		h.own = false
		return t.inject(a.ctx, a.process.sc, h, old)
	case !t.covers:
		return note(old, a.goesOn(s))
	case !a.cover.self.IsSampled():
		return t.inject(a.ctx, a.cover.self, history{}, old)
	}
	ends := s.To == broker.Completed || s.To == broker.Archived
	switch h := a.goesOn(s); {
	case (ends || a.tooOld()) && !a.cover.step:
		h = history{attempts: h.attempts, origin: a.cover.self, own: true}
		if !ends {
			h.start, h.why = a.ended, a.waitsFor()
		}
		return t.inject(a.ctx, a.cover.again(), h, old)
	case ends:
		return note(old, history{attempts: h.attempts, again: h.again + 1})
	case a.bare:
		return t.inject(a.ctx, a.cover.self, h, old)
	default:
		return note(old, h)
	}
}

// goesOn returns the history of an entry that is not at its end.
func (a *attempt) goesOn(s *broker.Settlement) history {
	h := a.history
	h.start, h.why, h.attempts = a.cover.start, a.waitsFor(), a.number
	if s.To == broker.Released {
		h.attempts -= a.lease.Entry.Crashes // they are counted on
	}
	if a.vanishes() {
		h.attempts--
	} else {
		h.prior, h.ended = a.process.sc.SpanID(), latest(h.ended, a.ended)
	}
	return h
}

// waitsFor says why an entry waits that was not done.
func (a *attempt) waitsFor() string {
	switch {
	case a.putOff != "":
		return a.putOff
	case a.to.To == broker.Released:
		return waitRelease
	case isSnooze(a.err):
		return waitSnooze
	case isUnhandled(a.err):
		return waitHandler
	default:
		return waitRetry
	}
}

// Settled implements [queue.TracedAttempt]. If the outcome was not recorded, all spans are
// somebody else's.
func (a *attempt) Settled(err error) {
	if err != nil {
		return
	}
	defer func() {
		for _, f := range a.afterwards {
			f()
		}
	}()
	if !a.process.sc.IsSampled() {
		return
	}
	t, end := a.tracer, a.ended // as the entry keeps it
	over := a.to.To == broker.Done || a.to.To == broker.Completed || a.to.To == broker.Archived
	if over && (!a.cover.step || a.sends.Load()) { // somebody may be ahead with what follows from a step
		end = latest(a.now(), end)
	}
	if over || !a.vanishes() {
		if t.covers {
			a.exportWait(a.ctx, a.lease.Token, a.number, a.began, micros(a.lease.Ready))
		}
		a.process.span.SetAttributes(keyOutcome.String(a.outcome()))
		a.linking.Lock()
		a.process.close()
		a.linking.Unlock()
		t.close(a.process.span, a.began, end, faultOf(a.to, a.err))
	}
	if t.covers && (over || a.tooOld() || a.adrift) {
		a.exportCover(latest(end, a.history.ended))
	}
}

// tooOld reports whether the entry is to go on in another trace.
func (a *attempt) tooOld() bool {
	age := a.tracer.maxAge
	return age > 0 && a.ended.Sub(a.cover.start) > age && !a.cover.step
}

func (a *attempt) exportCover(end time.Time) {
	c := a.cover
	how, f := a.outcome(), fault{}
	switch a.to.To {
	case broker.Archived:
		f = faultOf(a.to, a.err)
	case broker.Retry, broker.Released:
		how = outcomeContinued
	}
	a.tracer.export(a.ctx, c.record(&a.lease.Entry, end, how, f, a.number))
}

// isRun reports whether e belongs to a run. A home beside a queue that the engine has made
// up only keeps what is open.
func isRun(e *broker.Entry) bool {
	return !e.Home.IsZero() && !strings.ContainsRune(e.Home.Queue, task.Joint)
}

// isDecide reports whether e is there for a workflow to decide how a run goes on.
func isDecide(e *broker.Entry) bool { return isRun(e) && strings.HasSuffix(e.Type, decideSuffix) }

// decideSuffix ends the type of what a workflow decides by.
const decideSuffix = string(task.Joint) + "decide"

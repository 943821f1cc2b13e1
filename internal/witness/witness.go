// Package witness has a tracer for tests: it writes down what it is told, and finds what
// it should not be told as it is.
package witness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// The headers that a [Witness] sets.
const (
	Sent    = "witness-sent"    // by Send: the name of its context, and the entry's id
	Settled = "witness-settled" // by Settle: a stroke for each attempt so far
)

// A Witness is a [queue.Tracer] and a [periodic.Tracer].
type Witness struct {
	mu     sync.Mutex
	lines  []string
	faults []string
	open   map[string]int // what was begun and has not ended, in words
}

var (
	_ queue.Tracer    = (*Witness)(nil)
	_ periodic.Tracer = (*Witness)(nil)
)

type nameKey struct{}

// In returns a context that has a name.
func In(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, nameKey{}, name)
}

// Name returns the name of ctx: that of [In], the id of the task whose handler has it, or
// "batch" and "tick" with the name of the group or entry.
func Name(ctx context.Context) string {
	name, _ := ctx.Value(nameKey{}).(string)
	return name
}

// Lines returns what the witness was told, in order.
func (w *Witness) Lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lines)
}

// About returns those of the lines that begin with one of words.
func (w *Witness) About(words ...string) []string {
	return slices.DeleteFunc(w.Lines(), func(line string) bool {
		word, _, _ := strings.Cut(line, " ")
		return !slices.Contains(words, word)
	})
}

// Faults returns what was told otherwise than promised; and, now that all is over, what
// was begun and has not ended, other than sends and ticks of which nobody may know.
func (w *Witness) Faults() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	faults := slices.Clone(w.faults)
	for what, n := range w.open {
		if n > 0 && !strings.HasPrefix(what, "send") && !strings.HasPrefix(what, "tick") {
			faults = append(faults, what+" has not ended")
		}
	}
	return faults
}

// Unsent returns the sends and ticks of which the witness was not told what came of them.
func (w *Witness) Unsent() (unsent []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for what, n := range w.open {
		if n > 0 && (strings.HasPrefix(what, "send") || strings.HasPrefix(what, "tick")) {
			unsent = append(unsent, what)
		}
	}
	return unsent
}

func (w *Witness) note(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// begin notes that something begins, and returns what notes that it has ended, once.
func (w *Witness) begin(what string) (end func(how string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		w.open = make(map[string]int)
	}
	w.open[what]++
	w.note("%s", what)
	ended := false
	return func(how string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.open[what]--
		w.note("%s", how)
		if ended {
			w.faults = append(w.faults, what+" has ended twice: "+how)
		}
		ended = true
	}
}

func (w *Witness) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// Send implements [queue.Tracer].
func (w *Witness) Send(ctx context.Context, entries []*broker.Entry) (sent func([]error)) {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
		if e.Headers[Sent] != "" {
			w.fault("entry %s is sent twice", e.ID)
		}
		e.Headers = with(e.Headers, Sent, Name(ctx)+":"+e.ID)
	}
	list := strings.Join(ids, ",")
	what := "send " + list
	if name := Name(ctx); name != "" {
		what += " in " + name
	}
	end := w.begin(what)
	return func(outcomes []error) {
		if len(outcomes) != len(entries) {
			w.fault("%d outcomes of sending %s", len(outcomes), list)
		}
		end("sent " + list + ": " + texts(outcomes))
	}
}

func texts(errs []error) string {
	var all []string
	for _, err := range errs {
		all = append(all, text(err))
	}
	return strings.Join(all, "; ")
}

func text(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

func with(headers map[string]string, key, value string) map[string]string {
	made := map[string]string{key: value}
	for k, v := range headers {
		if k != key {
			made[k] = v
		}
	}
	return made
}

// Begin implements [queue.Tracer].
func (w *Witness) Begin(ctx context.Context, l broker.Lease) (context.Context, queue.TracedAttempt) {
	a := &attempt{witness: w, lease: l}
	a.end = w.begin("begin " + l.Entry.ID)
	return In(ctx, l.Entry.ID), a
}

// Batch implements [queue.Tracer].
func (w *Witness) Batch(ctx context.Context, name, group string, members []queue.TracedAttempt) (context.Context, func(error)) {
	var ids []string
	for _, m := range members {
		a, ok := m.(*attempt)
		if !ok {
			w.fault("batch of %s has a member %T", group, m)
			continue
		}
		a.use("batch")
		ids = append(ids, a.lease.Entry.ID)
	}
	end := w.begin(fmt.Sprintf("batch %s/%s %s", name, group, strings.Join(ids, ",")))
	return In(ctx, "batch "+group), func(err error) { end(fmt.Sprintf("ran %s/%s: %s", name, group, text(err))) }
}

// Moved implements [queue.Tracer].
func (w *Witness) Moved(_ context.Context, e broker.Stored, act broker.Act) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("moved %s: %s of one that is %s", e.ID, act, e.State)
}

// Tick implements [periodic.Tracer].
func (w *Witness) Tick(ctx context.Context, t periodic.TracedTick) (context.Context, func(error)) {
	end := w.begin("tick " + t.ID)
	return In(ctx, "tick "+t.Entry), func(err error) { end("fired " + t.ID + ": " + text(err)) }
}

// An attempt is a [queue.TracedAttempt].
type attempt struct {
	witness *Witness
	lease   broker.Lease
	end     func(how string)

	using   sync.Mutex // held while a method is called
	settled bool       // Settle was called
	over    bool       // Settled was
}

// use begins a call of a method.
func (a *attempt) use(method string) {
	if !a.using.TryLock() {
		a.witness.fault("%s of %s is called while another method is", method, a.lease.Entry.ID)
		return
	}
	defer a.using.Unlock()
	if a.over {
		a.witness.fault("%s of %s is called after Settled", method, a.lease.Entry.ID)
	}
}

// PutOff implements [queue.TracedAttempt].
func (a *attempt) PutOff(why string) {
	a.use("PutOff")
	a.witness.mu.Lock()
	defer a.witness.mu.Unlock()
	a.witness.note("put off %s: %s", a.lease.Entry.ID, why)
}

// Settle implements [queue.TracedAttempt].
func (a *attempt) Settle(s *broker.Settlement, err error) {
	a.use("Settle")
	id := a.lease.Entry.ID
	if s == nil || s.Entry.EntryRef != a.lease.Entry.EntryRef || s.Token != a.lease.Token {
		a.witness.fault("Settle of %s is called with %+v", id, s)
		return
	}
	a.settled = true
	s.Headers = with(a.lease.Entry.Headers, Settled, a.lease.Entry.Headers[Settled]+"|")
	a.witness.mu.Lock()
	defer a.witness.mu.Unlock()
	a.witness.note("settle %s as %s: %s", id, outcome(s), text(err))
}

func outcome(s *broker.Settlement) string {
	how := s.To.String()
	if s.End != 0 {
		how += " " + s.End.String()
	}
	return how
}

// Settled implements [queue.TracedAttempt].
func (a *attempt) Settled(err error) {
	a.use("Settled")
	if err == nil && !a.settled {
		a.witness.fault("%s is settled before Settle was called", a.lease.Entry.ID)
	}
	a.over = true
	a.end(fmt.Sprintf("settled %s: %s", a.lease.Entry.ID, text(err)))
}

package tracing_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"pgregory.net/rapid"

	"github.com/leatwork/leat/internal/tracetree"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

// TestWhateverHappensATraceIsATree lives random lives in processes whose clocks and samplers
// do not agree.
func TestWhateverHappensATraceIsATree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		draws := rapid.SliceOfN(rapid.IntRange(0, 1<<16), 0, 150).Draw(r, "draws")
		var faults []string
		var tree string
		synctest.Test(t, func(t *testing.T) {
			f := newFate(t, draws)
			for i := range 1 + f.draw(3) {
				f.live(f.born(context.Background(), fmt.Sprint("e", i)), 0)
			}
			faults, tree = tracetree.Check(f.spans()), printer.Print(f.spans())
		})
		if len(faults) > 0 {
			r.Errorf("%s\nin\n%s", strings.Join(faults, "\n"), tree)
		}
	})
}

// A fate decides what becomes of tasks.
type fate struct {
	*site
	draws  []int // the first is next; once they are used up, all ends soon
	skewed bool
	count  int
}

func newFate(t *testing.T, draws []int) *fate {
	f := &fate{site: newSite(t), draws: draws}
	f.skewed = f.draw(2) == 1
	for _, name := range []string{"shop", "one", "two"} {
		ratio := pick(f, 1.0, 1, 0)
		c := tracing.Config{MaxTraceAge: pick(f, 0, time.Minute)}
		p := f.process(name, sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio)), c)
		if f.skewed {
			p.ahead = time.Duration(f.draw(200)-100) * time.Millisecond
		}
	}
	return f
}

// draw returns a number below n.
func (f *fate) draw(n int) int {
	if len(f.draws) == 0 {
		return 0
	}
	next := f.draws[0]
	f.draws = f.draws[1:]
	return next % n
}

func pick[T any](f *fate, from ...T) T { return from[f.draw(len(from))] }

func (f *fate) any() *process { return pick(f, f.processes...) }

// born returns a task that somebody has enqueued with ctx.
func (f *fate) born(ctx context.Context, id string) *entry {
	f.count++
	e := newEntry(fmt.Sprint(id, ".", f.count))
	p := f.any()
	by := pick(f, "a caller", "nobody", "an untraced client", "another program")
	if f.skewed && by == "another program" {
		by = "a caller" // there is no telling when that began
	}
	e.DueAt = time.Now().Add(pick(f, 0, time.Second, time.Hour))
	switch by {
	case "a caller":
		ctx, span := p.span(ctx, "caller")
		p.send(ctx, e)
		time.Sleep(time.Millisecond)
		span.End()
	case "nobody":
		p.send(context.Background(), e)
	case "an untraced client":
		e.ready = e.DueAt
	case "another program":
		ctx, span := p.span(ctx, "caller")
		e.Headers, e.ready = traceparent(ctx), e.DueAt
		time.Sleep(time.Millisecond)
		span.End()
	}
	return e
}

// live has e leased again and again until it has ended.
func (f *fate) live(e *entry, depth int) {
	for n := 0; ; n++ {
		u := f.any().lease(e)
		if !f.skewed {
			u.work(time.Duration(1+f.draw(100)) * time.Millisecond)
		}
		if depth < 2 && f.draw(4) == 1 {
			child := newEntry(fmt.Sprint(e.ID, "-", n))
			u.process.send(u.ctx, child)
			defer f.live(child, depth+1)
		}
		if how := f.fates(u, n); f.end(u, how) {
			return
		}
	}
}

// fates draws how a turn ends; after some, for good.
func (f *fate) fates(u *turn, n int) string {
	if n > 6 {
		return "done"
	}
	all := []string{"done", "revoked", "fails", "panics", "snoozes", "put off", "released", "refused", "archived", "completed", "cancelled", "deleted"}
	if strings.Contains(u.Headers["leat-trace"], "s=") || u.Headers["traceparent"] != "" && u.Entry.Crashes == 0 {
		// else nobody knows when it began, or what its first worker has decided
		all = append(all, "dies", "is late")
	}
	return pick(f, all...)
}

// end ends the turn, and reports whether its task has ended for good.
func (f *fate) end(u *turn, how string) bool {
	soon := time.Duration(f.draw(100)) * time.Second
	switch how {
	case "done":
		u.settle(done(), nil)
		return true
	case "revoked":
		u.settle(done(), task.Revoke)
		return true
	case "fails":
		u.settle(retry(soon), errDeclined)
	case "panics":
		u.settle(retry(soon), &task.PanicError{Value: "oh"})
	case "snoozes":
		u.settle(broker.Settlement{To: broker.Retry, At: time.Now().Add(soon)}, task.Snooze(soon))
	case "put off":
		if u.attempt != nil {
			u.attempt.PutOff("paused")
		}
		u.settle(broker.Settlement{To: broker.Retry, At: time.Now().Add(soon)}, task.Snooze(soon))
	case "released":
		u.settle(released(), context.Canceled)
	case "refused":
		s := done()
		u.propose(&s, nil)
		u.settle(retry(soon), errDeclined)
	case "dies":
		u.die()
	case "is late":
		u.die()
		if s := done(); u.attempt != nil {
			u.propose(&s, nil)
			u.attempt.Settled(broker.LeaseLost(u.EntryRef))
		}
	case "archived":
		u.settle(archived(), errDeclined)
	case "completed":
		u.settle(broker.Settlement{To: broker.Completed}, nil)
	case "cancelled":
		u.settle(broker.Settlement{To: broker.Archived, End: broker.Cancelled}, queue.ErrCancelled)
	case "deleted":
		u.settle(retry(time.Hour), errDeclined)
		p := f.any()
		stored := broker.Stored{Entry: u.Entry, State: task.Retry}
		stored.Headers = moved(stored.Headers, -p.ahead)
		p.Moved(context.Background(), stored, broker.Delete)
		return true
	}
	if u.over {
		u.ready = time.Now().Add(soon)
		return f.draw(2) == 0
	}
	return false
}

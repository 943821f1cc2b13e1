package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/tracing"
)

// batch has p fold entries, with a span of the user's.
func (p *process) batch(group string, entries []*entry, err error) {
	var turns []*turn
	var members []queue.TracedAttempt
	for _, e := range entries {
		u := p.lease(e)
		turns, members = append(turns, u), append(members, u.attempt)
	}
	ctx, end := p.Batch(context.Background(), "default", group, members)
	_, span := p.span(ctx, "INSERT")
	time.Sleep(time.Second)
	span.End()
	for _, u := range turns {
		if err != nil {
			u.settle(retry(time.Minute), err)
		} else {
			u.settle(done(), nil)
		}
	}
	end(err)
}

func TestABatchHasATraceOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		shop := s.process("shop", sdktrace.AlwaysSample(), tracing.Config{})
		one := s.process("one", sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})
		a, b := newEntry("a"), newEntry("b")
		a.Group, b.Group = "mails", "mails"
		ctx, request := shop.span(context.Background(), "GET /order")
		shop.send(ctx, a)
		request.End()
		shop.send(context.Background(), b)
		time.Sleep(time.Minute)
		one.batch("mails", []*entry{a, b}, errDeclined)
		one.batch("mails", []*entry{a, b}, nil)
		s.expect("a batch fails, and is done")
	})
}

func TestOfAThousandMembersAHundredAreLinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		shop := s.process("shop", sdktrace.AlwaysSample(), tracing.Config{})
		one := s.process("one", sdktrace.NeverSample(), tracing.Config{})
		entries := make([]*entry, 1000)
		for i := range entries {
			entries[i] = newEntry(fmt.Sprint("e", i))
		}
		shop.send(context.Background(), entries...)
		one.batch("mails", entries, nil)
		s.check()
		for _, span := range s.spans() {
			if span.Attributes["leat.batch.size"] == "" || span.Kind != "consumer" {
				continue
			}
			if n, dropped := len(span.Links), span.Attributes["leat.links.dropped"]; n != 100 || dropped != "900" {
				t.Errorf("the batch has %d links, and says that %q were dropped", n, dropped)
			}
		}
	})
}

func TestABatchWithoutASampledMemberIsNotSampled(t *testing.T) {
	s := newSite(t)
	shop := s.process("shop", sdktrace.NeverSample(), tracing.Config{})
	one := s.process("one", sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})
	e := newEntry("a")
	shop.send(context.Background(), e)
	one.batch("mails", []*entry{e}, nil)
	if got := s.spans(); len(got) > 0 {
		t.Errorf("exported\n%s", printer.Print(got))
	}
}

func TestATickIsExportedByWhoFiresIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		one := s.process("one", sdktrace.AlwaysSample(), tracing.Config{})
		two := s.process("two", sdktrace.AlwaysSample(), tracing.Config{})
		tick := periodic.TracedTick{Entry: "nightly", Spec: "0 2 * * *", ID: "nightly.1", Time: time.Now()}
		first, second := newEntry(tick.ID), newEntry(tick.ID)
		ctx, fired := one.Tick(context.Background(), tick)
		_, late := two.Tick(context.Background(), tick)
		one.send(ctx, first)
		fired(nil)
		late(errors.New("somebody else was faster"))
		two.lease(first).work(time.Second).settle(done(), nil)
		tick.ID, tick.Asked = "nightly.2", true
		ctx, fired = two.Tick(context.Background(), tick)
		second.ID = tick.ID
		two.send(ctx, second)
		fired(nil)
		one.lease(second).settle(done(), nil)
		s.expect("two ticks are fired")
	})
}

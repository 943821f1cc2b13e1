package tracing_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	exports "go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/internal/tracetest"
	"github.com/leatwork/leat/internal/tracetree"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/tracing"
)

// A site is several processes, each with a tracer of its own.
type site struct {
	t         testing.TB
	processes []*process
}

// A process has a tracer, and keeps what was exported.
type process struct {
	*tracing.Tracer
	name     string
	ahead    time.Duration // its clock, of the true time: whatever it hears and says is moved by that
	provider *sdktrace.TracerProvider
	exported *exports.InMemoryExporter
}

func newSite(t testing.TB) *site { return &site{t: t} }

// process adds one whose provider samples as s says, and was made with the options that
// the package wants.
func (s *site) process(name string, sampler sdktrace.Sampler, c tracing.Config) *process {
	s.t.Helper()
	return s.start(name, c, tracing.ProviderOptions(sampler)...)
}

// start adds one whose provider was made with options.
func (s *site) start(name string, c tracing.Config, options ...sdktrace.TracerProviderOption) *process {
	s.t.Helper()
	p := &process{name: name, exported: exports.NewInMemoryExporter()}
	p.provider = sdktrace.NewTracerProvider(append(options,
		sdktrace.WithSyncer(p.exported),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", name))))...)
	c.TracerProvider = p.provider
	t, err := tracing.New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	p.Tracer = t
	s.processes = append(s.processes, p)
	return p
}

// span starts one of the user's.
func (p *process) span(ctx context.Context, name string) (context.Context, trace.Span) {
	return p.provider.Tracer("user").Start(ctx, name)
}

// spans returns all that was exported.
func (s *site) spans() (all []tracetree.Span) {
	for _, p := range s.processes {
		for _, stub := range p.exported.GetSpans() {
			span := converted(p.name, stub)
			span.Began, span.Ended = span.Began.Add(p.ahead), span.Ended.Add(p.ahead)
			all = append(all, span)
		}
	}
	return all
}

func converted(service string, s exports.SpanStub) tracetree.Span {
	to := tracetree.Span{
		Ref:        refOf(s.SpanContext),
		Name:       s.Name,
		Kind:       s.SpanKind.String(),
		Service:    service,
		Began:      s.StartTime,
		Ended:      s.EndTime,
		Attributes: map[string]string{},
		Failed:     s.Status.Code == codes.Error,
		Says:       s.Status.Description,
	}
	if s.Parent.HasSpanID() {
		to.Parent = s.Parent.SpanID().String()
	}
	for _, a := range s.Attributes {
		to.Attributes[string(a.Key)] = a.Value.String()
	}
	for _, e := range s.Events {
		to.Events = append(to.Events, e.Name)
	}
	for _, l := range s.Links {
		to.Links = append(to.Links, refOf(l.SpanContext))
	}
	return to
}

func refOf(sc trace.SpanContext) tracetree.Ref {
	return tracetree.Ref{Trace: sc.TraceID().String(), ID: sc.SpanID().String()}
}

// check fails the test if a viewer would complain of what was exported.
func (s *site) check() {
	s.t.Helper()
	for _, fault := range tracetree.Check(s.spans()) {
		s.t.Error(fault)
	}
	if s.t.Failed() {
		s.t.Log("\n" + printer.Print(s.spans()))
	}
}

var printer = tracetree.Printer{
	Attributes: []string{"leat.task.attempt", "leat.wait.reason", "leat.outcome", "error.type", "leat.exported_by", "messaging.batch.message_count"},
	Events:     true,
}

// expect checks what was exported, and compares it with the file of that name.
func (s *site) expect(name string) {
	s.t.Helper()
	s.check()
	tracetest.Golden(s.t, goldenFile(name), printer.Print(s.spans()))
}

func goldenFile(name string) string {
	return filepath.Join("testdata", strings.ReplaceAll(strings.ReplaceAll(name, ",", ""), " ", "-")+".txt")
}

// An entry is a stored task, as a broker would keep it.
type entry struct {
	broker.Entry
	ready  time.Time
	lost   *broker.LostLease
	tokens int
	over   bool // it has ended, and may be begun again by hand
}

// send has p enqueue entries, of which all are stored.
func (p *process) send(ctx context.Context, entries ...*entry) {
	stored := make([]*broker.Entry, len(entries))
	for i, e := range entries {
		stored[i] = &e.Entry
	}
	sent := p.Send(ctx, stored)
	for _, e := range entries {
		e.Headers = moved(e.Headers, p.ahead)
	}
	time.Sleep(time.Millisecond) // the trip
	for _, e := range entries {
		e.ready = time.Now()
		if e.DueAt.After(e.ready) {
			e.ready = e.DueAt
		}
	}
	if sent != nil {
		sent(make([]error, len(entries)))
	}
}

func newEntry(id string) *entry {
	return &entry{Entry: broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: id}, Type: "mail", MaxRetry: 25}}
}

// A turn is a leased entry in the hands of a process.
type turn struct {
	*entry
	process *process
	ctx     context.Context
	attempt queue.TracedAttempt
	lease   broker.Lease
	began   time.Time
}

// lease has p take e once it is ready.
func (p *process) lease(e *entry) *turn {
	if wait := time.Until(e.ready); wait > 0 {
		time.Sleep(wait)
	}
	e.tokens, e.over = e.tokens+1, false
	e.DueAt = time.Time{}
	l := broker.Lease{Entry: e.Entry, Token: fmt.Sprintf("%s-%d", e.ID, e.tokens), Ready: e.ready.Add(-p.ahead)}
	l.Entry.Headers = moved(e.Headers, -p.ahead)
	if e.lost != nil {
		l.Lost = &broker.LostLease{Token: e.lost.Token, Began: e.lost.Began.Add(-p.ahead)}
		e.lost = nil
	}
	u := &turn{entry: e, process: p, lease: l, began: time.Now()}
	u.ctx, u.attempt = p.Begin(context.Background(), l)
	return u
}

// work lets a span of the user's, and some time, pass.
func (u *turn) work(d time.Duration) *turn {
	_, span := u.process.span(u.ctx, "SELECT")
	time.Sleep(d)
	span.End()
	return u
}

// settle records the outcome, after a trip.
func (u *turn) settle(s broker.Settlement, err error) {
	u.propose(&s, err)
	time.Sleep(time.Millisecond)
	u.record(s)
}

func (u *turn) propose(s *broker.Settlement, err error) {
	s.Token, s.Entry = u.lease.Token, u.lease.Entry
	if u.attempt != nil {
		u.attempt.Settle(s, err)
	}
}

func (u *turn) record(s broker.Settlement) {
	now := time.Now()
	if s.Headers != nil {
		u.Headers = moved(s.Headers, u.process.ahead)
	}
	u.Entry.Crashes = u.lease.Entry.Crashes
	if s.To != broker.Released {
		u.Entry.Crashes = 0
	}
	u.ready = now
	if s.At.After(now) {
		u.ready = s.At
	}
	u.over = s.To == broker.Completed || s.To == broker.Archived
	if u.attempt != nil {
		u.attempt.Settled(nil)
	}
}

// die has the worker vanish: after a while its lease is taken back.
func (u *turn) die() {
	time.Sleep(10 * time.Second)
	u.lost = &broker.LostLease{Token: u.lease.Token, Began: u.began.Add(u.process.ahead)}
	u.Entry.Crashes++
	u.ready = time.Now()
}

// moved returns headers as a clock that is so far ahead would have written them.
func moved(headers map[string]string, ahead time.Duration) map[string]string {
	if ahead == 0 || headers["leat-trace"] == "" {
		return headers
	}
	headers = maps.Clone(headers)
	headers["leat-trace"] = instants.ReplaceAllStringFunc(headers["leat-trace"], func(field string) string {
		name, value, _ := strings.Cut(field, "=")
		us, _ := strconv.ParseInt(value, 36, 64)
		return name + "=" + strconv.FormatInt(us+ahead.Microseconds(), 36)
	})
	return headers
}

var instants = regexp.MustCompile(`\b[se]=[0-9a-z]+`)

func done() broker.Settlement     { return broker.Settlement{To: broker.Done} }
func archived() broker.Settlement { return broker.Settlement{To: broker.Archived} }
func released() broker.Settlement { return broker.Settlement{To: broker.Released} }

func retry(d time.Duration) broker.Settlement {
	return broker.Settlement{To: broker.Retry, At: time.Now().Add(d), Failed: true}
}

// traceparent returns the headers by which another program takes ctx to a task.
func traceparent(ctx context.Context) map[string]string {
	m := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, m)
	return m
}

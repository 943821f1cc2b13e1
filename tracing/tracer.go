package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/task"
)

// A Config says what spans a [Tracer] makes. The zero value is ready to use.
type Config struct {
	// TracerProvider makes the spans. nil: that of [otel.GetTracerProvider], which is to
	// be set before.
	TracerProvider trace.TracerProvider

	// Propagator takes the context of one process to another, in the headers of tasks.
	// nil: that of [otel.GetTextMapPropagator] if one is set, or else W3C's trace context
	// and baggage. Baggage of more than 1 KiB is left out.
	Propagator propagation.TextMapPropagator

	// Joined has a run of a workflow be part of the trace of whoever has started it. Else
	// it has a trace of its own, and there are links from one to the other.
	Joined bool

	// Delay is how long a task may be scheduled ahead to be part of the trace of whoever
	// has enqueued it. One that is due later has a trace of its own. 0: one minute.
	Delay time.Duration

	// MaxTraceAge is how old a task may be to be retried in its trace. An attempt after
	// that is in a trace of its own, linked to the one before. So is a step that begins
	// when its run is older. 0: as old as it gets.
	MaxTraceAge time.Duration

	// Detail is how much is told.
	Detail Detail

	// ErrorText has spans tell the texts of errors, which may hold what users have
	// entrusted to the program. Else they have only the type of an error.
	ErrorText bool

	// Logger gets what an operator should know. nil: slog.Default().
	Logger *slog.Logger
}

// A Detail says which spans are made.
type Detail int

// The levels of detail.
const (
	Standard Detail = iota // all but what a workflow does to decide how it goes on
	Minimal                // as Standard, without how long tasks have waited
	Full                   // all
)

// DefaultDelay is how long a task may be scheduled ahead to be part of the trace of who
// has enqueued it, unless a [Config] says otherwise.
const DefaultDelay = time.Minute

// A Tracer makes spans of what happens to tasks, ticks and runs: it is a [queue.Tracer], a
// [workflow.Tracer] and a [periodic.Tracer]. Its methods may be called from several
// goroutines.
type Tracer struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	fields     []string // the headers that the propagator writes
	joined     bool
	delay      time.Duration
	maxAge     time.Duration
	detail     Detail
	errorText  bool
	covers     bool // the provider heeds choices
	labels     labelCache
	logger     *slog.Logger
	panics     sync.Once // of the first of them
}

// New returns a tracer. What is wrong with c is told by a [task.InvalidError] for each
// fault, all joined.
//
// If the tracer provider was not made with [ProviderOptions], which is found out here at
// no cost and logged, no span covers what happens in several processes: attempts hang
// below the span of whoever has enqueued the task.
func New(c Config) (*Tracer, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("new tracer: %w", err)
	}
	c = c.withDefaults()
	t := &Tracer{
		tracer:     c.TracerProvider.Tracer(scope, trace.WithSchemaURL(schema)),
		propagator: c.Propagator,
		fields:     c.Propagator.Fields(),
		joined:     c.Joined,
		delay:      c.Delay,
		maxAge:     c.MaxTraceAge,
		detail:     c.Detail,
		errorText:  c.ErrorText,
		logger:     c.Logger,
	}
	switch probe(context.Background(), t.tracer) { //nolint:forbidigo // nobody waits for it, and nothing is asked of it
	case obedient:
		t.covers = true
	case stubborn:
		c.Logger.Warn("tracer provider was made without tracing.ProviderOptions: no span covers a task or a run as a whole")
	case silent:
		c.Logger.Warn("tracer provider makes no spans: set one before the tracer is made")
	}
	return t, nil
}

func (c Config) check() error {
	var faults []error
	if c.Delay < 0 {
		faults = append(faults, task.Invalid("Config.Delay", c.Delay, "must not be negative"))
	}
	if c.MaxTraceAge < 0 {
		faults = append(faults, task.Invalid("Config.MaxTraceAge", c.MaxTraceAge, "must not be negative"))
	}
	if c.Detail < Standard || c.Detail > Full {
		faults = append(faults, task.Invalid("Config.Detail", int(c.Detail), "must be Minimal, Standard or Full"))
	}
	return errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.Propagator == nil {
		c.Propagator = otel.GetTextMapPropagator()
		if len(c.Propagator.Fields()) == 0 {
			c.Propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
		}
	}
	if c.Delay == 0 {
		c.Delay = DefaultDelay
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A MetricsConfig says what [Metrics] measure. The zero value is ready to use.
type MetricsConfig struct {
	// MeterProvider takes the measurements. nil: that of [otel.GetMeterProvider].
	MeterProvider metric.MeterProvider

	// Broker is asked, whenever measurements are collected, how many tasks its queues
	// hold, and for how long they have been waiting. One process that does so is enough.
	// nil: nobody is asked.
	Broker broker.Broker

	// Queues are those that it is asked about. None: all.
	Queues []string

	// Timeout is how long the broker may take. 0: five seconds.
	Timeout time.Duration

	// Logger gets what an operator should know. nil: slog.Default().
	Logger *slog.Logger
}

// Metrics measure what happens to tasks, by the conventions for messaging where there are
// some. Their Observe is for [queue.Config] and for the clients' Observer, and is called
// with the context of the span that an event belongs to, so that there are exemplars.
type Metrics struct {
	sent, consumed           metric.Int64Counter
	retried, archived, lost  metric.Int64Counter
	process, wait, run, late metric.Float64Histogram
	sets                     setCache
	gauges                   metric.Registration
}

// defaultGaugeTimeout is how long a broker may take to say what its queues hold.
const defaultGaugeTimeout = 5 * time.Second

// Boundaries of the buckets of histograms, in seconds. Those for handlers go on where
// the conventions end: a task may take an hour.
var (
	processBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 300, 900, 3600}
	waitBuckets    = []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
	runBuckets     = []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600}
)

// NewMetrics returns metrics. What is wrong with c is told by a [task.InvalidError] for
// each fault, all joined.
func NewMetrics(c MetricsConfig) (*Metrics, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("new metrics: %w", err)
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	if c.Timeout == 0 {
		c.Timeout = defaultGaugeTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	i := instruments{meter: c.MeterProvider.Meter(scope, metric.WithSchemaURL(schema))}
	m := &Metrics{
		sent:     i.counter("messaging.client.sent.messages", "{message}", "Number of tasks that were enqueued."),
		consumed: i.counter("messaging.client.consumed.messages", "{message}", "Number of tasks that were given to a handler, once for each attempt."),
		process:  i.histogram("messaging.process.duration", "Duration of attempts.", processBuckets),
		wait:     i.histogram("leat.queue.wait", "How long a task was ready before its attempt began.", waitBuckets),
		run:      i.histogram("leat.run.duration", "Duration of runs of workflows, from their start.", runBuckets),
		late:     i.histogram("leat.tick.late", "How long after its time a tick has enqueued its task.", waitBuckets),
		retried:  i.counter("leat.tasks.retried", "{task}", "Number of attempts after which the task is tried again."),
		archived: i.counter("leat.tasks.archived", "{task}", "Number of tasks that were archived."),
		lost:     i.counter("leat.leases.lost", "{lease}", "Number of leases that ran out, because a worker died."),
	}
	if c.Broker != nil {
		m.gauges = i.gauges(c)
	}
	if err := errors.Join(i.errs...); err != nil {
		return nil, fmt.Errorf("new metrics: %w", err)
	}
	return m, nil
}

func (c MetricsConfig) check() error {
	var faults []error
	for _, q := range c.Queues {
		if err := task.CheckMadeName("MetricsConfig.Queues", q); err != nil {
			faults = append(faults, err)
		}
	}
	if c.Timeout < 0 {
		faults = append(faults, task.Invalid("MetricsConfig.Timeout", c.Timeout, "must not be negative"))
	}
	return errors.Join(faults...)
}

// Close has the broker asked no more.
func (m *Metrics) Close() error {
	if m.gauges == nil {
		return nil
	}
	return m.gauges.Unregister()
}

// Observe is a [queue.Observer].
func (m *Metrics) Observe(ctx context.Context, e queue.Event) {
	name := e.Entry.Queue
	switch e.Kind {
	case queue.EventEnqueued:
		m.sent.Add(ctx, 1, m.sets.get(setSend, name, "", "").add...)
	case queue.EventStarted:
		m.consumed.Add(ctx, 1, m.sets.get(setConsume, name, e.Entry.Type, "").add...)
		if e.Waited > 0 {
			m.wait.Record(ctx, e.Waited.Seconds(), m.sets.get(setTask, name, e.Entry.Type, "").record...)
		}
	case queue.EventSettled:
		m.settled(ctx, e)
	case queue.EventLeaseLost:
		m.process.Record(ctx, e.Took.Seconds(), m.sets.get(setProcess, name, e.Entry.Type, errorLeaseLost).record...)
	case queue.EventRecovered:
		m.lost.Add(ctx, int64(e.Count))
	case queue.EventParked:
		m.archived.Add(ctx, 1, m.sets.get(setTask, name, "", broker.Undecodable.String()).add...)
	case queue.EventTicked:
		m.late.Record(ctx, e.Took.Seconds(), m.sets.get(setTick, e.Name, "", "").record...)
	case queue.EventRunEnded:
		m.run.Record(ctx, e.Took.Seconds(), m.sets.get(setRun, e.Name, e.State, "").record...)
	}
}

// settled measures an attempt whose outcome was recorded.
func (m *Metrics) settled(ctx context.Context, e queue.Event) {
	name, typename := e.Entry.Queue, e.Entry.Type
	kind := faultOf(broker.Settlement{To: e.Outcome}, e.Err).kind
	m.process.Record(ctx, e.Took.Seconds(), m.sets.get(setProcess, name, typename, kind).record...)
	switch {
	case e.Outcome == broker.Retry && !isSnooze(e.Err):
		m.retried.Add(ctx, 1, m.sets.get(setTask, name, typename, kind).add...)
	case e.Outcome == broker.Archived:
		m.archived.Add(ctx, 1, m.sets.get(setTask, name, typename, kind).add...)
	}
}

// instruments makes instruments, and keeps what went wrong.
type instruments struct {
	meter metric.Meter
	errs  []error
}

func (i *instruments) counter(name, unit, description string) metric.Int64Counter {
	c, err := i.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	i.keep(err)
	return c
}

func (i *instruments) histogram(name, description string, buckets []float64) metric.Float64Histogram {
	h, err := i.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(buckets...))
	i.keep(err)
	return h
}

// gauges has c.Broker asked for what its queues hold.
func (i *instruments) gauges(c MetricsConfig) metric.Registration {
	depth, err := i.meter.Int64ObservableGauge("leat.queue.depth", metric.WithUnit("{task}"), metric.WithDescription("Number of tasks in a state."))
	i.keep(err)
	age, err := i.meter.Float64ObservableGauge("leat.queue.oldest_age", metric.WithUnit("s"), metric.WithDescription("How long the task has been ready that is next."))
	i.keep(err)
	inspector := queue.NewInspector(c.Broker)
	r, err := i.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, c.Timeout)
		defer cancel()
		infos, broken, err := inspector.Survey(ctx, c.Queues...)
		if err != nil {
			c.Logger.WarnContext(ctx, "queues cannot be measured", "err", err)
			return nil // the other measurements are to be had all the same
		}
		for name, err := range broken {
			c.Logger.WarnContext(ctx, "queue cannot be measured", "queue", name, "err", err)
		}
		for _, info := range infos {
			destination := attribute.NewSet(destinationAttribute(info.Queue))
			o.ObserveFloat64(age, info.Latency.Seconds(), metric.WithAttributeSet(destination))
			for _, s := range measuredStates {
				o.ObserveInt64(depth, int64(info.In(s)), metric.WithAttributes(destinationAttribute(info.Queue), keyState.String(s.String())))
			}
		}
		return nil
	}, depth, age)
	i.keep(err)
	return r
}

// measuredStates are those that a queue's tasks are counted in.
var measuredStates = []task.State{
	task.Pending, task.Active, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating,
}

func (i *instruments) keep(err error) {
	if err != nil {
		i.errs = append(i.errs, err)
	}
}

package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

// measure collects what was measured: a line for each set of attributes, with the value of
// a counter or gauge, or how many values a histogram has.
func measure(t *testing.T, r *metric.ManualReader) (lines []string) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.Collect(context.Background(), &all); err != nil {
		t.Fatal(err)
	}
	add := func(name string, set attribute.Set, value any) {
		var words []string
		for _, kv := range set.ToSlice() {
			key := string(kv.Key)
			words = append(words, key[strings.LastIndex(key, ".")+1:]+"="+kv.Value.String())
		}
		lines = append(lines, fmt.Sprintf("%s %s %v", name, strings.Join(words, " "), value))
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Count)
				}
			default:
				t.Errorf("%s is a %T", m.Name, m.Data)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func TestWhatHappensIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		reader := metric.NewManualReader()
		m, err := tracing.NewMetrics(tracing.MetricsConfig{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)), Broker: b, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		client := queue.NewClient(b)
		client.Observer = m.Observe
		srv, err := queue.NewServer(b, queue.Config{Logger: quiet, Observer: m.Observe})
		if err != nil {
			t.Fatal(err)
		}
		for _, t := range []*task.Task{
			task.New("works", nil), task.New("works", nil), task.New("flaky", nil),
			task.New("fails", nil, task.MaxRetry(0)), task.New("works", nil, task.Queue("low")),
		} {
			if r := client.EnqueueMany(context.Background(), []*task.Task{t}); r[0].Err != nil {
				panic(r[0].Err)
			}
		}
		time.Sleep(3 * time.Second)
		before := strings.Join(measure(t, reader), "\n")
		for _, want := range []string{
			"leat.queue.depth state=pending name=default 4",
			"leat.queue.depth state=pending name=low 1",
			"leat.queue.oldest_age name=default 3",
		} {
			if !strings.Contains(before, want) {
				t.Errorf("measured\n%s\nwant %s", before, want)
			}
		}
		if err := srv.Start(handlers()); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Minute)
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		const want = `leat.queue.wait type=fails name=default 1
leat.queue.wait type=flaky name=default 2
leat.queue.wait type=works name=default 2
leat.tasks.archived type=*errors.errorString type=fails name=default 1
leat.tasks.retried type=panic type=flaky name=default 1
messaging.client.consumed.messages type=fails name=default name=process type=process system=leat 1
messaging.client.consumed.messages type=flaky name=default name=process type=process system=leat 2
messaging.client.consumed.messages type=works name=default name=process type=process system=leat 2
messaging.client.sent.messages name=default name=send type=send system=leat 4
messaging.client.sent.messages name=low name=send type=send system=leat 1
messaging.process.duration type=*errors.errorString type=fails name=default name=process type=process system=leat 1
messaging.process.duration type=flaky name=default name=process type=process system=leat 1
messaging.process.duration type=panic type=flaky name=default name=process type=process system=leat 1
messaging.process.duration type=works name=default name=process type=process system=leat 2`
		if got := strings.Join(measure(t, reader), "\n"); got != want {
			t.Errorf("measured\n%s\nwant\n%s", got, want)
		}
	})
}

func TestEveryEventIsMeasured(t *testing.T) {
	reader := metric.NewManualReader()
	m, err := tracing.NewMetrics(tracing.MetricsConfig{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	if err != nil {
		t.Fatal(err)
	}
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: "a"}, Type: "works"}
	for _, event := range []queue.Event{
		{Kind: queue.EventLeaseLost, Entry: e, Took: time.Second},
		{Kind: queue.EventRecovered, Count: 3},
		{Kind: queue.EventParked, Entry: e},
		{Kind: queue.EventTicked, Name: "nightly", Entry: e, Took: time.Second},
		{Kind: queue.EventRunEnded, Name: "order", State: "completed", Took: time.Hour},
		{Kind: queue.EventSettled, Entry: e, Outcome: broker.Retry, Err: task.Snooze(time.Second)},
		{Kind: queue.EventStuck, Entry: e},
	} {
		m.Observe(context.Background(), event)
	}
	const want = `leat.leases.lost  3
leat.run.duration state=completed name=order 1
leat.tasks.archived type=undecodable type= name=default 1
leat.tick.late name=nightly 1
messaging.process.duration type=lease_lost type=works name=default name=process type=process system=leat 1
messaging.process.duration type=works name=default name=process type=process system=leat 1`
	if got := strings.Join(measure(t, reader), "\n"); got != want {
		t.Errorf("measured\n%s\nwant\n%s", got, want)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestAStorageThatIsAwayKeepsNothingElseSecret(t *testing.T) {
	away := brokertest.Faulty(brokertest.NewModel(), func(int, string) brokertest.Fault {
		return brokertest.Fault{Before: errors.New("away")}
	})
	reader := metric.NewManualReader()
	m, err := tracing.NewMetrics(tracing.MetricsConfig{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)), Broker: away, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	m.Observe(context.Background(), queue.Event{Kind: queue.EventRecovered, Count: 1})
	if got := measure(t, reader); len(got) != 1 {
		t.Errorf("measured %q, want one line", got)
	}
}

func BenchmarkObserve(b *testing.B) {
	m, err := tracing.NewMetrics(tracing.MetricsConfig{MeterProvider: metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))})
	if err != nil {
		b.Fatal(err)
	}
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: "a"}, Type: "works"}
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(context.Background(), queue.Event{Kind: queue.EventStarted, Entry: e, Waited: time.Second})
		m.Observe(context.Background(), queue.Event{Kind: queue.EventSettled, Entry: e, Outcome: broker.Done, Took: time.Second})
	}
}

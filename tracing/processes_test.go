package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/tracetest"
	"github.com/leatwork/leat/internal/tracetree"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
	"github.com/leatwork/leat/workflow"
)

// What a process of a scenario is told: it is this test binary, run once more.
const (
	processRole     = "LEAT_TRACING_ROLE" // "front", "back" or "producer"; set in such processes alone
	processScenario = "LEAT_TRACING_SCENARIO"
	processURL      = "LEAT_TRACING_URL"   // the broker
	processGates    = "LEAT_TRACING_GATES" // the folder of the gates
)

// processesPrinter writes what is the same in every run of a scenario. It leaves out which
// process has exported a span, since it does not matter who comes first.
var processesPrinter = tracetree.Printer{
	Attributes: []string{
		"messaging.batch.message_count", "leat.wait.reason", "leat.task.attempt", "leat.outcome", "leat.run.state",
		"leat.batch.size", "leat.join.count", "leat.trigger", "leat.schedule.name", "leat.exported_by", "error.type",
	},
	Fold: true,
}

// Three processes hand tasks to each other, and the spans that they export are trees: no
// parent is missing, and a viewer has nothing to complain of.
func TestWhatSeveralProcessesExportIsOneTree(t *testing.T) {
	if role := os.Getenv(processRole); role != "" {
		act(t, role)
		return
	}
	redis := redistest.Start(t, redistest.Options{})
	for i, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			for name, url := range map[string]string{
				"on a file": "sqlite:" + filepath.Join(t.TempDir(), "traced.db"),
				"on redis":  fmt.Sprintf("%s/%d", strings.TrimSuffix(redis.URL(), "/0"), i),
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					spans := exported(t, s, url)
					for _, fault := range tracetree.Check(spans) {
						t.Error(fault)
					}
					file := filepath.Join("testdata", "processes", strings.ReplaceAll(s.name, " ", "-")+".txt")
					tracetest.Golden(t, file, processesPrinter.Print(spans))
				})
			}
		})
	}
}

// exported has processes play a scenario, and returns what they have exported when all of
// them have ended in good order, but for the one that was killed.
func exported(t *testing.T, s scenario, url string) []tracetree.Span {
	t.Helper()
	r, err := tracetest.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	g := gates(t.TempDir())
	begin := func(role string) *actor { return startActor(t, s, role, url, g, r) }
	front, back := begin("front"), begin("back")
	for _, up := range []string{"front", "back"} {
		if err := g.await(t.Context(), up); err != nil {
			t.Fatal(err)
		}
	}
	producer := begin("producer")
	if s.kills {
		if err := g.await(t.Context(), "began"); err != nil {
			t.Fatalf("%v; the process said\n%s", err, back.said.String())
		}
		_ = back.Process.Kill()
		<-back.ended //nolint:errcheck // it was killed
		back = begin("back")
	}
	producer.finish(t)
	for _, a := range []*actor{back, front} {
		if err := a.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("SIGTERM: %v", err)
		}
		a.finish(t)
	}
	return r.Spans()
}

// An actor is a process that plays a role.
type actor struct {
	*exec.Cmd
	role  string
	said  strings.Builder // may be read when it has ended
	ended chan error
}

// startActor starts a process, which is killed if it goes on longer than any takes.
func startActor(t *testing.T, s scenario, role, url string, g gates, r *tracetest.Receiver) *actor {
	t.Helper()
	a := &actor{Cmd: exec.Command(os.Args[0], "-test.run=^TestWhatSeveralProcessesExportIsOneTree$", "-test.timeout=90s"), role: role, ended: make(chan error, 1)}
	a.Env = append(os.Environ(), r.Env(role)...)
	a.Env = append(a.Env, processRole+"="+role, processScenario+"="+s.name, processURL+"="+url, processGates+"="+string(g))
	a.Stdout, a.Stderr = &a.said, &a.said
	if _, err := a.StdinPipe(); err != nil { // by its end the process learns of this one's
		t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		a.ended <- a.Wait()
		close(a.ended)
	}()
	t.Cleanup(func() {
		_ = a.Process.Kill()
		<-a.ended //nolint:errcheck // it may have ended by itself
	})
	return a
}

// finish waits until the process has ended in good order.
func (a *actor) finish(t *testing.T) {
	t.Helper()
	select {
	case err := <-a.ended:
		if err != nil {
			t.Errorf("%s ended with %v; it said\n%s", a.role, err, a.said.String())
		}
	case <-time.After(time.Minute):
		t.Errorf("%s goes on after a minute", a.role)
	}
}

// act is what a process of a scenario does.
func act(t *testing.T, role string) {
	go func() { // whoever started this process holds the other end
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	here = gates(os.Getenv(processGates))
	s := scenarios[slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == os.Getenv(processScenario) })]
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := here.open(role); err != nil { // from now on it can be told to end
		t.Fatal(err)
	}
	b, err := brokerurl.Open(os.Getenv(processURL))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	provider, tracer, err := newTracer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	switch role {
	case "producer":
		p := producer{gates: here, client: queue.NewClient(b), tracer: provider.Tracer("producer")}
		p.client.Tracer = tracer
		err = s.produce(ctx, p)
	default:
		err = s.serve(ctx, b, tracer, role)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(err, provider.Shutdown(ctx)); err != nil {
		t.Fatal(err)
	}
}

// newTracer returns a tracer of a process, that exports as the environment says.
func newTracer(ctx context.Context) (*sdktrace.TracerProvider, *tracing.Tracer, error) {
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return nil, nil, err
	}
	provider := sdktrace.NewTracerProvider(append(tracing.ProviderOptions(nil), sdktrace.WithBatcher(exporter))...)
	tracer, err := tracing.New(tracing.Config{TracerProvider: provider})
	return provider, tracer, err
}

// serve serves a queue until ctx ends.
func (s scenario) serve(ctx context.Context, b broker.Broker, tracer *tracing.Tracer, name string) error {
	mux := task.NewMux()
	if s.flow != nil {
		workflow.Register(mux, s.flow)
	}
	for typ, h := range s.handles {
		mux.Handle(typ, h)
	}
	srv, err := queue.NewServer(b, queue.Config{
		Queues: map[string]int{name: 1}, Concurrency: 4, LeaseDuration: 2 * time.Second, Tracer: tracer,
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return 50 * time.Millisecond },
	})
	if err != nil {
		return err
	}
	return srv.Run(ctx, mux)
}

// A producer is what a scenario produces with.
type producer struct {
	gates
	client *queue.Client
	tracer trace.Tracer
}

// request does what is done in a request, in a span of its own.
func (p producer) request(ctx context.Context, do func(context.Context) error) error {
	ctx, span := p.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	return do(ctx)
}

// gates are a folder, by whose files the processes of a scenario wait for each other.
type gates string

// here are the gates of this process.
var here gates

func (g gates) open(name string) error {
	return os.WriteFile(filepath.Join(string(g), name), nil, 0o600)
}

func (g gates) isOpen(name string) bool {
	_, err := os.Stat(filepath.Join(string(g), name))
	return err == nil
}

func (g gates) await(ctx context.Context, name string) error {
	return until(ctx, name, func() (bool, error) { return g.isOpen(name), nil })
}

// until waits until is reports true, for half a minute at most.
func until(ctx context.Context, what string, is func() (bool, error)) error {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	for {
		if yes, err := is(); yes || err != nil {
			return err
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("wait until %s: %w", what, err)
		}
	}
}

// pause takes some milliseconds.
func pause(ctx context.Context) error {
	select {
	case <-time.After(5 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

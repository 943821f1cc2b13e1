package tracetest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"github.com/leatwork/leat/internal/tracetree"
)

// A Receiver keeps all spans that are exported to it. Its methods may be called from
// several goroutines.
type Receiver struct {
	collector.UnimplementedTraceServiceServer

	address string
	server  *grpc.Server
	done    chan struct{}

	mu    sync.Mutex
	spans []tracetree.Span
	more  chan struct{} // closed when there are more of them
}

// Listen starts a receiver on a free port of this machine. It is closed by whoever
// started it.
func Listen() (*Receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("receive spans: %w", err)
	}
	r := &Receiver{address: l.Addr().String(), server: grpc.NewServer(), done: make(chan struct{}), more: make(chan struct{})}
	collector.RegisterTraceServiceServer(r.server, r)
	go func() {
		defer close(r.done)
		_ = r.server.Serve(l) // which ends by Stop
	}()
	return r, nil
}

// Close ends the receiver. What it has received is kept.
func (r *Receiver) Close() {
	r.server.Stop()
	<-r.done
}

// Env returns the variables by which a process of the service exports all its spans to
// the receiver, and soon.
func (r *Receiver) Env(service string) []string {
	return []string{
		"OTEL_SERVICE_NAME=" + service,
		"OTEL_TRACES_EXPORTER=otlp",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + r.address,
		"OTEL_BSP_SCHEDULE_DELAY=100", // milliseconds
	}
}

// Export is called by gRPC with spans.
func (r *Receiver) Export(_ context.Context, req *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	spans := converted(req.GetResourceSpans())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = append(r.spans, spans...)
	close(r.more)
	r.more = make(chan struct{})
	return &collector.ExportTraceServiceResponse{}, nil
}

// Spans returns what was received by now, in the order in which that was.
func (r *Receiver) Spans() []tracetree.Span {
	spans, _ := r.received()
	return spans
}

func (r *Receiver) received() ([]tracetree.Span, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spans), r.more
}

// Await waits until enough reports true for what was received, or ctx is done, and
// returns what there is then.
func (r *Receiver) Await(ctx context.Context, enough func([]tracetree.Span) bool) ([]tracetree.Span, error) {
	for {
		spans, more := r.received()
		if enough(spans) {
			return spans, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return spans, fmt.Errorf("receive spans: of what is awaited there are %d: %w", len(spans), ctx.Err())
		}
	}
}

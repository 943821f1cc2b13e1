package examples

import (
	"strings"
	"testing"
)

// What exports to nobody ends all the same, and soon.
func TestTracingWithoutACollector(t *testing.T) {
	t.Parallel()
	got := startWith(t, []string{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + freeAddress(t)}, "tracing").end(t)
	if !strings.Contains(got.stdout, "P-1") {
		t.Errorf("it prints %q and says\n%s\nwant that the order is on its way", got.stdout, got.stderr)
	}
}

package tracing_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

var (
	_ queue.Tracer    = (*tracing.Tracer)(nil)
	_ periodic.Tracer = (*tracing.Tracer)(nil)
)

func TestBadConfigurationsAreRefused(t *testing.T) {
	_, err := tracing.New(tracing.Config{Delay: -1, MaxTraceAge: -time.Second, Detail: tracing.Full + 1})
	for _, field := range []string{"Config.Delay", "Config.MaxTraceAge", "Config.Detail"} {
		if err == nil || !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("New() = %v, want it to refuse %s", err, field)
		}
	}
	_, err = tracing.NewMetrics(tracing.MetricsConfig{Queues: []string{"a b"}, Timeout: -1})
	for _, field := range []string{"MetricsConfig.Queues", "MetricsConfig.Timeout"} {
		if err == nil || !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("NewMetrics() = %v, want it to refuse %s", err, field)
		}
	}
}

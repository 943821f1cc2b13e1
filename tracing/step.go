package tracing

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// stepOf returns the name of the span that covers the step of a run that e is for, and
// what is said of it. The id of e is run~tag~part, or run~tag~~cause~part.
func stepOf(e *broker.Entry) (string, []attribute.KeyValue) {
	parts := strings.Split(e.ID, string(task.Joint))
	step, item := parts[len(parts)-1], -1
	if n, err := strconv.Atoi(step); err == nil && len(parts) > 3 {
		step, item = parts[len(parts)-2], n
	}
	return stepName(step, item), []attribute.KeyValue{keyRun.String(e.Home.ID), keyStep.String(step)}
}

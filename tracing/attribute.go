package tracing

import (
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// scope names this library in what is exported, and schema the conventions it follows.
const (
	scope  = "github.com/leatwork/leat/tracing"
	schema = semconv.SchemaURL
)

// system is what the conventions on messaging call us.
const system = "leat"

// Attributes that no convention has a name for.
const (
	keyWorkflow      = attribute.Key("leat.workflow.name")
	keyRun           = attribute.Key("leat.run.id")
	keyRunState      = attribute.Key("leat.run.state")
	keyParentRun     = attribute.Key("leat.parent.run.id")
	keyStep          = attribute.Key("leat.step.name")
	keyItem          = attribute.Key("leat.step.item")
	keyTaskType      = attribute.Key("leat.task.type")
	keyAttempt       = attribute.Key("leat.task.attempt")
	keyMaxRetry      = attribute.Key("leat.task.max_retry")
	keyOutcome       = attribute.Key("leat.outcome")
	keyTrigger       = attribute.Key("leat.trigger")
	keySchedule      = attribute.Key("leat.schedule.name")
	keyScheduleSpec  = attribute.Key("leat.schedule.spec")
	keyScheduleTime  = attribute.Key("leat.schedule.time")
	keyWaitReason    = attribute.Key("leat.wait.reason")
	keyGroup         = attribute.Key("leat.group")
	keyBatchSize     = attribute.Key("leat.batch.size")
	keyJoinCount     = attribute.Key("leat.join.count")
	keyLinksDropped  = attribute.Key("leat.links.dropped")
	keyExportedBy    = attribute.Key("leat.exported_by")
	keyStartUnknown  = attribute.Key("leat.start.unknown")
	keyState         = attribute.Key("leat.task.state")
	exportedByNext   = "next lease"
	triggerSchedule  = "schedule"
	triggerRun       = "run"
	triggerByHand    = "by hand"
	triggerBackfill  = "backfill"
	errorPanic       = "panic"
	errorTimeout     = "timeout"
	errorCancelled   = "cancelled"
	errorWorkerLost  = "worker_lost"
	errorLeaseLost   = "lease_lost"
	errorNoHandler   = "no_handler"
	outcomeSnoozed   = "snoozed"
	outcomeRevoked   = "revoked"
	outcomeContinued = "continued"
	outcomeLost      = "lost"
	outcomeDeleted   = "deleted"
)

// Why an attempt had to wait.
const (
	waitQueue     = "queue"     // for a worker
	waitScheduled = "scheduled" // for its time
	waitGroup     = "group"     // for its batch
	waitRetry     = "retry"
	waitSnooze    = "snooze"
	waitRelease   = "release" // its worker went down
	waitLost      = "lost"    // its worker died
	waitHandler   = "no handler"
)

// eventReady is when an entry that waited could have been leased.
const eventReady = "ready"

func errorType(kind string) attribute.KeyValue { return semconv.ErrorTypeKey.String(kind) }

func linksDropped(n int) attribute.KeyValue { return keyLinksDropped.Int(n) }

func destinationAttribute(queue string) attribute.KeyValue {
	return semconv.MessagingDestinationName(queue)
}

func messageID(id string) attribute.KeyValue { return semconv.MessagingMessageIDKey.String(id) }

func conversation(run string) attribute.KeyValue {
	return semconv.MessagingMessageConversationIDKey.String(run)
}

func messageCount(n int) attribute.KeyValue { return semconv.MessagingBatchMessageCountKey.Int(n) }

// sendAttributes are those of a span that hands tasks to a queue.
func sendAttributes(queue string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String(system),
		semconv.MessagingOperationName("send"),
		semconv.MessagingOperationTypeSend,
		semconv.MessagingDestinationName(queue),
	}
}

// processAttributes are those of a span that runs tasks of a queue.
func processAttributes(queue string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String(system),
		semconv.MessagingOperationName("process"),
		semconv.MessagingOperationTypeProcess,
		semconv.MessagingDestinationName(queue),
	}
}

// Names of spans are made of names only, never of ids.
func sendName(queue string) string      { return "send " + queue }
func waitName(queue string) string      { return "wait " + queue }
func processName(queue string) string   { return "process " + queue }
func taskName(typename string) string   { return "task " + typename }
func aggregateName(queue string) string { return "aggregate " + queue }
func tickName(entry string) string      { return "tick " + entry }

// stepName is the name of the span that covers a step of a run; item is -1 if it has none.
func stepName(step string, item int) string {
	if item < 0 {
		return "step " + step
	}
	return "step " + step + "[" + strconv.Itoa(item) + "]"
}

// A label is what the spans of all tasks of one type in one queue have in common.
type label struct {
	send, wait, process, task string
	sending, processing       []trace.SpanStartOption
	taskType                  attribute.KeyValue
}

func newLabel(of labelKey) *label {
	queue, typename := of.queue, of.typename
	taskType := keyTaskType.String(typename)
	return &label{
		send:       sendName(queue),
		wait:       waitName(queue),
		process:    processName(queue),
		task:       taskName(typename),
		sending:    []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(sendAttributes(queue)...)},
		processing: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(append(processAttributes(queue), taskType)...)},
		taskType:   taskType,
	}
}

type labelKey struct{ queue, typename string }

// A labelCache keeps labels. Its zero value is empty.
type labelCache struct{ cache[labelKey, label] }

// get returns the label of tasks of the type in queue.
func (c *labelCache) get(queue, typename string) *label {
	return c.cache.get(labelKey{queue, typename}, newLabel)
}

func scheduleTime(t time.Time) attribute.KeyValue {
	return keyScheduleTime.String(t.UTC().Format(time.RFC3339Nano))
}

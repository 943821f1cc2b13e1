package tracing

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// A setKind is what a set of attributes is about.
type setKind int

const (
	setSend    setKind = iota // a queue
	setConsume                // a queue and a type
	setProcess                // a queue, a type and how it failed
	setTask                   // the same, in words of our own
	setTick                   // a periodic entry
	setRun                    // a workflow and the state of a run
)

type setKey struct {
	kind                 setKind
	name, detail, failed string
}

// A measured is a set of attributes as instruments take it.
type measured struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

// A setCache keeps sets: to make one costs more than to measure. A MeterProvider has a
// limit of its own for how many it tells apart. Its zero value is empty.
type setCache struct{ cache[setKey, measured] }

func (c *setCache) get(kind setKind, name, detail, failed string) *measured {
	return c.cache.get(setKey{kind, name, detail, failed}, newMeasured)
}

func newMeasured(of setKey) *measured {
	option := metric.WithAttributeSet(attribute.NewSet(of.attributes()...))
	return &measured{add: []metric.AddOption{option}, record: []metric.RecordOption{option}}
}

func (k setKey) attributes() (set []attribute.KeyValue) {
	switch k.kind {
	case setSend:
		set = sendAttributes(k.name)
	case setConsume, setProcess:
		set = append(processAttributes(k.name), keyTaskType.String(k.detail))
	case setTask:
		set = []attribute.KeyValue{destinationAttribute(k.name), keyTaskType.String(k.detail)}
	case setTick:
		set = []attribute.KeyValue{keySchedule.String(k.name)}
	case setRun:
		set = []attribute.KeyValue{keyWorkflow.String(k.name), keyRunState.String(k.detail)}
	}
	if k.failed != "" {
		set = append(set, errorType(k.failed))
	}
	return set
}

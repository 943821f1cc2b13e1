package tracetest

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/leatwork/leat/internal/tracetree"
)

// converted returns what was received as spans.
func converted(resources []*trace.ResourceSpans) (spans []tracetree.Span) {
	for _, r := range resources {
		service := attributes(r.GetResource().GetAttributes())["service.name"]
		for _, scope := range r.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				spans = append(spans, span(service, s))
			}
		}
	}
	return spans
}

func span(service string, s *trace.Span) tracetree.Span {
	to := tracetree.Span{
		Ref:        ref(s.GetTraceId(), s.GetSpanId()),
		Parent:     hex.EncodeToString(s.GetParentSpanId()),
		Name:       s.GetName(),
		Kind:       strings.ToLower(strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_")),
		Service:    service,
		Began:      instant(s.GetStartTimeUnixNano()),
		Ended:      instant(s.GetEndTimeUnixNano()),
		Attributes: attributes(s.GetAttributes()),
		Failed:     s.GetStatus().GetCode() == trace.Status_STATUS_CODE_ERROR,
		Says:       s.GetStatus().GetMessage(),
	}
	for _, e := range s.GetEvents() {
		to.Events = append(to.Events, e.GetName())
	}
	for _, l := range s.GetLinks() {
		to.Links = append(to.Links, ref(l.GetTraceId(), l.GetSpanId()))
	}
	return to
}

func ref(trace, id []byte) tracetree.Ref {
	return tracetree.Ref{Trace: hex.EncodeToString(trace), ID: hex.EncodeToString(id)}
}

func instant(ns uint64) time.Time { return time.Unix(0, int64(ns)) }

func attributes(pairs []*common.KeyValue) map[string]string {
	all := make(map[string]string, len(pairs))
	for _, p := range pairs {
		all[p.GetKey()] = text(p.GetValue())
	}
	return all
}

// text returns a value as people write it.
func text(v *common.AnyValue) string {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *common.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	case *common.AnyValue_DoubleValue:
		return strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

package pages_test

import (
	"context"
	"testing"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/pages"
	"github.com/leatwork/leat/web/internal/trail"
	"github.com/leatwork/leat/workflow"
)

const traceOfRun = "4bf92f3577b34da6a3ce929d0e0e4736"

// traces has all runs be of one trace, and is told of nothing else.
type traces struct{ workflow.Tracer }

func (traces) StartRun(context.Context, workflow.TracedRun) (map[string]string, func(error)) {
	return map[string]string{"traceparent": "00-" + traceOfRun + "-00f067aa0ba902b7-01"}, nil
}

// linked is pages whose tasks and runs lead elsewhere, and on which a header is hidden.
func linked(t *testing.T) func(*pages.Config) {
	t.Helper()
	rules, err := mask.New(access.Admin, "header:traceparent")
	if err != nil {
		t.Fatal(err)
	}
	return func(c *pages.Config) {
		c.Rules = rules
		for _, template := range []string{
			"https://jaeger/trace/{trace_id}", "https://log/{workflow}/{queue}/{id}?of={attr.customer}", "https://shop/{payload.card}", "https://type/{type}",
		} {
			l, err := trail.Parse("there", template)
			if err != nil {
				t.Fatal(err)
			}
			c.Links = append(c.Links, l)
		}
	}
}

func TestARunLeadsToItsTraceAndItsLog(t *testing.T) {
	w := newWorld(t, nil, linked(t))
	f := flows{w, queue.NewClient(w.broker)}
	begun := func(workflow.Status) bool { return true }
	f.start("plain", parcel{}, begun)
	f.client.Tracer = traces{}
	f.start("traced", parcel{}, begun)

	const trace, log = `href="https://jaeger/trace/` + traceOfRun + `"`, `href="https://log/parcels/default/`
	f.shows("/run?queue=default&id=traced", trace, log+"traced?of=17")
	f.shows("/run?queue=default&id=plain", log+"plain?of=17")
	f.lacks("/run?queue=default&id=plain", "https://jaeger/")
	f.lacks("/run?queue=default&id=traced", "https://shop/", "https://type/")
	f.as(access.Viewer).shows("/run?queue=default&id=traced", log)
	f.as(access.Viewer).lacks("/run?queue=default&id=traced", "https://jaeger/")
}

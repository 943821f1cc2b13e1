package trail_test

import (
	"errors"
	"testing"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/trail"
)

var info = &task.Info{
	ID: "a/b?c=1", Queue: "mail", Type: "order:paid",
	Payload: []byte(`{"order_id":12345678901234567890,"lines":[{"sku":"A 7"}],"to":"../../x","null":null}`),
	Headers: map[string]string{"Tenant": "<acme>", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
}

func TestALinkLeadsToWhatIsKnownOfATask(t *testing.T) {
	for template, want := range map[string]string{
		"https://x/trace/{trace_id}":                     "https://x/trace/4bf92f3577b34da6a3ce929d0e0e4736",
		"https://x/{queue}/{type}?id={id}":               "https://x/mail/order%3Apaid?id=a%2Fb%3Fc%3D1",
		"https://x/o/{payload.order_id}":                 "https://x/o/12345678901234567890",
		"https://x/s/{payload.lines.0.sku}":              "https://x/s/A%207",
		"https://x/t?tenant={header.tenant}":             "https://x/t?tenant=%3Cacme%3E",
		"https://x/to/{payload.to}":                      "https://x/to/..%2F..%2Fx",
		"https://x/{payload.nothing}":                    "",
		"https://x/{payload.null}":                       "",
		"https://x/{group}":                              "",
		"https://x/all":                                  "https://x/all",
		"http://logs.example:9000/search?q={id}#{queue}": "http://logs.example:9000/search?q=a%2Fb%3Fc%3D1#mail",
	} {
		l, err := trail.Parse("there", template)
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		if got, ok := l.For(info, "•••"); got.URL != want || ok != (want != "") {
			t.Errorf("%s leads to %q, %v; want %q", template, got.URL, ok, want)
		}
	}
}

func TestALinkThatLeadsAnywhereIsRefused(t *testing.T) {
	for _, template := range []string{
		"", "/trace/{trace_id}", "javascript:alert({id})", "https://{payload.host}/x", "https://x{id}/", "https://x.{id}.org/a", "{id}",
		"https://u:p@x/{id}", "ftp://x/{id}", "https://x/{nothing}", "https://x/{payload.}", "https://x/{id", "https://x/id}", "https://x{id}", "https://x:{id}/",
		"data:text/html,{id}", "//x/{id}", "https:///{id}",
	} {
		if _, err := trail.Parse("there", template); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("%q is taken: %v", template, err)
		}
	}
	if _, err := trail.Parse("", "https://x/"); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("a link without a name is taken: %v", err)
	}
}

func TestNothingHiddenIsToldToOthers(t *testing.T) {
	l, err := trail.Parse("order", "https://x/{payload.card}")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := l.For(&task.Info{Payload: []byte(`{"card":"•••"}`)}, "•••"); ok {
		t.Errorf("leads to %s", got.URL)
	}
}

func TestOnlyATraceParentNamesATrace(t *testing.T) {
	for text, want := range map[string]string{
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      "4bf92f3577b34da6a3ce929d0e0e4736",
		"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more": "4bf92f3577b34da6a3ce929d0e0e4736",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01":      "",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      "",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01":      "",
		"x00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":     "",
		"": "",
	} {
		if got := trail.TraceID(map[string]string{"Traceparent": text}); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

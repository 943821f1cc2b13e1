package api_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/prom"
)

// counts returns how many tasks have each value of a field.
func (a answer) counts(field string) map[string]float64 {
	counts := map[string]float64{}
	for i := range a.items() {
		if at := fmt.Sprintf("items.%d.", i); a.textAt(at+"name") == field {
			values, _ := a.at(at + "values").([]any)
			for _, v := range values {
				is := v.(map[string]any)
				counts[is["value"].(string)] = is["count"].(float64)
			}
		}
	}
	return counts
}

func TestWhatTasksHaveInCommonIsToldBitByBit(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		enqueued(t, b, "mail", 6200)
		enqueued(t, b, "sms", 30)
		c := clientOf(t, configOf(b))
		const q = "payload.text:x*"
		sum, pages := map[string]float64{}, 0
		for next := "-"; next != ""; pages++ {
			a := c.get("/tasks/facets", "q", q, "cursor", strings.Trim(next, "-"))
			for queue, n := range a.counts("queue") {
				sum[queue] += n
			}
			next = a.textAt("next")
			if a.at("done") != (next == "") || a.at("counted") == 0.0 || a.at("counted").(float64) > 5000 || a.at("total") != 6230.0 {
				t.Errorf("page %d is %.300s", pages, a.Body)
			}
		}
		if want := map[string]float64{"mail": 6200, "sms": 30}; !maps.Equal(sum, want) || pages != 2 {
			t.Errorf("%d pages count %v, want 2 and %v", pages, sum, want)
		}
		whole := c.get("/tasks/facets", "q", "queue:mail", "limit", "1")
		if whole.at("items.0.exact") != true || whole.counts("state")["pending"] != 6200 {
			t.Errorf("all of a queue are %s", whole.Body)
		}
		narrower := c.get("/tasks", "q", whole.textAt("items.0.values.0.query"), "limit", "1")
		if narrower.textAt("items.0.queue") != "mail" || narrower.textAt("items.0.state") != "pending" {
			t.Errorf("the query of a value takes %s", narrower.Body)
		}
		c.do("GET", "/tasks/facets?cursor=x", "").problem(t, http.StatusBadRequest, "cursor", "")
		c.do("GET", "/tasks/facets?q=nothing:1", "").problem(t, http.StatusBadRequest, "q", "")
	})
}

func TestWhoMayNotAskLearnsNothingOfWhatTasksHaveInCommon(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		config := configOf(b)
		rules, err := mask.New(access.Admin, "text")
		if err != nil {
			t.Fatal(err)
		}
		config.Mask = rules
		c := clientOf(t, config)
		c.role = access.Viewer
		c.do("GET", "/tasks/facets?q=payload.text:x*", "").problem(t, http.StatusForbidden, "", "")
	})
}

func TestWhatARetryWouldRunIsToldBefore(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		stocked(t, b)
		c := clientOf(t, configOf(b))
		c.role = access.Viewer
		run := c.get("/runs", "q", "state:done", "limit", "1")
		of := []string{"queue", run.textAt("items.0.queue"), "id", run.textAt("items.0.id")}
		steps, _ := c.get("/run", of...).at("steps").([]any)
		all := c.get("/run/preview", append(of, "deed", "retry-all")...)
		if again, _ := all.at("again").([]any); len(again) != len(steps) || len(again) == 0 {
			t.Errorf("a retry of all %d steps would run %v", len(steps), again)
		}
		first := c.get("/run", of...).textAt("steps.0.name")
		from := c.get("/run/preview", append(of, "deed", "retry-from", "step", first)...)
		if from.textAt("again.0") != first || from.textAt("step") != first {
			t.Errorf("a retry from %s would run %s", first, from.Body)
		}
		address := fmt.Sprintf("/run/preview?queue=%s&id=%s", of[1], of[3])
		c.do("GET", address, "").problem(t, http.StatusConflict, "", "")
		c.do("GET", address+"&deed=retry-from", "").problem(t, http.StatusBadRequest, "step", "")
		c.do("GET", address+"&deed=retry-all&step=x", "").problem(t, http.StatusBadRequest, "step", "")
		c.do("GET", address+"&deed=retry-from&step=none", "").problem(t, http.StatusNotFound, "", "")
		c.do("GET", address+"&deed=delete", "").problem(t, http.StatusBadRequest, "deed", "")
		failed := c.get("/runs", "q", "state:failed", "limit", "1")
		some := c.get("/run/preview", "queue", failed.textAt("items.0.queue"), "id", failed.textAt("items.0.id"))
		if again, _ := some.at("again").([]any); len(again) == 0 || some.textAt("deed") != "retry" {
			t.Errorf("a retry of what failed would run %s", some.Body)
		}
	})
}

// oneSeries is what Prometheus answers of a queue.
const oneSeries = `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"queue":"mail"},"values":[[1764500000,"3"],[1764500010,"NaN"],[1764500020,"4.5"]]}]}}`

// scraped asks a server that answers with that text; "": with status 500, and a secret.
func scraped(t *testing.T, text string) *prom.Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if text == "" {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "secret")
			return
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	c, err := prom.New(s.URL, prom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestChartsAreThoseOfPrometheus(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		c := clientOf(t, configOf(b))
		for _, address := range []string{"/charts", "/chart?name=queue_size"} {
			c.do("GET", address, "").problem(t, http.StatusNotImplemented, "", "no-prometheus")
		}
		config := configOf(b)
		config.Prom = scraped(t, oneSeries)
		c = clientOf(t, config)
		if n := c.get("/charts").items(); n != len(prom.Charts()) {
			t.Errorf("there are %d charts, want %d", n, len(prom.Charts()))
		}
		chart := c.get("/chart", "name", "queue_size", "queue", "mail", "from", "2025-08-30T12:00:00Z", "to", "2025-11-30T12:00:00Z")
		want := []any{map[string]any{"name": "mail", "points": []any{
			map[string]any{"at": time.Unix(1764500000, 0).UTC().Format(time.RFC3339), "value": 3.0}, map[string]any{"at": time.Unix(1764500020, 0).UTC().Format(time.RFC3339), "value": 4.5},
		}}}
		if diff := cmp.Diff(want, chart.at("series")); diff != "" || chart.at("step_seconds").(float64) < 600 {
			t.Errorf("the chart is %s (-want +got):\n%s", chart.Body, diff)
		}
		c.do("GET", "/chart?name=none", "").problem(t, http.StatusBadRequest, "name", "")
		c.do("GET", "/chart?name=workers&queue=mail", "").problem(t, http.StatusBadRequest, "queue", "")
		c.do("GET", "/chart?name=workers&from=yesterday", "").problem(t, http.StatusBadRequest, "from", "")
		c.do("GET", "/chart?name=workers&from=2030-01-02T00:00:00Z&to=2030-01-01T00:00:00Z", "").problem(t, http.StatusBadRequest, "range", "")
		config.Prom = scraped(t, "")
		a := clientOf(t, config).do("GET", "/chart?name=queue_size", "")
		a.problem(t, http.StatusBadGateway, "", "prometheus")
		if !strings.Contains(a.textAt("detail"), "status 500") || strings.Contains(a.Body.String(), "secret") {
			t.Errorf("of a server that fails is told %s", a.Body)
		}
	})
}

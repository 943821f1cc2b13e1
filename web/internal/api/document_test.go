package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/api"
)

// places returns what to ask routes for, of what is in storage.
func places(c client) map[string][]string {
	first := func(of, q string) (queue, id string) {
		a := c.get(of, "q", q, "limit", "1")
		if a.items() == 0 {
			c.t.Fatalf("the storage has no %s that are %s", of, q)
		}
		return a.textAt("items.0.queue"), a.textAt("items.0.id")
	}
	q, id := first("/tasks", "state:archived")
	beside, run := first("/runs", "state:done")
	step := c.get("/run", "queue", beside, "id", run).textAt("steps.0.name")
	parent, list := mapped(c)
	entry := c.get("/entries", "limit", "1").textAt("items.0.name")
	server := c.get("/servers").textAt("items.0.id")
	return map[string][]string{
		"/queue": {"name", q}, "/queue/history": {"name", q, "days", "3"}, "/figures": {"queue", q},
		"/task": {"queue", q, "id", id}, "/task/payload": {"queue", q, "id", id}, "/task/result": {"queue", "sums", "id", "sum-1"},
		"/server": {"id", server}, "/entry": {"name", entry}, "/entry/history": {"name", entry},
		"/run": {"queue", beside, "id", run, "children", "true"}, "/run/history": {"queue", beside, "id", run},
		"/run/items": {"queue", "flows", "id", parent, "step", list}, "/run/input": {"queue", beside, "id", run}, "/run/outcome": {"queue", beside, "id", run},
		"/run/output": {"queue", beside, "id", run, "step", step}, "/tasks": {"limit", "500"},
		"/tasks/facets": {"q", "state:retry,archived"}, "/run/preview": {"queue", beside, "id", run, "deed", "retry-all"}, "/chart": {"name", "queue_size"},
	}
}

// mapped returns a run that has a map, and which of its steps that is.
func mapped(c client) (run, step string) {
	runs := c.get("/runs")
	for i := range runs.items() {
		id := runs.textAt(fmt.Sprintf("items.%d.id", i))
		is := c.get("/run", "queue", runs.textAt(fmt.Sprintf("items.%d.queue", i)), "id", id)
		steps, _ := is.at("steps").([]any)
		for n := range steps {
			at := fmt.Sprintf("steps.%d.", n)
			if is.textAt(at+"kind") == "map" && is.at(at+"width") != nil {
				return id, is.textAt(at + "name")
			}
		}
	}
	c.t.Fatal("no run has a map that has begun")
	return "", ""
}

func TestWhatAnswersIsAsTheDocumentHasIt(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		stocked(t, b)
		config := configOf(b)
		config.Prom = scraped(t, oneSeries)
		c := clientOf(t, config)
		c.do(http.MethodPost, "/queue/pause", `{"queue":"mail"}`)
		document := c.get("/openapi.json").value.(map[string]any)
		ask := places(c)
		ask["/bulk"] = []string{"id", c.post("/bulk", `{"kind":"task","deed":"archive","query":"state:retry type:email:*"}`).textAt("id")}
		for path, operations := range document["paths"].(map[string]any) {
			for method, is := range operations.(map[string]any) {
				if method != "get" {
					continue
				}
				a := c.get(path, ask[path]...)
				content := is.(map[string]any)["responses"].(map[string]any)["200"].(map[string]any)["content"].(map[string]any)
				media, ok := content[a.Header().Get("Content-Type")].(map[string]any)
				if !ok {
					t.Errorf("%s answers with %s, and the document has %v", path, a.Header().Get("Content-Type"), content)
					continue
				}
				if a.value == nil {
					continue
				}
				for _, fault := range (validator{document}).faults(path, media["schema"], a.value) {
					t.Error(fault)
				}
			}
		}
	})
}

func TestTheDocumentHasEveryRoute(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		c := clientOf(t, configOf(b))
		document := c.get("/openapi.json").value.(map[string]any)
		var documented, routes []string
		ids := map[string]bool{}
		for path, operations := range document["paths"].(map[string]any) {
			for method, is := range operations.(map[string]any) {
				documented = append(documented, strings.ToUpper(method)+" "+path)
				id := fmt.Sprint(is.(map[string]any)["operationId"])
				if ids[id] {
					t.Errorf("the document has %s twice", id)
				}
				ids[id] = true
			}
		}
		for _, r := range api.Routes() {
			routes = append(routes, r.Method+" "+r.Path)
			if a := c.do(r.Method, r.Path, "{}"); a.Code == http.StatusNotFound && a.textAt("code") == "no-route" || a.Code == http.StatusMethodNotAllowed {
				t.Errorf("%s %s does not answer: %d", r.Method, r.Path, a.Code)
			}
		}
		slices.Sort(documented)
		slices.Sort(routes)
		if diff := cmp.Diff(routes, documented); diff != "" {
			t.Errorf("the document has (-want +got):\n%s", diff)
		}
		for _, ref := range refs(document) {
			if (validator{document}).lookUp(ref) == nil {
				t.Errorf("the document speaks of %s, which it does not have", ref)
			}
		}
	})
}

// refs returns what a document refers to.
func refs(v any) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if ref, ok := v[name].(string); ok && name == "$ref" {
				all = append(all, ref)
			}
			all = append(all, refs(v[name])...)
		}
	case []any:
		for _, item := range v {
			all = append(all, refs(item)...)
		}
	}
	return all
}

package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/access"
)

// post sends what must be done.
func (c client) post(address, body string) answer {
	c.t.Helper()
	a := c.do(http.MethodPost, address, body)
	if a.Code != http.StatusOK {
		c.t.Fatalf("%s with %s answers with %d: %s", address, body, a.Code, a.Body)
	}
	return a
}

func TestDeedsAreDone(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		c := clientOf(t, configOf(b))
		made := c.post("/task/enqueue", `{"type":"note","payload":{"n":12345678901234567890},"queue":"mail","id":"a/..b","retry":3,"timeout":"90s","unique_until_done":true}`)
		if made.textAt("made.queue") != "mail" || made.textAt("made.id") != "a/..b" || made.textAt("text") == "" {
			t.Errorf("to enqueue answers with %s", made.Body)
		}
		task := c.get("/task", "queue", "mail", "id", "a/..b")
		if task.at("max_retry") != 3.0 || task.at("timeout_seconds") != 90.0 || task.textAt("why") == "" {
			t.Errorf("the task is %s", task.Body)
		}
		if got := c.get("/task/payload", "queue", "mail", "id", "a/..b").Body.String(); got != `{"n":12345678901234567890}` {
			t.Errorf("its payload is %s", got)
		}
		c.post("/task/enqueue", `{"type":"note","payload":"just text","queue":"mail","id":"text"}`)
		if got := c.get("/task/payload", "queue", "mail", "id", "text").Body.String(); got != "just text" {
			t.Errorf("a payload of text is %s", got)
		}
		c.post("/task/clone", `{"queue":"mail","id":"text","new_queue":"other","new_id":"copy"}`)
		c.post("/queue/pause", `{"queue":"other"}`)
		if got := c.get("/queue", "name", "other"); got.at("paused") != true || got.at("pending") != 1.0 {
			t.Errorf("the other queue is %s", got.Body)
		}
		c.do("POST", "/task/enqueue", `{"type":"note","queue":"mail","id":"text"}`).problem(t, http.StatusConflict, "", "")
		c.do("POST", "/task/run", `{"queue":"mail","id":"text"}`).problem(t, http.StatusConflict, "", "")
		c.do("POST", "/task/enqueue", `{"queue":"mail"}`).problem(t, http.StatusBadRequest, "type", "")
		c.do("POST", "/task/enqueue", `{"type":"note","retry":"many"}`).problem(t, http.StatusBadRequest, "retry", "")
		c.do("POST", "/task/enqueue", `{"type":{}}`).problem(t, http.StatusBadRequest, "type", "")
		audit := c.get("/audit", "limit", "1")
		if audit.items() != 0 {
			t.Errorf("nobody records, and there is %s", audit.Body)
		}
	})
}

func TestADeedIsDoneToSeveral(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		c := clientOf(t, configOf(b))
		for n := range 3 {
			c.post("/task/enqueue", fmt.Sprintf(`{"type":"note","queue":"mail","id":"n%d"}`, n))
		}
		a := c.post("/task/archive", `{"targets":[{"queue":"mail","id":"n0"},{"queue":"mail","id":"none"},{"queue":"mail","id":"n1"}]}`)
		if a.at("failed") != 1.0 || a.textAt("results.1.error") == "" || a.textAt("results.2.text") == "" || a.textAt("results.2.id") != "n1" {
			t.Errorf("to archive three, of which one is none, answers with %s", a.Body)
		}
		delete := `{"targets":[{"queue":"mail","id":"n0"},{"queue":"mail","id":"n1"}]`
		c.do("POST", "/task/delete", delete+"}").problem(t, http.StatusConflict, "", "")
		c.post("/task/delete", delete+`,"confirm":2}`)
		for _, wrong := range []string{`{"targets":[]}`, `{"targets":["n1"]}`, `{"targets":[{"name":"n1"}]}`, `{"targets":null}`} {
			c.do("POST", "/task/delete", wrong).problem(t, http.StatusBadRequest, "targets", "")
		}
	})
}

func TestABulkIsPreviewedBegunAndFollowed(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		enqueued(t, b, "mail", 25)
		c := clientOf(t, configOf(b))
		order := `{"kind":"task","deed":"archive","query":"queue:mail state:pending"`
		preview := c.post("/bulk", order+`,"dry":true}`)
		if preview.at("preview.count") != 25.0 || preview.at("preview.exact") != true {
			t.Errorf("the preview is %s", preview.Body)
		}
		id := c.post("/bulk", order+"}").textAt("id")
		for c.get("/bulk", "id", id).textAt("state") == "running" {
			time.Sleep(5 * time.Millisecond)
		}
		if is := c.get("/bulk", "id", id); is.textAt("state") != "done" || is.at("done") != 25.0 || is.textAt("who") != "ann" {
			t.Errorf("the bulk is %s", is.Body)
		}
		if got := c.get("/queue", "name", "mail").at("archived"); got != 25.0 {
			t.Errorf("%v are archived, want 25", got)
		}
		if got := c.get("/bulks").textAt("items.0.id"); got != id {
			t.Errorf("the first of all bulks is %q, want %q", got, id)
		}
		c.post("/bulk/stop", `{"id":"`+id+`"}`)
		c.do("POST", "/bulk/stop", `{"id":"none"}`).problem(t, http.StatusNotFound, "", "")
		c.do("POST", "/bulk/stop", `{}`).problem(t, http.StatusBadRequest, "id", "")
		c.do("GET", "/bulk?id=none", "").problem(t, http.StatusNotFound, "", "")
		c.do("POST", "/bulk", `{"kind":"task","deed":"archive","query":"sate:x"}`).problem(t, http.StatusBadRequest, "q", "")
		c.do("POST", "/bulk", `{"deed":"archive","query":""}`).problem(t, http.StatusBadRequest, "kind", "")
		c.do("POST", "/bulk", `{"kind":"task","deed":"paint","query":""}`).problem(t, http.StatusNotFound, "", "")
		c.do("POST", "/bulk", `{"kind":"task","deed":"delete","query":"state:archived"}`).problem(t, http.StatusConflict, "", "")
		c.role = access.Viewer
		c.do("POST", "/bulk", order+"}").problem(t, http.StatusForbidden, "", "role")
	})
}

// TestWhatIsAnsweredToADeedIsAsTheDocumentHasIt plays some deeds, and holds what is sent and
// answered against the document.
func TestWhatIsAnsweredToADeedIsAsTheDocumentHasIt(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		enqueued(t, b, "mail", 5)
		c := clientOf(t, configOf(b))
		document := c.get("/openapi.json").value.(map[string]any)
		for _, sent := range [][2]string{
			{"/queue/pause", `{"queue":"mail"}`},
			{"/task/enqueue", `{"type":"note","queue":"mail","id":"one","retry":3,"payload":[1],"unique":"1h","on_conflict":"ignore"}`},
			{"/task/archive", `{"targets":[{"queue":"mail","id":"one"},{"queue":"mail","id":"none"}]}`},
			{"/task/delete", `{"queue":"mail","id":"one"}`},
			{"/bulk", `{"kind":"task","deed":"archive","query":"state:pending","dry":true}`},
			{"/bulk", `{"kind":"task","deed":"archive","query":"state:pending","args":{}}`},
			{"/entry/add", `{"name":"nightly","schedule":"0 2 * * *","type":"report"}`},
			{"/entry/pause", `{"id":"nightly","why":"a test"}`},
		} {
			path, body := sent[0], sent[1]
			is, ok := (validator{document}).lookUp("#/paths").(map[string]any)[path].(map[string]any)
			if !ok {
				t.Fatalf("the document has no %s", path)
			}
			post := is["post"].(map[string]any)
			schema := func(of any) any {
				return of.(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)["schema"]
			}
			var value any
			if err := json.Unmarshal([]byte(body), &value); err != nil {
				t.Fatal(err)
			}
			faults := (validator{document}).faults("what is sent to "+path, schema(post["requestBody"]), value)
			a := c.post(path, body)
			faults = append(faults, (validator{document}).faults("what "+path+" answers", schema(post["responses"].(map[string]any)["200"]), a.value)...)
			if diff := cmp.Diff([]string(nil), faults); diff != "" {
				t.Errorf("%s (-want +got):\n%s", a.Body, diff)
			}
		}
	})
}

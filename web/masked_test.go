package web_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/web/access"
)

// hidden is in all that is masked, and nowhere else.
const hidden = "4111222233334444"

// withSecrets fills a storage with tasks of whatever state, an entry and a server, all of
// which carry what is to be hidden.
func withSecrets(t *testing.T) broker.Broker {
	t.Helper()
	b := model.New(model.Options{})
	ctx, now := t.Context(), time.Now()
	payload := []byte(`{"card":{"number":"` + hidden + `"},"n":7}`)
	header := task.Header("authorization", hidden)
	c := queue.NewClient(b)
	enqueue := func(id string, payload []byte, o ...task.Option) {
		if _, err := c.Enqueue(ctx, task.New("pay", payload), append(o, task.ID(id), task.Queue("mail"), header)...); err != nil {
			t.Fatal(err)
		}
	}
	enqueue("json", payload)
	enqueue("text", []byte("card="+hidden))
	enqueue("bytes", []byte("\xff"+hidden))
	enqueue("later", payload, task.ProcessIn(time.Hour))
	enqueue("grouped", payload, task.Group("cards"))
	i := queue.NewInspector(b)
	enqueue("archived", payload)
	if err := i.Archive(ctx, "mail", "archived"); err != nil {
		t.Fatal(err)
	}
	for _, e := range []periodic.Entry{
		{Name: "fixed", Schedule: "@daily", Type: "pay", Payload: periodic.Bytes(payload), Options: []task.Option{header}},
		{Name: "made", Schedule: "@daily", Type: "pay", Payload: periodic.Template(string(payload))},
	} {
		if err := periodic.NewInspector(b).Add(ctx, e, "bob"); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Beat(ctx, now.Add(time.Hour), broker.Server{ // it lives for as long as the test
		ID: "6f1f8f0e-7f57-4b3c-9d55-0f0f0f0f0f01", Host: "web-1", PID: 1, Concurrency: 1, Queues: map[string]int{"mail": 1}, Status: "active", Started: now,
		Workers: []broker.Worker{{Entry: broker.EntryRef{Queue: "mail", ID: "json"}, Type: "pay", Payload: payload, Started: now}},
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// views are all ways to look at what withSecrets has made.
func views() (paths []string) {
	for _, id := range []string{"json", "text", "bytes", "later", "grouped", "archived"} {
		of := "?queue=mail&id=" + id
		paths = append(paths, "/task"+of, "/api/v1/task"+of, "/api/v1/task/payload"+of, "/task/raw"+of+"&part=payload",
			"/deed/task/clone"+of, "/deed/task/run"+of, "/deed/task/archive"+of, "/deed/task/delete"+of, "/deed/task/edit"+of)
	}
	for _, name := range []string{"fixed", "made"} {
		paths = append(paths, "/entry?name="+name, "/api/v1/entry?name="+name, "/deed/entry/change?id="+name, "/deed/entry/remove?id="+name)
	}
	for _, state := range []string{"pending", "scheduled", "archived", "aggregating", "retry"} {
		paths = append(paths, "/tasks?q=state:"+state, "/api/v1/tasks?q=state:"+state, "/api/queues/mail/"+state+"_tasks")
	}
	for _, columns := range []string{"payload", "payload.card", "payload.card.number", "payload.*.*", "header.authorization", "unique,error,size,id"} {
		paths = append(paths, "/tasks?columns="+columns, "/tasks?q=state:archived&columns="+columns)
	}
	return append(paths,
		"/", "/queues", "/queue?name=mail", "/tasks", "/group?queue=mail&name=cards", "/groups", "/servers", "/server?id=6f1f8f0e-7f57-4b3c-9d55-0f0f0f0f0f01", "/entries", "/audit",
		"/api/v1/tasks", "/api/v1/servers", "/api/v1/entries", "/api/v1/audit", "/api/servers", "/api/scheduler_entries", "/api/queues/mail/groups/cards/aggregating_tasks",
		"/api/queues/mail/tasks/json", "/complete?of=tasks&q=payload.card.number:", "/complete?of=tasks&q=payload.card.",
		"/deed/task/archive?q=state:pending&all=1", "/api/v1/openapi.json")
}

func TestWhatIsMaskedIsNowhere(t *testing.T) {
	f := fortOf(t, withSecrets(t), func(c *web.Config) { c.Mask = []string{"card.number", "header:authorization"} })
	inBase64 := base64.StdEncoding.EncodeToString([]byte(hidden))
	shown := 0
	for _, path := range views() {
		for _, role := range []access.Role{access.Viewer, access.Operator} {
			for _, accept := range []string{"text/html", "application/json"} {
				_, body, _ := fetch(t, http.MethodGet, f.url+"/leat"+path, "Role", role.String(), "Accept", accept)
				if strings.Contains(body, hidden) || strings.Contains(body, inBase64[:12]) {
					t.Errorf("GET %s of %s shows what is masked", path, role)
				}
			}
		}
		if status, body, _ := fetch(t, http.MethodGet, f.url+"/leat"+path, "Role", "admin"); status == http.StatusOK && strings.Contains(body, hidden) {
			shown++
		}
	}
	if shown < 20 {
		t.Errorf("only %d of %d pages show an admin what is masked: the others have nothing to hide", shown, len(views()))
	}
}

func TestWhatIsMaskedCannotBeAskedFor(t *testing.T) {
	f := fortOf(t, withSecrets(t), func(c *web.Config) { c.Mask = []string{"card.number", "header:authorization"} })
	for _, q := range []string{"payload.card.number:4111*", "payload~4111", "-payload.card:*4111*", "payload.*.number:4*", "header.authorization:4111*", "unique:4*"} {
		query := strings.NewReplacer("*", "%2A", ":", "%3A", "~", "%7E").Replace(q)
		for _, path := range []string{"/tasks?q=", "/api/v1/tasks?q=", "/deed/task/archive?all=1&q="} {
			if status, body, _ := fetch(t, http.MethodGet, f.url+"/leat"+path+query, "Role", "operator"); status != http.StatusForbidden {
				t.Errorf("an operator may ask %s for %s: %d %.300s", path, q, status, body)
			}
			if status, body, _ := fetch(t, http.MethodGet, f.url+"/leat"+path+query, "Role", "admin"); status != http.StatusOK {
				t.Errorf("an admin may not ask %s for %s: %d %.300s", path, q, status, body)
			}
		}
		if status, body, _ := f.post("/leat/api/v1/bulk", `{"kind":"task","deed":"archive","dry":true,"query":"`+q+`"}`, "Role", "operator"); status != http.StatusForbidden {
			t.Errorf("an operator may ask for %s: %d %.300s", q, status, body)
		}
	}
}

func TestWhatIsSavedOrAnsweredAsAsynqmonDoesIsNotKept(t *testing.T) {
	f := fortOf(t, withSecrets(t), nil)
	for path, want := range map[string]string{
		"/api/v1/task/payload?queue=mail&id=json": "no-store", "/api/queues/mail/pending_tasks": "no-store", "/tasks": "no-store",
		"/api/v1/tasks": "private, no-cache",
	} {
		if status, _, h := fetch(t, http.MethodGet, f.url+"/leat"+path, "Role", "admin"); status != http.StatusOK || h.Get("Cache-Control") != want {
			t.Errorf("GET %s: %d, kept %q, want %q", path, status, h.Get("Cache-Control"), want)
		}
	}
}

func TestWhatOthersAskedForIsHiddenWhereItIsMasked(t *testing.T) {
	f := fortOf(t, withSecrets(t), func(c *web.Config) { c.Mask = []string{"card.number", "header:authorization"} })
	order := func(deed, query string) string {
		return `{"kind":"task","deed":"` + deed + `","query":"queue:mail payload.card.number:` + hidden + query + `"}`
	}
	_, said, _ := f.post("/leat/api/v1/bulk", order("run", ""), "Role", "admin")
	var begun struct{ ID string }
	if err := json.Unmarshal([]byte(said), &begun); err != nil || begun.ID == "" {
		t.Fatalf("the bulk is not begun: %s", said)
	}
	f.post("/leat/api/v1/bulk", order("run", " sate:pending"), "Role", "admin") // which is refused
	f.post("/leat/api/v1/task/enqueue", `{"type":"pay","unique":"1h","unique_key":"`+hidden+`"}`, "Role", "admin")
	f.post("/leat/api/v1/task/archive", `{"queue":"mail","id":"json"}`, "Role", "admin")
	paths := []string{"/bulk", "/bulk?id=" + begun.ID, "/audit", "/api/v1/bulks", "/api/v1/bulk?id=" + begun.ID, "/api/v1/audit"}
	for _, path := range paths {
		for role, want := range map[string]bool{"viewer": false, "operator": false, "admin": true} {
			status, body, _ := fetch(t, http.MethodGet, f.url+"/leat"+path, "Role", role)
			if status != http.StatusOK || strings.Contains(body, hidden) != want {
				t.Errorf("GET %s of %s: %d, and what is masked is shown: %v", path, role, status, !want)
			}
			if strings.HasSuffix(path, "/audit") && !strings.Contains(body, "mail/json") {
				t.Errorf("GET %s of %s does not tell of the task that was named", path, role)
			}
		}
	}
	if _, body, _ := f.post("/leat/api/v1/bulk/stop", `{"id":"`+begun.ID+`"}`, "Role", "operator"); strings.Contains(body, hidden) || !strings.Contains(body, begun.ID) {
		t.Errorf("an operator who stops a bulk is told %s", body)
	}
}

package asynqmon_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/asynqmon"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/prom"
	"github.com/leatwork/leat/web/internal/storage"
)

// The fields of what is answered.
const (
	snapshot = "queue memory_usage_bytes size groups latency_msec display_latency active pending aggregating scheduled retry archived completed processed succeeded failed paused timestamp"
	day      = "queue processed succeeded failed date"
	listed   = "id type payload queue max_retry retried error_message"
	single   = "id queue type payload state max_retry retried error_message last_failed_at timeout_seconds deadline next_process_at completed_at result ttl_seconds"
	server   = "id host pid concurrency queue_priorities strict_priority_enabled start_time status active_workers"
	worker   = "task_id queue task_type task_payload start_time"
	entry    = "id spec task_type task_payload options next_enqueue_at prev_enqueue_at"
	metrics  = "queue_size queue_latency_seconds queue_memory_usage_approx_bytes tasks_processed_per_second tasks_failed_per_second error_rate pending_tasks_by_queue retry_tasks_by_queue archived_tasks_by_queue"
)

// A request is one to a route of asynqmon's, and what is answered. In its path, Q, G and E
// stand for the names of a queue, a group and an entry; 1 to 3 for the ids of tasks in the
// state that the path speaks of.
type request struct {
	text   string
	fields map[string]string // at a path of the answer; nil: there is none
}

// requests are to all 65 routes, in an order in which each of them finds something.
var requests = []request{
	{"GET queues", map[string]string{"": "queues", "queues.0": snapshot}},
	{"GET queues/Q", map[string]string{"": "current history", "current": snapshot, "history.0": day}},
	{"GET queue_stats", map[string]string{"": "stats", "stats.Q.0": day}},
	{"GET queues/Q/active_tasks", map[string]string{"": "tasks stats", "tasks.0": listed + " start_time deadline is_orphaned", "stats": snapshot}},
	{"GET queues/Q/pending_tasks", map[string]string{"": "tasks stats", "tasks.0": listed, "stats": snapshot}},
	{"GET queues/Q/scheduled_tasks", map[string]string{"": "tasks stats", "tasks.0": listed + " next_process_at", "stats": snapshot}},
	{"GET queues/Q/retry_tasks", map[string]string{"": "tasks stats", "tasks.0": listed + " next_process_at", "stats": snapshot}},
	{"GET queues/Q/archived_tasks", map[string]string{"": "tasks stats", "tasks.0": listed + " last_failed_at", "stats": snapshot}},
	{"GET queues/Q/completed_tasks", map[string]string{"": "tasks stats", "tasks.0": listed + " completed_at result ttl_seconds", "stats": snapshot}},
	{"GET queues/Q/groups/G/aggregating_tasks", map[string]string{"": "tasks stats groups", "tasks.0": listed + " group", "groups.0": "group size"}},
	{"GET queues/Q/groups", map[string]string{"": "stats groups", "stats": snapshot, "groups.0": "group size"}},
	{"GET queues/Q/tasks/pending1", map[string]string{"": single}},
	{"GET servers", map[string]string{"": "servers", "servers.0": server, "servers.0.active_workers.0": worker}},
	{"GET scheduler_entries", map[string]string{"": "entries", "entries.0": entry}},
	{"GET scheduler_entries/E/enqueue_events", map[string]string{"": "events", "events.0": "task_id enqueued_at"}},
	{"GET redis_info", map[string]string{"": "address info raw_info cluster raw_cluster_nodes queue_locations"}},
	{"GET metrics", map[string]string{"": metrics, "queue_size": "status data"}},

	{"POST queues/Q:pause", nil},
	{"POST queues/Q:resume", nil},
	{"POST queues/Q/active_tasks/active1:cancel", nil},
	{"POST queues/Q/active_tasks:batch_cancel active2 none", map[string]string{"": "canceled_ids error_ids"}},
	{"POST queues/Q/active_tasks:cancel_all", nil},

	{"DELETE queues/Q/pending_tasks/pending1", nil},
	{"POST queues/Q/pending_tasks:batch_delete pending2 none", map[string]string{"": "deleted_ids failed_ids"}},
	{"POST queues/Q/pending_tasks/pending3:archive", nil},
	{"POST queues/Q/pending_tasks:batch_archive pending4 none", map[string]string{"": "archived_ids error_ids"}},
	{"POST queues/Q/pending_tasks:archive_all", map[string]string{"": "archived"}},
	{"DELETE queues/Q/pending_tasks:delete_all", map[string]string{"": "deleted"}},

	{"DELETE queues/Q/scheduled_tasks/scheduled1", nil},
	{"POST queues/Q/scheduled_tasks:batch_delete scheduled2 none", map[string]string{"": "deleted_ids failed_ids"}},
	{"POST queues/Q/scheduled_tasks/scheduled3:run", nil},
	{"POST queues/Q/scheduled_tasks:batch_run scheduled4 none", map[string]string{"": "pending_ids error_ids"}},
	{"POST queues/Q/scheduled_tasks/scheduled5:archive", nil},
	{"POST queues/Q/scheduled_tasks:batch_archive scheduled6 none", map[string]string{"": "archived_ids error_ids"}},
	{"POST queues/Q/scheduled_tasks:run_all", map[string]string{"": "scheduled"}},
	{"POST queues/Q/scheduled_tasks:archive_all", map[string]string{"": "archived"}},
	{"DELETE queues/Q/scheduled_tasks:delete_all", map[string]string{"": "deleted"}},

	{"DELETE queues/Q/retry_tasks/retry1", nil},
	{"POST queues/Q/retry_tasks:batch_delete retry2 none", map[string]string{"": "deleted_ids failed_ids"}},
	{"POST queues/Q/retry_tasks/retry3:run", nil},
	{"POST queues/Q/retry_tasks:batch_run retry4 none", map[string]string{"": "pending_ids error_ids"}},
	{"POST queues/Q/retry_tasks/retry5:archive", nil},
	{"POST queues/Q/retry_tasks:batch_archive retry6 none", map[string]string{"": "archived_ids error_ids"}},
	{"POST queues/Q/retry_tasks:archive_all", map[string]string{"": "archived"}},
	{"POST queues/Q/retry_tasks:run_all", map[string]string{"": "scheduled"}},
	{"DELETE queues/Q/retry_tasks:delete_all", map[string]string{"": "deleted"}},

	{"DELETE queues/Q/groups/G/aggregating_tasks/aggregating1", nil},
	{"POST queues/Q/groups/G/aggregating_tasks:batch_delete aggregating2 none", map[string]string{"": "deleted_ids failed_ids"}},
	{"POST queues/Q/groups/G/aggregating_tasks/aggregating3:run", nil},
	{"POST queues/Q/groups/G/aggregating_tasks:batch_run aggregating4 none", map[string]string{"": "pending_ids error_ids"}},
	{"POST queues/Q/groups/G/aggregating_tasks/aggregating5:archive", nil},
	{"POST queues/Q/groups/G/aggregating_tasks:batch_archive aggregating6 none", map[string]string{"": "archived_ids error_ids"}},
	{"POST queues/Q/groups/G/aggregating_tasks:archive_all", map[string]string{"": "archived"}},
	{"POST queues/Q/groups/G/aggregating_tasks:run_all", map[string]string{"": "scheduled"}},
	{"DELETE queues/Q/groups/G/aggregating_tasks:delete_all", map[string]string{"": "deleted"}},

	{"DELETE queues/Q/archived_tasks/archived1", nil},
	{"POST queues/Q/archived_tasks:batch_delete archived2 none", map[string]string{"": "deleted_ids failed_ids"}},
	{"POST queues/Q/archived_tasks/archived3:run", nil},
	{"POST queues/Q/archived_tasks:batch_run archived4 none", map[string]string{"": "pending_ids error_ids"}},
	{"POST queues/Q/archived_tasks:run_all", map[string]string{"": "scheduled"}},
	{"DELETE queues/Q/archived_tasks:delete_all", map[string]string{"": "deleted"}},

	{"DELETE queues/Q/completed_tasks/completed1", nil},
	{"POST queues/Q/completed_tasks:batch_delete completed2 none", map[string]string{"": "deleted_ids failed_ids"}},
	{"DELETE queues/Q/completed_tasks:delete_all", map[string]string{"": "deleted"}},

	{"DELETE queues/empty", nil},
}

// name returns a name with characters in it that mean something in addresses.
func name(of string) string { return of + "/:run@a+b" }

// perState is how many tasks there are in each state.
const perState = 8

// fill has tasks in each state of a queue, a server that runs some, and a scheduler.
func fill(t *testing.T, b broker.Broker, q string) {
	t.Helper()
	now := time.Now()
	add := func(kind string, of func(e *broker.Entry)) {
		var c broker.Change
		for n := range perState {
			e := broker.Entry{EntryRef: broker.EntryRef{Queue: q, ID: name(fmt.Sprint(kind, n+1))}, Type: "note", Payload: []byte(`{"n":1}`), MaxRetry: 3, Retention: time.Hour}
			of(&e)
			c.Enqueue = append(c.Enqueue, e)
		}
		apply(t, b, c, broker.LeaseRequest{})
	}
	lease := func() []broker.Lease {
		return apply(t, b, broker.Change{}, broker.LeaseRequest{Queues: []broker.Share{{Queue: q, First: perState}}, Max: perState, Until: now.Add(time.Hour)})
	}
	for kind, to := range map[string]broker.Outcome{"completed": broker.Completed, "archived": broker.Archived, "retry": broker.Retry} {
		add(kind, func(*broker.Entry) {})
		var c broker.Change
		for _, l := range lease() {
			if to == broker.Completed {
				l.Entry.CompletedAt = now
			} else {
				l.Entry.LastErr, l.Entry.LastFailedAt = "it broke", now
			}
			c.Settle = append(c.Settle, broker.Settlement{Token: l.Token, Entry: l.Entry, To: to, At: now.Add(time.Hour), Failed: to != broker.Completed})
		}
		apply(t, b, c, broker.LeaseRequest{})
	}
	add("active", func(*broker.Entry) {})
	var workers []broker.Worker
	for _, l := range lease() {
		workers = append(workers, broker.Worker{Entry: l.Entry.EntryRef, Type: l.Entry.Type, Payload: l.Entry.Payload, Started: now})
	}
	add("pending", func(*broker.Entry) {})
	add("scheduled", func(e *broker.Entry) { e.DueAt = now.Add(time.Hour) })
	add("aggregating", func(e *broker.Entry) { e.Group = name("G") })
	s := broker.Server{ID: "s1", Host: "host", PID: 1, Status: "active", Queues: map[string]int{q: 1}, Concurrency: 10, Started: now, Workers: workers}
	scheduler := broker.Scheduler{ID: "host:1:x", Entries: []broker.PeriodicEntry{{ID: name("E"), Spec: "@every 1h", Type: "note", Payload: []byte("{}"), Options: []string{`Queue("mail")`}, Next: now.Add(time.Hour), Prev: now}}}
	tick := broker.Tick{Entry: name("E"), TaskID: "t1", At: now}
	if err := errors.Join(b.Beat(t.Context(), now, s), b.BeatScheduler(t.Context(), now, scheduler), b.RecordTicks(t.Context(), tick)); err != nil {
		t.Fatal(err)
	}
	if _, err := queue.NewClient(b).Enqueue(t.Context(), task.New("note", nil), task.Queue("empty"), task.ID("x")); err != nil {
		t.Fatal(err)
	}
	if err := queue.NewInspector(b).Delete(t.Context(), "empty", "x"); err != nil {
		t.Fatal(err)
	}
}

func apply(t *testing.T, b broker.Broker, c broker.Change, want broker.LeaseRequest) []broker.Lease {
	t.Helper()
	done, err := b.Apply(t.Context(), time.Now(), []broker.Change{c}, want)
	if err = errors.Join(append(done.Outcomes, err)...); err != nil {
		t.Fatal(err)
	}
	return done.Leases
}

// A client asks as somebody.
type client struct {
	t       *testing.T
	handler http.Handler
	role    access.Role
}

// A log keeps what was done.
type log struct{ entries []audit.Entry }

func (l *log) Record(_ context.Context, e audit.Entry) { l.entries = append(l.entries, e) }

func configOf(t *testing.T, b broker.Broker) (asynqmon.Config, *log) {
	l := &log{}
	s := storage.New(b, time.Millisecond)
	d := &deed.Doer{Storage: s, Recorder: l}
	t.Cleanup(d.Close)
	return asynqmon.Config{Storage: s, Doer: d}, l
}

func (c client) do(method, path, body string) *httptest.ResponseRecorder {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	r := httptest.NewRequestWithContext(access.With(ctx, access.Identity{Name: "ann", Role: c.role}), method, asynqmon.Prefix+"/"+path, strings.NewReader(body))
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return w
}

// prometheus returns a client of a server that answers everything with nothing.
func prometheus(t *testing.T) *prom.Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[]}}`)
	}))
	t.Cleanup(s.Close)
	c, err := prom.New(s.URL, prom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// address returns the path of a request as it is sent, and the body.
func (r request) address(q string) (method, path, body string) {
	words := strings.Fields(r.text)
	parts := strings.Split(words[1], "/")
	for i, part := range parts {
		part, verb, _ := strings.Cut(part, ":")
		if verb != "" {
			verb = ":" + verb
		}
		switch {
		case part == "Q":
			part = url.PathEscape(q)
		case part == "G" || part == "E" || strings.ContainsAny(part, "123456789"):
			part = strings.ReplaceAll(url.PathEscape(name(part)), ":", "%3A")
		}
		parts[i] = part + verb
	}
	if len(words) > 2 {
		ids, _ := json.Marshal(map[string]any{"task_ids": []string{name(words[2]), words[3]}})
		body = string(ids)
	}
	return words[0], strings.Join(parts, "/"), body
}

// at returns what is at a path of a value.
func at(v any, path string) any {
	for _, step := range strings.FieldsFunc(path, func(c rune) bool { return c == '.' }) {
		switch is := v.(type) {
		case map[string]any:
			v = is[step]
		case []any:
			if len(is) == 0 {
				return nil
			}
			v = is[0]
		}
	}
	return v
}

// check compares what is answered with what the request wants.
func (r request) check(t *testing.T, q string, w *httptest.ResponseRecorder) {
	t.Helper()
	if r.fields == nil {
		if w.Code != http.StatusNoContent || w.Body.Len() > 0 {
			t.Errorf("%s answers with %d: %s, want nothing", r.text, w.Code, w.Body)
		}
		return
	}
	var v any
	if err := json.Unmarshal(w.Body.Bytes(), &v); w.Code != http.StatusOK || err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%s answers with %d, %s: %.300s (%v)", r.text, w.Code, w.Header().Get("Content-Type"), w.Body, err)
		return
	}
	for path, fields := range r.fields {
		object, _ := at(v, strings.ReplaceAll(path, "Q", strings.ReplaceAll(q, ".", "·"))).(map[string]any)
		want := slices.Sorted(slices.Values(strings.Fields(fields)))
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(object))); diff != "" {
			t.Errorf("%s answers at %q with (-want +got):\n%s\n%.500s", r.text, path, diff, w.Body)
		}
	}
	if strings.Contains(r.text, ":batch_") {
		for field, ids := range v.(map[string]any) {
			id := strings.Fields(r.text)[2]
			want := []any{name(id)}
			if strings.HasPrefix(field, "error") || strings.HasPrefix(field, "failed") {
				want = []any{"none"}
			}
			if diff := cmp.Diff(any(want), ids); diff != "" {
				t.Errorf("%s answers with %s (-want +got):\n%s", r.text, field, diff)
			}
		}
	}
	for _, count := range []string{"deleted", "archived", "scheduled"} {
		if n, counts := v.(map[string]any)[count]; counts {
			if _, isNumber := n.(float64); !isNumber {
				t.Errorf("%s answers with %v", r.text, n)
			}
		}
	}
}

func TestAllRoutesOfAsynqmonAnswer(t *testing.T) {
	if len(requests) != 65 {
		t.Fatalf("there are %d requests, want one to each of 65 routes", len(requests))
	}
	methods := map[string]int{}
	for _, r := range requests {
		methods[strings.Fields(r.text)[0]]++
	}
	if diff := cmp.Diff(map[string]int{"GET": 17, "POST": 35, "DELETE": 13}, methods); diff != "" {
		t.Errorf("there are (-want +got):\n%s", diff)
	}
	b, err := redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	q := name("Q")
	fill(t, b, q)
	config, l := configOf(t, b)
	config.Prom = prometheus(t)
	c := client{t, asynqmon.New(config), access.Admin}
	for _, r := range requests {
		method, path, body := r.address(q)
		before := len(l.entries)
		r.check(t, q, c.do(method, path, body))
		if isRead := method == http.MethodGet; isRead != (len(l.entries) == before) {
			t.Errorf("%s was recorded %d times", r.text, len(l.entries)-before)
		}
	}
}

func TestTheTableOfRoutesIsWhatIsTested(t *testing.T) {
	var tested []string
	for _, r := range requests {
		words := strings.Fields(r.text)
		path := "/" + words[1]
		for _, state := range task.States() {
			for n := 1; n <= 6; n++ {
				path = strings.ReplaceAll(path, fmt.Sprint(state.String(), n), "{id}")
			}
		}
		path = strings.NewReplacer("/Q", "/{queue}", "/empty", "/{queue}", "/G/", "/{group}/", "/E/", "/{entry}/").Replace(path)
		tested = append(tested, words[0]+" "+strings.TrimPrefix(path, "/"))
	}
	routes := asynqmon.Routes()
	slices.Sort(tested)
	slices.Sort(routes)
	if diff := cmp.Diff(tested, routes); diff != "" {
		t.Errorf("the routes are (-want +got):\n%s", diff)
	}
}

func TestActionsDoWhatTheySay(t *testing.T) {
	b, err := sqlitebroker.Open(t.TempDir()+"/leat.db", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	fill(t, b, "Q")
	config, l := configOf(t, b)
	c := client{t, asynqmon.New(config), access.Admin}
	for _, step := range []struct{ method, path, want string }{
		{"POST", "queues/Q/scheduled_tasks:run_all", `{"scheduled":8}`},
		{"POST", "queues/Q/pending_tasks:archive_all", `{"archived":16}`},
		{"DELETE", "queues/Q/archived_tasks:delete_all", `{"deleted":24}`},
		{"DELETE", "queues/Q/completed_tasks:delete_all", `{"deleted":8}`},
		{"DELETE", "queues/Q/retry_tasks:delete_all", `{"deleted":8}`},
		{"DELETE", "queues/Q/groups/" + url.PathEscape(name("G")) + "/aggregating_tasks:delete_all", `{"deleted":8}`},
	} {
		if w := c.do(step.method, step.path, ""); strings.TrimSpace(w.Body.String()) != step.want {
			t.Errorf("%s answers with %s, want %s", step.path, w.Body, step.want)
		}
	}
	i, err := config.Storage.Inspector.QueueInfo(t.Context(), "Q")
	if err != nil || i.Size() != i.Active {
		t.Errorf("left are %+v (%v), want those that are active", i, err)
	}
	if last := l.entries[len(l.entries)-1]; last.By != "ann" || last.Count != 8 || last.Deed != "delete" {
		t.Errorf("it was recorded that %+v", last)
	}
	if w := c.do("DELETE", "queues/Q", ""); w.Code != http.StatusBadRequest {
		t.Errorf("to delete a queue that is not empty answers with %d: %s", w.Code, w.Body)
	}
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	b, err := sqlitebroker.Open(t.TempDir()+"/leat.db", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	fill(t, b, "Q")
	config, _ := configOf(t, b)
	c := client{t, asynqmon.New(config), access.Admin}
	refused := func(c client, method, path, body string, status int) {
		t.Helper()
		if w := c.do(method, path, body); w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s answers with %d, %s: %s, want %d", method, path, w.Code, w.Header().Get("Content-Type"), w.Body, status)
		}
	}
	for _, query := range []string{"size=0", "size=-1", "size=1001", "size=all", "page=0", "page=first", "limit=3", "size=%zz"} {
		refused(c, "GET", "queues/Q/pending_tasks?"+query, "", 400)
	}
	for _, query := range []string{"duration=0", "duration=1h", "endtime=now", "endtime=-1"} {
		refused(c, "GET", "metrics?"+query, "", 400)
	}
	for _, body := range []string{"", "{}", `{"task_ids":null}`, `{"task_ids":"a"}`, `{"ids":["a"]}`, `{"task_ids":[]} 1`, "[]"} {
		refused(c, "POST", "queues/Q/pending_tasks:batch_delete", body, 400)
	}
	refused(c, "POST", "queues/Q/pending_tasks:batch_delete", `{"task_ids":["a"`+strings.Repeat(`,"a"`, deed.MaxTargets)+`]}`, 400)
	refused(c, "POST", "queues/Q/pending_tasks:batch_delete", `{"task_ids":["`+strings.Repeat("x", 1_000_000)+`"]}`, 413)
	for _, missing := range []string{
		"nothing", "queues/none", "queues/none/pending_tasks", "queues/none/groups", "queues/Q/tasks/none", "queues/Q/running_tasks", "queues//pending_tasks",
		"metrics", "redis_info", "queues/Q/tasks/a/b",
	} {
		refused(c, "GET", missing, "", 404)
	}
	refused(c, "POST", "queues/none:pause", "", 404)
	refused(c, "DELETE", "queues/none", "", 404)
	refused(c, "POST", "queues/Q/archived_tasks/"+url.PathEscape(name("pending1"))+":run", "", 404)
	refused(c, "DELETE", "queues/Q/active_tasks/x", "", 404)
	refused(c, "PUT", "queues/Q", "", 405)
	refused(client{t, c.handler, access.Viewer}, "POST", "queues/Q:pause", "", 403)
	refused(client{t, c.handler, access.Operator}, "DELETE", "queues/Q/pending_tasks:delete_all", "", 403)
	config.ReadOnly = true
	readOnly := client{t, asynqmon.New(config), access.Admin}
	refused(readOnly, "POST", "queues/Q:pause", "", 405)
	refused(readOnly, "DELETE", "queues/Q", "", 405)
	if w := readOnly.do("GET", "queues/Q", ""); w.Code != http.StatusOK {
		t.Errorf("what is only read is refused: %s", w.Body)
	}
	if w := readOnly.do("HEAD", "queues", ""); w.Code != http.StatusOK {
		t.Errorf("the head of what is only read is refused: %d", w.Code)
	}
}

// TestOddNamesAreNobodysFault asks all routes about names that there are not and cannot be.
func TestOddNamesAreNobodysFault(t *testing.T) {
	b, err := redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	config, _ := configOf(t, b)
	config.Prom = prometheus(t)
	c := client{t, asynqmon.New(config), access.Admin}
	for _, q := range []string{"{", "}", "a}b", "\x00", "\r\n", "\xff", "é\u202e", "..", "a/../b", "a b", "*", strings.Repeat("x", 300), "leat~x"} {
		for _, r := range requests {
			method, path, body := r.address(q)
			if w := c.do(method, path, body); w.Code >= http.StatusInternalServerError || w.Code != http.StatusOK && w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s of queue %q answers with %d: %.200s", r.text, q, w.Code, w.Body)
			}
		}
	}
}

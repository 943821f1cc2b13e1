package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/stock"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// Where the storage is that fails.
const (
	storeAddress = "10.11.12.13:6379"
	storePath    = "/var/lib/secret/leat.db"
)

// failures are what storages say of themselves when they fail.
var failures = map[string]error{
	"the network":        fmt.Errorf("apply: %w", &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 11, 12, 13), Port: 6379}, Err: syscall.ECONNREFUSED}),
	"the network's text": errors.New("redis: dial tcp " + storeAddress + ": connect: connection refused"),
	"a file":             fmt.Errorf("counts: %w", &fs.PathError{Op: "open", Path: storePath, Err: fs.ErrPermission}),
	"a file's text":      errors.New("unable to open database file: " + storePath),
	"Redis itself":       moved("MOVED 3999 " + storeAddress),
}

// moved is what a node says that has handed a key over.
type moved string

func (m moved) Error() string { return string(m) }
func (moved) RedisError()     {}

// everything returns all that can be read, below /leat.
func (f *fort) everything() (paths []string) {
	f.Helper()
	of := url.Values{}
	for name, value := range map[string]string{"queue": "mail", "name": "mail", "id": "nightly-report", "step": "charge"} {
		of.Set(name, value)
	}
	for _, page := range []string{
		"/", "/queues", "/queue", "/tasks", "/task", "/diff", "/groups", "/group", "/servers", "/server", "/entries", "/entry", "/runs", "/run", "/storage", "/audit",
		"/bulk", "/run/graph.svg", "/run/gantt.svg", "/run/history.json", "/task/raw", "/complete",
	} {
		paths = append(paths, page, page+"?"+of.Encode())
	}
	_, text, _ := fetch(f.T, http.MethodGet, f.url+"/leat/api/v1/openapi.json", "Role", "admin")
	var document struct {
		Paths map[string]map[string]struct{ Parameters []struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		f.Fatal(err)
	}
	for path, methods := range document.Paths {
		if get, ok := methods["get"]; ok {
			with := url.Values{}
			for _, p := range get.Parameters {
				if of.Has(p.Name) {
					with.Set(p.Name, of.Get(p.Name))
				}
			}
			paths = append(paths, "/api/v1"+path+"?"+with.Encode())
		}
	}
	for _, path := range []string{"queues", "queues/mail", "queue_stats", "queues/mail/groups", "queues/mail/tasks/1", "servers", "scheduler_entries", "scheduler_entries/a/enqueue_events", "redis_info"} {
		paths = append(paths, "/api/"+path)
	}
	for _, state := range task.States() {
		paths = append(paths, "/api/queues/mail/"+state.String()+"_tasks")
	}
	return paths
}

// orders returns all that can be done, below /leat, with what is sent for it.
func orders() (all [][2]string) {
	for _, d := range deed.All(access.Admin) {
		form, body := target(d)
		name := string(d.Kind) + "/" + d.Name
		all = append(all, [2]string{"/deed/" + name, form}, [2]string{"/api/v1/" + name, body}, [2]string{"/deed/" + name, form + "&all=1&count=1&confirm=1"})
		if d.Several {
			one := strings.TrimSuffix(strings.TrimPrefix(body, "{"), "}")
			all = append(all, [2]string{"/api/v1/" + name, `{"targets":[{` + one + `},{` + one + `}]}`})
			pick := url.Values{"pick": {form, form}, "confirm": {"2"}}
			all = append(all, [2]string{"/deed/" + name, pick.Encode()})
			bulk := fmt.Sprintf(`{"kind":%q,"deed":%q,"query":"","confirm":9999`, d.Kind, d.Name)
			all = append(all, [2]string{"/api/v1/bulk", bulk + "}"}, [2]string{"/api/v1/bulk", bulk + `,"dry":true}`})
		}
	}
	return append(all,
		[2]string{"/api/queues/mail:pause", ""}, [2]string{"/api/queues/mail/retry_tasks:run_all", ""}, [2]string{"/api/queues/mail/retry_tasks/nightly-report:run", ""},
		[2]string{"/api/queues/mail/retry_tasks:batch_run", `{"task_ids":["nightly-report"]}`}, [2]string{"/storage/verify", ""},
	)
}

// TestNobodyIsToldWhereTheStorageIs asks for everything while the storage fails: whole, or
// only in some of what it is asked for.
func TestNobodyIsToldWhereTheStorageIs(t *testing.T) {
	b, err := sqlitebroker.Open(filepath.Join(t.TempDir(), "leat.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if err := stock.Fill(t.Context(), b, 100, time.Now()); err != nil {
		t.Fatal(err)
	}
	var failing atomic.Pointer[string]
	var failure atomic.Pointer[error]
	f := fortOf(t, brokertest.Faulty(b, func(_ int, method string) (now brokertest.Fault) {
		if m := failing.Load(); m != nil && (*m == "" || *m == method) {
			now.Before = *failure.Load()
		}
		return now
	}), nil)
	paths := f.everything()
	hides := func(what, said string) {
		if strings.Contains(said, "10.11.12.13") || strings.Contains(said, "/var/lib/secret") {
			t.Errorf("%s tells where the storage is: %.600s", what, said)
		}
	}
	silent := 0
	for name, err := range failures {
		for _, method := range []string{"", "Entry", "Counts", "List", "Groups", "Sweep", "Memory", "Homes"} {
			what := fmt.Sprintf("%s, at %q:", name, method)
			failure.Store(&err)
			failing.Store(&method)
			for _, path := range paths {
				status, said, _ := fetch(t, http.MethodGet, f.url+"/leat"+path, "Role", "admin")
				hides(what+" GET "+path, said)
				if status >= http.StatusInternalServerError {
					silent++
				}
			}
			for _, o := range orders() {
				_, said, h := f.post(o[0], o[1], "Role", "admin")
				hides(what+" POST "+o[0]+" "+o[1], said)
				if at := h.Get("Location"); at != "" {
					_, said, _ = fetch(t, http.MethodGet, f.url+at, "Role", "admin")
					hides(what+" what POST "+o[0]+" has led to", said)
				}
			}
			failing.Store(nil)
			for _, path := range []string{"/audit", "/api/v1/audit?limit=500", "/api/v1/bulks"} {
				_, said, _ := fetch(t, http.MethodGet, f.url+"/leat"+path, "Role", "viewer")
				hides(what+" then GET "+path, said)
			}
		}
	}
	if silent < 200 {
		t.Errorf("only %d of what was asked for failed", silent)
	}
}

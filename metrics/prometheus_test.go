package metrics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/freeport"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/metrics"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
)

// promtool runs promtool check metrics, and returns what it has to say.
func promtool(t *testing.T, exposition string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	c.Stdin = strings.NewReader(exposition)
	said, err := c.CombinedOutput()
	if err != nil && len(said) == 0 {
		t.Fatalf("promtool: %v", err)
	}
	return string(said)
}

func TestPromtoolFindsNothingToComplainOf(t *testing.T) {
	for _, name := range []string{"storage", "process"} {
		text, err := os.ReadFile("testdata/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if said := promtool(t, string(text)); said != "" {
			t.Errorf("promtool check metrics of %s says\n%s", name, said)
		}
	}
	// It does complain of the names of asynq's that we leave out.
	misleading := "# HELP asynq_queue_paused_total x\n# TYPE asynq_queue_paused_total gauge\nasynq_queue_paused_total 1\n"
	if said := promtool(t, misleading); !strings.Contains(said, "_total") {
		t.Errorf("promtool check metrics of a gauge called _total says %q, want a complaint", said)
	}
}

// guardian runs Prometheus until its standard input ends, which it does when the test's
// process is gone.
const guardian = `
prometheus "$@" >prometheus.log 2>&1 &
read -r word
kill -9 $!
wait`

// A scraper is a Prometheus that a test has started.
type scraper struct {
	*testing.T
	address string
	dir     string
}

// startPrometheus starts a Prometheus that scrapes paths of a server all the time, and
// ends with the test.
func startPrometheus(t *testing.T, server *httptest.Server, paths ...string) *scraper {
	t.Helper()
	p := &scraper{T: t, address: freeport.Address(t), dir: t.TempDir()}
	rules, err := filepath.Abs("../examples/metrics/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var config strings.Builder
	fmt.Fprintf(&config, "global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}\nrule_files: [%s]\nscrape_configs:\n", rules)
	for _, path := range paths {
		fmt.Fprintf(&config, "  - {job_name: %s, metrics_path: %s, static_configs: [{targets: ['%s']}]}\n", path[1:], path, server.Listener.Addr())
	}
	if err := os.WriteFile(filepath.Join(p.dir, "prometheus.yml"), []byte(config.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-c", guardian, "sh", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
		"--web.listen-address="+p.address, "--query.lookback-delta=5s", "--log.level=warn")
	c.Dir = p.dir
	alive, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		alive.Close()
		if err := c.Wait(); err != nil {
			t.Logf("prometheus: %v", err)
		}
	})
	p.eventually("Prometheus is ready", func() bool {
		r, err := http.Get("http://" + p.address + "/-/ready")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	return p
}

// eventually waits until done reports true.
func (p *scraper) eventually(what string, done func() bool) {
	p.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(filepath.Join(p.dir, "prometheus.log"))
			p.Fatalf("after a minute it is not so that %s; Prometheus says\n%s", what, said)
		}
	}
}

// value returns the first value of a query, and whether there is one.
func (p *scraper) value(query string) (v float64, ok bool) {
	p.Helper()
	r, err := http.Get("http://" + p.address + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		p.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		p.Fatal(err)
	}
	var answer struct {
		Status string
		Data   struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&answer); err != nil || answer.Status != "success" {
		p.Fatalf("query %s: %v: %s", query, err, text)
	}
	if len(answer.Data.Result) == 0 {
		return 0, false
	}
	v, err = strconv.ParseFloat(answer.Data.Result[0].Value[1].(string), 64)
	if err != nil {
		p.Fatal(err)
	}
	return v, true
}

// comes waits until a query has a value that is as it should be.
func (p *scraper) comes(query string, as func(float64) bool) {
	p.Helper()
	last := 0.0
	p.eventually(fmt.Sprintf("%s is as it should be", query), func() bool {
		v, ok := p.value(query)
		last = v
		return ok && as(v)
	})
	p.Logf("%s = %v", query, last)
}

func is(want float64) func(float64) bool { return func(v float64) bool { return v == want } }

// Three processes on one Redis are scraped by a real Prometheus, while a load rises and
// falls.
func TestPrometheusSeesALoadRiseAndFall(t *testing.T) {
	b, err := redisbroker.Open(redistest.Start(t, redistest.Options{}).URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	gate := make(chan struct{})
	waiting := task.HandlerFunc(func(ctx context.Context, _ *task.Task) error {
		select {
		case <-gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	const each = 20
	pods := http.NewServeMux()
	for _, path := range []string{"/a", "/b", "/c"} {
		m := newMetrics(t, metrics.Config{Broker: b})
		m.Watch(serve(t, b, queue.Config{Concurrency: 2, Observer: m.Observe}, waiting))
		pods.Handle(path, handlerOf(t, m))
	}
	server := httptest.NewServer(pods)
	defer server.Close()
	p := startPrometheus(t, server, "/a", "/b", "/c")
	p.comes("sum(up)", is(3))
	p.comes("max(leat_servers)", is(3))

	for range 3 * each {
		enqueue(t, b, "default", task.MaxRetry(0))
	}
	p.comes(`max(leat_work_per_slot)`, is(10)) // 60 for 6 slots
	p.comes(`max by (queue) (leat_queue_work_per_slot{queue="default"})`, is(10))
	p.comes(`max(leat_oldest_ready_seconds)`, func(v float64) bool { return v > 1 })
	p.comes(`max by (queue) (leat_queue_tasks{state="active"})`, is(6))
	p.comes(`sum(leat_queue_tasks{state="active"})`, is(18)) // which is why one takes the max
	p.comes(`leat:queue_tasks{queue="default", state="pending"}`, is(3*each-6))
	p.comes(`sum(leat_tasks_started_total)`, is(6))

	close(gate)
	p.comes("max(leat_work_per_slot)", is(0))
	p.comes("max(leat_oldest_ready_seconds)", is(0))
	p.comes(`sum(leat_tasks_settled_total{outcome="done"})`, is(3*each))
	p.comes(`max by (queue) (leat_queue_processed_total{queue="default"})`, is(3*each))
	p.comes(`sum(leat_task_run_seconds_count)`, is(3*each))
	p.comes(`sum(leat_task_wait_seconds_count)`, is(3*each))
	p.comes(`sum(leat_scrape_errors_total)`, is(0))
	p.comes(`max(leat_sweeper_lag_seconds)`, is(0))
	if v, ok := p.value(`ALERTS{alertstate="firing"}`); ok {
		t.Errorf("%v alerts fire although all is well", v)
	}
}

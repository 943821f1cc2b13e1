package command_test

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/leatwork/leat/cmd/leat/internal/command"
	"github.com/leatwork/leat/internal/freeport"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/brokerurl"
)

// A documented flag is one of asynqmon's, tried for its effect.
type documented struct {
	flag, value string
	beside      []string // what else is on the command line
	environ     []string // and in the environment
	effect      func(*site)
}

// TestTheFlagsOfAsynqmonHaveTheirEffect tries each flag that asynqmon documents, and each
// variable of the environment, on servers of the kind that it is about.
func TestTheFlagsOfAsynqmonHaveTheirEffect(t *testing.T) {
	rows := append(reached(t), served(t)...)
	tried := map[string]bool{}
	for _, row := range rows {
		tried[row.flag] = true
		name := strings.ToUpper(strings.ReplaceAll(row.flag, "-", "_"))
		for way, how := range map[string]struct{ environ, args []string }{
			"flag":     {row.environ, append([]string{"--" + row.flag + "=" + row.value}, row.beside...)},
			"one dash": {row.environ, append([]string{"-" + strings.ToLower(name) + "=" + row.value}, row.beside...)},
			"variable": {append([]string{name + "=" + row.value}, row.environ...), row.beside},
		} {
			t.Run(row.flag+"/"+way, func(t *testing.T) { row.effect(siteOf(t, how.environ, how.args...)) })
		}
	}
	for _, flag := range command.DocumentedFlags() {
		if !tried[flag] {
			t.Errorf("nobody has tried --%s", flag)
		}
	}
}

// TestFlagsOfOurOwnHaveTheirEffect tries flags that asynqmon has not, and their variables.
func TestFlagsOfOurOwnHaveTheirEffect(t *testing.T) {
	for _, row := range own(t) {
		variable := command.VariablesOf(row.flag)[0]
		for way, how := range map[string]struct{ environ, args []string }{
			"flag":     {row.environ, append([]string{"--" + row.flag + "=" + row.value}, row.beside...)},
			"variable": {append([]string{variable + "=" + row.value}, row.environ...), row.beside},
		} {
			t.Run(row.flag+"="+row.value+"/"+way, func(t *testing.T) {
				t.Parallel()
				row.effect(siteOf(t, how.environ, how.args...))
			})
		}
	}
}

// own are flags that say what is served, and to whom.
func own(t *testing.T) []documented {
	t.Helper()
	broker := []string{"--broker", onFile(t, "q")}
	cards := onFile(t, "shop")
	code, _, said := calls(strings.NewReader(""), "task", "enqueue", "-q", "shop", "-t", "pay", "-i", "one", "-l", `{"card":"4711","sum":12}`, "--header", "traceparent=00-"+traced+"-00f067aa0ba902b7-01", "--broker", cards)
	if code != 0 {
		t.Fatal(said)
	}
	shop := []string{"--broker", cards, "--anyone", "viewer"}
	return []documented{
		{"name", "The Installation", broker, nil, func(s *site) { s.answers("/queues", 200, "The Installation") }},
		{"mask", "card,sum", shop, nil, func(s *site) { s.hides("4711", "12}") }},
		{"mask", "card", append(slices.Clone(shop), "--unmask-for", "viewer"), nil, func(s *site) { s.answers("/tasks", 200, "4711") }},
		{"jaeger", "https://jaeger.example:16686", shop, nil, func(s *site) {
			s.answers("/task?queue=shop&id=one", 200, `href="https://jaeger.example:16686/trace/`+traced+`"`)
		}},
	}
}

// traced is the id of a trace.
const traced = "4bf92f3577b34da6a3ce929d0e0e4736"

// hides demands that a list of tasks shows none of some texts.
func (s *site) hides(texts ...string) {
	s.Helper()
	_, page := s.get("/tasks")
	for _, text := range texts {
		if !strings.Contains(page, "card") || strings.Contains(page, text) {
			s.Errorf("the list of tasks has no payload, or %q in it:\n%s", text, page)
		}
	}
}

// shows demands that a queue of that name is seen.
func shows(queue string) func(*site) {
	return func(s *site) { s.Helper(); s.answers("/queues", 200, queue) }
}

// reached are the flags that say where the storage is. Each is tried on one that has a
// queue of another name.
func reached(t *testing.T) []documented {
	t.Helper()
	plain, locked := redistest.Start(t, redistest.Options{}), redistest.Start(t, redistest.Options{Password: "secret"})
	trio, cluster := redistest.StartTrio(t, redistest.Options{}), redistest.StartCluster(t, redistest.Options{})
	secure := redistest.Start(t, redistest.Options{TLS: true})
	put(t, plain.URL(), "of-the-address")
	put(t, plain.URL()+"/3", "of-the-database")
	put(t, locked.URL(), "behind-the-password")
	put(t, trio.URL(), "of-the-sentinels")
	put(t, cluster.URL(), "of-the-cluster")
	seeds := strings.TrimPrefix(cluster.URL(), "redis-cluster://")
	code, _, said := calls(strings.NewReader(""), "task", "enqueue", "-t", "a", "-l", "x", "-q", "over-tls", "-u", secure.Addr, "--insecure", "--tls")
	if code != 0 {
		t.Fatal(said)
	}
	trust := []string{"SSL_CERT_FILE=" + certificateOf(t, secure.Addr)}
	return []documented{
		{"redis-addr", plain.Addr, nil, nil, shows("of-the-address")},
		{"redis-db", "3", []string{"--redis-addr", plain.Addr}, nil, shows("of-the-database")},
		{"redis-password", "secret", []string{"--redis-addr", locked.Addr}, nil, shows("behind-the-password")},
		{"redis-url", locked.URL(), nil, nil, shows("behind-the-password")},
		{"redis-url", plain.URL() + "/3", nil, []string{"REDIS_ADDR=" + locked.Addr}, shows("of-the-database")},
		{"redis-url", plain.SocketURL() + "?db=3", nil, nil, shows("of-the-database")},
		{"redis-url", trio.URL(), nil, nil, shows("of-the-sentinels")},
		{"redis-cluster-nodes", seeds, nil, []string{"REDIS_URL=" + plain.URL()}, shows("of-the-cluster")},
		{"redis-tls", "127.0.0.1", []string{"--redis-addr", secure.Addr}, trust, shows("over-tls")},
		{"redis-insecure-tls", "true", []string{"--redis-addr", secure.Addr}, nil, shows("over-tls")},
	}
}

// certificateOf writes the certificate that a server shows into a file.
func certificateOf(t *testing.T, addr string) string {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	shown := c.ConnectionState().PeerCertificates[0]
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// served are the flags that say what is served.
func served(t *testing.T) []documented {
	t.Helper()
	url := onFile(t, "q")
	broker := []string{"--broker", url}
	var asked atomic.Int32
	prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[]}}`)
	}))
	t.Cleanup(prometheus.Close)
	long := onFile(t, "long")
	if code, _, said := calls(strings.NewReader(""), "task", "enqueue", "-q", "long", "-t", "a", "-l", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "--broker", long); code != 0 {
		t.Fatal(said)
	}
	b, err := brokerurl.Open(long)
	if err == nil {
		err = errors.Join(fillings["each"](t.Context(), b), b.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return []documented{
		{"port", freeport.Port(t), broker, nil, func(s *site) { s.answers("/healthz", 200, "ok") }},
		{"enable-metrics-exporter", "true", broker, nil, func(s *site) { s.answers("/metrics", 200, `asynq_queue_size{queue="q"} 1`) }},
		{"prometheus-addr", prometheus.URL, broker, nil, func(s *site) {
			before := asked.Load()
			s.answers("/?range=30d&from=prometheus", 200, "Prometheus")
			if asked.Load() == before {
				s.Error("Prometheus was not asked")
			}
			if _, page := s.get("/?range=30d&from=prometheus"); strings.Contains(page, strings.TrimPrefix(prometheus.URL, "http://")) {
				s.Error("the page tells where Prometheus is")
			}
		}},
		{"read-only", "true", broker, nil, func(s *site) {
			status, text := s.post("/deed/queue/pause?queue=q&name=q")
			if status != http.StatusForbidden || !strings.Contains(text, "read-only") {
				s.Errorf("a deed is answered with %d: %.500s", status, text)
			}
		}},
		{"max-payload-length", "7", []string{"--broker", long}, nil, func(s *site) {
			if _, page := s.get("/tasks?q=queue:long"); !strings.Contains(page, "ABCDEF") || strings.Contains(page, "ABCDEFGH") {
				s.Errorf("the list does not cut a payload after 7 characters:\n%s", page)
			}
		}},
		{"max-result-length", "7", []string{"--broker", long}, nil, func(s *site) {
			if _, page := s.get("/tasks?q=queue:each+state:completed"); !strings.Contains(page, "sent") || strings.Contains(page, "true}") {
				s.Errorf("the list does not cut a result after 7 characters:\n%s", page)
			}
		}},
	}
}

// post sends an empty form to a path, as a page of the site does.
func (s *site) post(path string) (status int, body string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+path, strings.NewReader(""))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.do(r)
}

package examples

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/leatwork/leat/internal/freeport"
	"github.com/leatwork/leat/internal/redistest"
)

// ask returns what an address answers, "" if nobody does.
func ask(url string) (code int, body string) {
	r, err := http.Get(url)
	if err != nil {
		return 0, ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, ""
	}
	return r.StatusCode, string(text)
}

// The worker tells of itself in the words that Prometheus, a probe and an autoscaler
// read, and ends when it is interrupted.
func TestMetrics(t *testing.T) {
	for name, args := range map[string][]string{
		"in memory": nil,
		"on redis":  {"-broker", redistest.Start(t, redistest.Options{}).URL()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := freeport.Address(t)
			p := start(t, "metrics", append(args, "-listen", address)...)
			at := "http://" + address
			eventually(t, "it is ready", func() bool { code, _ := ask(at + "/readyz"); return code == 200 })
			eventually(t, "a tick's task has been run", func() bool {
				_, figures := ask(at + "/metrics")
				return strings.Contains(figures, `leat_task_run_seconds_count{queue="default",type="mail:send"} `) &&
					strings.Contains(figures, `leat_queue_slots{queue="default"} 4`)
			})
			if code, body := ask(at + "/livez"); code != 200 || !strings.Contains(body, `"ok":true`) {
				t.Errorf("/livez: %d %s, want 200", code, body)
			}
			scalesAs(t, at+"/scale")
			_, figures := ask(at + "/metrics")
			promtool(t, figures, "check", "metrics")
			if err := p.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			if got := p.end(t); got.code != 0 {
				t.Errorf("exit status %d: %s", got.code, got.stderr)
			}
		})
	}
}

// scalesAs demands that an address answers what keda.yaml looks for, if the queue were
// called mail.
func scalesAs(t *testing.T, address string) {
	t.Helper()
	code, body := ask(address)
	var answer struct {
		Queues map[string]map[string]float64
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != 200 {
		t.Fatalf("/scale: %d %s: %v", code, body, err)
	}
	var scaled struct {
		Spec struct {
			Triggers []struct {
				Type     string
				Metadata map[string]string
			}
		}
	}
	decode(t, "metrics/keda.yaml", &scaled)
	for _, trigger := range scaled.Spec.Triggers {
		field, ok := strings.CutPrefix(trigger.Metadata["valueLocation"], "queues.mail.")
		if _, there := answer.Queues["default"][field]; trigger.Type != "metrics-api" || !ok || !there {
			t.Errorf("keda.yaml asks %s for %q, and the answer is %s", trigger.Type, trigger.Metadata["valueLocation"], body)
		}
	}
	if len(scaled.Spec.Triggers) != 2 {
		t.Errorf("keda.yaml has %d triggers, want two", len(scaled.Spec.Triggers))
	}
}

// decode reads a YAML file strictly, if it is to be a struct only as far as that goes.
func decode(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func TestFilesForKubernetesAreWhatTheySay(t *testing.T) {
	for file, want := range map[string]string{
		"metrics/keda.yaml":   "keda.sh/v1alpha1 ScaledObject",
		"metrics/hpa.yaml":    "autoscaling/v2 HorizontalPodAutoscaler",
		"metrics/probes.yaml": "<nil> <nil>",
	} {
		var object map[string]any
		decode(t, file, &object)
		if got := fmt.Sprint(object["apiVersion"], " ", object["kind"]); got != want {
			t.Errorf("%s is of %s, want %s", file, got, want)
		}
	}
}

func TestRulesForPrometheusHold(t *testing.T) {
	promtool(t, "", "check", "rules", "metrics/alerts.yml")
	promtool(t, "", "check", "config", "metrics/prometheus.yml")
	promtool(t, "", "test", "rules", "metrics/alerts_test.yml")
}

// promtool has Prometheus' own tool check something, and demands that it finds nothing.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	var said bytes.Buffer
	c := exec.CommandContext(t.Context(), "promtool", args...)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &said, &said
	if err := c.Run(); err != nil || stdin != "" && said.Len() > 0 {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, &said)
	}
}

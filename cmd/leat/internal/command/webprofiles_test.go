package command_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/leatwork/leat/internal/redistest"
)

// profiles writes a config file, and returns the environment that names it.
func profiles(t *testing.T, text string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "leat.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"LEAT_CONFIG=" + path}
}

func TestSeveralProfilesAreServed(t *testing.T) {
	gone := redistest.Start(t, redistest.Options{})
	put(t, gone.URL(), "of-the-late")
	gone.Kill()
	environ := profiles(t, fmt.Sprintf(`
profiles:
  shop: {broker: %q, name: The Shop, badge_color: red}
  staging: {broker: %q, badge-color: green}
  late: {broker: %q}
`, onFile(t, "of-the-shop"), onFile(t, "of-staging"), gone.URL()))
	s := siteOf(t, append(environ, "LEAT_BROKER=memory:"), "--profiles", "shop,staging,late", "--root", "/leat", "--enable-metrics-exporter")
	s.answers("/shop/queues", 200, "of-the-shop")
	s.answers("/staging/queues", 200, "of-staging")
	s.answers("/shop/", 200, `class="badge red">The Shop<`)
	s.answers("/shop/queues?q=size>0", 200, `<a href="/leat/staging/queues?q=size%3E0"><span class="badge green">staging<`)
	s.answers("/shop/task?queue=of-the-shop&id=none", 404, `href="/leat/staging/"`)
	s.answers("/late/queues", 503, `href="/leat/shop/queues"`)
	s.answers("/late/api/v1/queues", 503, `"code":"absent"`)
	s.answers("/late/readyz", 503, "unavailable")
	s.answers("/shop/readyz", 200, "ok")
	if status, _ := s.get(""); status != http.StatusTemporaryRedirect {
		t.Errorf("the root is answered with %d, want that it leads to the first", status)
	}
	s.url = strings.TrimSuffix(s.url, "/leat")
	s.answers("/healthz", 200, "ok")
	s.answers("/readyz", 200, "ok")
	s.answers("/metrics", 200, `leat_queue_tasks{`)
	s.answers("/metrics", 200, `profile="staging",queue="of-staging"`)
	s.answers("/other/", 404, "")

	gone.Restart(t)
	redistest.Await(t, "a storage that answers again is shown", func() bool {
		status, page := s.get("/leat/late/queues")
		return status == 200 && !strings.Contains(page, "cannot be reached")
	})
	redistest.Await(t, "its figures are exported", func() bool {
		_, figures := s.get("/metrics")
		return strings.Contains(figures, `profile="late"`)
	})
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("it ends with %v", err)
	}
}

func TestWhatContradictsProfiles(t *testing.T) {
	config := profiles(t, "profile: a\nprofiles: {a: {broker: 'memory:'}, b: {broker: 'memory:', badge_color: pink}, 'c/d': {}, e: {broker: 'redisx://a'}, healthz: {}, metrics: {}, hasty: {broker: 'memory:', refresh: 1ms}}\n")[0]
	for line, says := range map[string]string{
		"--profiles a --profile a":                     "--profile contradicts --profiles",
		"--profiles a --broker memory:":                "--broker contradicts --profiles",
		"--profiles a -u localhost:1":                  "--uri contradicts --profiles",
		"--profiles a --tls":                           "--tls contradicts --profiles",
		"--profiles a --redis-addr x:1":                "--redis-addr contradicts --profiles",
		"--profiles a --name x":                        "--name contradicts --profiles",
		"--profiles a --badge-color red":               "--badge-color contradicts --profiles",
		"--profiles a --prometheus-addr http://x:9090": "--prometheus-addr contradicts --profiles",
		"--profiles a,a":                               "named twice",
		"--profiles a,b":                               "must be one of blue",
		"--profiles a,healthz":                         "is the path of something else",
		"--profiles metrics --root /":                  "is the path of something else",
		"--profiles a --root /{x}":                     "be a plain path",
		"--profiles hasty":                             "500ms",
		"--profiles c/d":                               "must be a name",
		"--profiles a,nobody":                          "is none of those",
		"--profiles e":                                 "must begin with",
		"--profile a --badge-color pink":               "must be one of blue",
	} {
		_, path, _ := strings.Cut(config, "=")
		code, out, said := calls(strings.NewReader(""), append([]string{"web", "--port", "0", "--config", path}, strings.Fields(line)...)...)
		if code != 2 || out != "" || !strings.Contains(said, says) {
			t.Errorf("leat web %s exits with %d, writes %q and says %q, want 2 and %q", line, code, out, said, says)
		}
	}
}

func TestAProfileSaysHowItIsCalled(t *testing.T) {
	config := profiles(t, fmt.Sprintf("profiles: {a: {broker: %q, name: The First, badge_color: purple}}\n", onFile(t, "q")))
	siteOf(t, config, "--profile", "a").answers("/", 200, `class="badge purple">The First<`)
	siteOf(t, append(config, "LEAT_WEB_BADGE_COLOR=grey"), "--profile", "a", "--name", "Other").answers("/", 200, `class="badge grey">Other<`)
}

func TestEachProfileIsWaitedForAsItSays(t *testing.T) {
	url, slow := slowed(t, redistest.Start(t, redistest.Options{}))
	config := profiles(t, fmt.Sprintf("profile: patient\nprofiles: {patient: {broker: 'memory:', timeout: 1m}, hasty: {broker: %q, timeout: 2s}}\n", url))
	s := siteOf(t, config, "--profiles", "hasty,patient")
	slow.Store(true)
	s.answers("/hasty/storage", http.StatusGatewayTimeout, "")
}

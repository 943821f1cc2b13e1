// Package promtest starts a real Prometheus for tests.
package promtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/freeport"
)

// guardian runs Prometheus until its standard input ends, which it does when the test's
// process is gone.
const guardian = `
prometheus "$@" >prometheus.log 2>&1 &
read -r word
kill -9 $!
wait`

// Start starts a Prometheus that scrapes /metrics at target, which is HOST:PORT, twice a
// second, and returns its URL. It ends with t.
func Start(t testing.TB, target string) (url string) {
	t.Helper()
	address := freeport.Address(t)
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 500ms, scrape_timeout: 500ms}\nscrape_configs:\n  - {job_name: leat, static_configs: [{targets: ['%s']}]}\n", target)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-c", guardian, "sh", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address="+address, "--log.level=warn")
	c.Dir = dir
	alive, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = alive.Close()
		_ = c.Wait() // it was killed
	})
	return "http://" + address
}

// Eventually waits until done returns nil, and fails t if it does not within a minute.
func Eventually(t testing.TB, done func() error) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		err := done()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a minute: %v", err)
		}
	}
}

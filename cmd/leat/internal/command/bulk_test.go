package command_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
)

// What is done to many tasks ends when the storage goes away, and tells how many it was
// done to.
func TestABulkEndsWhenTheStorageGoesAway(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b, err := brokerurl.Open(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := fillMany(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var out, said strings.Builder
	bulk := exec.Command("leat", "--broker", server.URL(), "--timeout", "2s", "task", "archive-all", "--yes", "queue:many", "payload~n")
	bulk.Stdout, bulk.Stderr = &out, &said
	if err := bulk.Start(); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(time.Minute, func() { _ = bulk.Process.Kill() }).Stop()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		figures, err := queue.NewInspector(b).Figures(t.Context(), "many")
		if err != nil || time.Since(began) > 20*time.Second {
			t.Fatalf("nothing is archived: %v", err)
		}
		if figures[0].Archived > 0 {
			break
		}
	}
	server.Kill()
	var exit *exec.ExitError
	if err := bulk.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 4 {
		t.Errorf("it has ended with %v, want 4: %s", err, &said)
	}
	var archived int
	if _, err := fmt.Sscanf(out.String(), "%d tasks archived", &archived); err != nil || archived == 0 || archived >= 20_000 {
		t.Errorf("it has told %q, want how many tasks are archived: %v", &out, err)
	}
}

package command_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

// startTail starts tail on the storage that url names, and returns it once it has told
// something.
func startTail(t *testing.T, url string, args ...string) (tail *exec.Cmd, line string) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	tail = exec.CommandContext(ctx, "leat", append([]string{"tail", "--since", "1h", "--broker", url}, args...)...)
	tail.Stderr = os.Stderr
	out, err := tail.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("tail said nothing: %v, %v", err, tail.Wait())
	}
	return tail, line
}

func TestTailEndsWellWhenItIsInterrupted(t *testing.T) {
	url := redistest.Start(t, redistest.Options{}).URL()
	b, err := brokerurl.OpenWith(url, brokerurl.Options{Events: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := queue.NewClient(b).Enqueue(t.Context(), task.New("mail", nil), task.ID("a")); err != nil {
		t.Fatal(err)
	}
	tail, line := startTail(t, url, "-o", "id")
	if line != "default/a\n" {
		t.Errorf("tail told %q, want the task that was enqueued", line)
	}
	if err := tail.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := tail.Wait(); err != nil {
		t.Errorf("tail has ended with %v, want nil", err)
	}
}

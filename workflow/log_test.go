package workflow_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A lockedText is a text that several goroutines add to.
type lockedText struct {
	mu sync.Mutex
	strings.Builder
}

func (w *lockedText) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Builder.Write(p)
}

// What a step logs names it and its run, and so does what the server logs of it.
func TestWhatIsLoggedOfAStepNamesItsRun(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		var log lockedText
		logger := slog.New(task.LogHandler(slog.NewTextHandler(&log, nil)))
		charge := workflow.NewStep("charge", func(ctx context.Context, _ string) (string, error) {
			logger.InfoContext(ctx, "charging")
			return "", errors.New("no")
		}, task.MaxRetry(1))
		w := dag.New("order", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] { return dag.Do(g, charge, in) })
		mux := task.NewMux()
		workflow.Register(mux, w)
		cfg := queue.Config{Logger: logger, RetryDelayFunc: func(int, error, *task.Task) time.Duration { return -1 }}
		srv, err := queue.NewServer(b, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.Start(mux); err != nil {
			t.Fatal(err)
		}
		defer srv.Shutdown(context.Background()) //nolint:errcheck // nothing is left
		if _, err := w.Start(t.Context(), queue.NewClient(b), "secret", workflow.RunID("o-17")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for _, msg := range []string{"charging", `"callback returned a negative delay"`} {
			line := ""
			for l := range strings.Lines(log.String()) {
				if strings.Contains(l, "msg="+msg) {
					line = l
				}
			}
			for _, want := range []string{" queue=default ", " id=o-17~", " type=charge ", " attempt=1 ", " run=o-17 ", " step=charge\n"} {
				if !strings.Contains(line, want) {
					t.Errorf("of %s is logged %q, want it to have %q", msg, line, want)
				}
			}
		}
		if strings.Contains(log.String(), "secret") {
			t.Errorf("the log tells what is in the run:\n%s", log.String())
		}
	})
}

package peers

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
)

// What a worker process is told: which system it is of, what it is to do, and
// its Redis. It is this test binary, run once more.
const (
	workerSide = "LEAT_PEERS_WORKER_SIDE" // set in worker processes alone
	workerDuty = "LEAT_PEERS_WORKER_DUTY"
	workerURL  = "LEAT_PEERS_WORKER_URL"
)

// workerLease is how long the leases of a worker of Leat last.
const workerLease = 2 * time.Second

func TestMain(m *testing.M) {
	side := os.Getenv(workerSide)
	if side == "" {
		flag.Parse()
		// Most tests wait for what the other system does by and by.
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	run := func() error { return work(side, os.Getenv(workerDuty), os.Getenv(workerURL)) }
	if name := os.Getenv(postName); name != "" {
		run = func() error { return relayTasks(name, side, os.Getenv(workerURL)) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// work serves the queue "q" until the process is killed, or until nobody holds
// its standard input any more.
func work(side, duty, url string) error {
	lines := make(chan struct{})
	h, concurrency, err := holder(lines), 1, error(nil)
	if duty == dutyFleet {
		concurrency = slots
		h, err = noting(url)
	}
	if err != nil {
		return err
	}
	serve := workLeat
	if side == peer.name {
		serve = workAsynq
	}
	if err := serve(url, concurrency, h); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		lines <- struct{}{}
	}
	return nil
}

// holder returns a handler that says "started <id>" and returns when a line has
// come in.
func holder(lines <-chan struct{}) handler {
	return func(_ context.Context, r run) error {
		fmt.Println("started", r.ID)
		<-lines
		return nil
	}
}

func workLeat(url string, concurrency int, h handler) error {
	b, err := redisbroker.Open(url, &redisbroker.Options{Logger: quiet})
	if err != nil {
		return err
	}
	cfg := leatConfig("q")
	cfg.Concurrency, cfg.LeaseDuration = concurrency, workerLease
	if concurrency == 1 {
		cfg.Observer = tell
	}
	srv, err := queue.NewServer(b, cfg)
	if err != nil {
		return err
	}
	return srv.Start(task.HandlerFunc(h.leat))
}

// tell says how each lease ends.
func tell(_ context.Context, e queue.Event) {
	switch e.Kind {
	case queue.EventSettled:
		fmt.Println("settled", e.Entry.ID)
	case queue.EventLeaseLost:
		fmt.Println("lost", e.Entry.ID)
	}
}

func workAsynq(url string, concurrency int, h handler) error {
	opt, err := asynq.ParseRedisURI(url)
	if err != nil {
		return err
	}
	cfg := asynqConfig("q")
	cfg.Concurrency = concurrency
	return asynq.NewServer(opt, cfg).Start(asynq.HandlerFunc(h.asynq))
}

// A worker is a worker process.
type worker struct {
	*bench
	cmd   *exec.Cmd
	in    io.Writer
	lines chan string // what it says
}

// The duties of a worker.
const (
	dutyHold  = "hold"  // one task after another, each until it is told to end it
	dutyFleet = "fleet" // as many as it can, noting each
)

// startWorker starts a worker process of a side.
func startWorker(x *bench, s side, duty string) *worker {
	x.Helper()
	self, err := os.Executable()
	if err != nil {
		x.Fatal(err)
	}
	w := &worker{bench: x, cmd: exec.Command(self), lines: make(chan string, 100)}
	w.cmd.Env = append(os.Environ(), workerSide+"="+s.name, workerDuty+"="+duty, workerURL+"="+x.url)
	w.cmd.Stderr = os.Stderr
	out, outErr := w.cmd.StdoutPipe()
	in, inErr := w.cmd.StdinPipe()
	if outErr != nil || inErr != nil {
		x.Fatal(outErr, inErr)
	}
	w.in = in
	if err := w.cmd.Start(); err != nil {
		x.Fatal(err)
	}
	x.Cleanup(w.kill)
	go func() {
		defer close(w.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			w.lines <- lines.Text()
		}
	}()
	return w
}

// wantSaid fails the test unless the worker says next what is wanted.
func (w *worker) wantSaid(want string) {
	w.Helper()
	select {
	case line := <-w.lines:
		if strings.TrimSpace(line) != want {
			w.Fatalf("the worker says %q, want %q", line, want)
		}
	case <-time.After(soon):
		w.Fatalf("the worker has not said %q", want)
	}
}

// kill ends the worker at once, as a crash would.
func (w *worker) kill() {
	_ = w.cmd.Process.Kill() // it may have ended
	_ = w.cmd.Wait()
}

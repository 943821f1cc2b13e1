package soak

import (
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// What a worker process is told: it is this test binary, run once more.
const (
	workerURL    = "LEAT_SOAK_URL"    // the broker; set in worker processes alone
	workerLedger = "LEAT_SOAK_LEDGER" // the file to note in what handlers begin and return
)

// ledger is where a worker notes a "+" for each call of a handler and a "-" for each
// return, before it goes on.
var ledger *os.File

func noted[T any](f func() (T, error)) (T, error) {
	note("+")
	v, err := f()
	note("-")
	return v, err
}

func note(what string) {
	if _, err := ledger.WriteString(what); err != nil {
		panic(err) // a worker that cannot keep its ledger is of no use
	}
}

// work serves workflows until the process is told to end, if this is a worker process.
// It reports whether it is.
func work(t *testing.T, lease time.Duration, flows ...workflow.Registrable) bool {
	url := os.Getenv(workerURL)
	if url == "" {
		return false
	}
	go func() { // whoever started this process holds the other end
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // its end is what matters
		os.Exit(3)
	}()
	var err error
	if ledger, err = os.OpenFile(os.Getenv(workerLedger), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := brokerurl.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	mux := task.NewMux()
	workflow.Register(mux, flows...)
	srv, err := queue.NewServer(b, queue.Config{
		Concurrency: 32, LeaseDuration: lease, MaxCrashes: -1, // workers are killed for no fault of their tasks
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return 100 * time.Millisecond },
		Logger:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := srv.Run(ctx, mux); err != nil {
		t.Fatal(err)
	}
	return true
}

// A crew is the worker processes of one soak.
type crew struct {
	*testing.T
	url, dir string
	members  []*member
	ledgers  []string
}

type member struct {
	cmd         *exec.Cmd
	ledger, log string
	ended       chan error
}

func newCrew(t *testing.T, url string, size int) *crew {
	c := &crew{T: t, url: url, dir: t.TempDir()}
	for i := range size {
		c.members = append(c.members, nil)
		c.hire(i)
	}
	t.Cleanup(func() {
		for i := range c.members {
			c.kill(i)
		}
	})
	return c
}

// hire has a new process take the i-th place.
func (c *crew) hire(i int) {
	c.Helper()
	test, _, _ := strings.Cut(c.Name(), "/") // its worker serves what this one is about
	name := filepath.Join(c.dir, "worker"+strconv.Itoa(len(c.ledgers)))
	m := &member{cmd: exec.Command(os.Args[0], "-test.run=^"+test+"$", "-soak.takes="+soakTakes.String()), ledger: name, log: name + ".log", ended: make(chan error, 1)}
	said, err := os.Create(m.log)
	if err != nil {
		c.Fatal(err)
	}
	defer said.Close()
	m.cmd.Stdout, m.cmd.Stderr = said, said
	m.cmd.Env = append(os.Environ(), workerURL+"="+c.url, workerLedger+"="+name)
	if _, err := m.cmd.StdinPipe(); err != nil { // by its end the process learns of this one's
		c.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		c.Fatal(err)
	}
	go func() { m.ended <- m.cmd.Wait() }()
	c.members[i], c.ledgers = m, append(c.ledgers, name)
}

// kill ends the i-th process with SIGKILL.
func (c *crew) kill(i int) {
	c.Helper()
	m := c.members[i]
	if m == nil {
		return
	}
	if err := m.cmd.Process.Kill(); err != nil {
		said, _ := os.ReadFile(m.log)
		c.Errorf("kill: %v; before, the worker said:\n%s", err, said)
	}
	<-m.ended //nolint:errcheck // it was killed
	c.members[i] = nil
}

// interrupted returns how many calls of handlers there were, and how many of them
// did not return.
func (c *crew) interrupted() (calls, cut int) {
	for _, name := range c.ledgers {
		b, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			c.Fatal(err)
		}
		for _, what := range b {
			if what == '+' {
				calls, cut = calls+1, cut+1
			} else {
				cut--
			}
		}
	}
	return calls, cut
}

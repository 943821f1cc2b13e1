package soak

import (
	"context"
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
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// What a worker process is told: it is this test binary, run once more.
const (
	workerURL    = "LEAT_SOAK_URL"    // the broker; set in worker processes alone
	workerPlace  = "LEAT_SOAK_PLACE"  // which of the crew it is
	workerLedger = "LEAT_SOAK_LEDGER" // the file to note in what handlers do
)

// ledger is where a worker notes a "+" for each call of a handler and a "-" for each
// return, a "!" if it returns an error, and what else [crew.toll] reads, before it goes
// on.
var ledger *os.File

func noted[T any](f func() (T, error)) (T, error) {
	note("+")
	v, err := f()
	if err != nil {
		note("!")
	}
	note("-")
	return v, err
}

func note(what string) {
	if _, err := ledger.WriteString(what); err != nil {
		panic(err) // a worker that cannot keep its ledger is of no use
	}
}

// work runs what a worker process is for until it is told to end, if this is one. It
// reports whether it is.
func work(t *testing.T, run func(ctx context.Context, b broker.Broker) error) bool {
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
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := run(ctx, b); err != nil {
		t.Fatal(err)
	}
	return true
}

// workflows returns what serves these, with leases of such a length.
func workflows(lease time.Duration, flows ...workflow.Registrable) func(context.Context, broker.Broker) error {
	return func(ctx context.Context, b broker.Broker) error {
		mux := task.NewMux()
		workflow.Register(mux, flows...)
		cfg := mortal()
		cfg.LeaseDuration = lease
		return serve(ctx, b, mux, cfg)
	}
}

func serve(ctx context.Context, b broker.Broker, mux *task.Mux, cfg queue.Config) error {
	srv, err := queue.NewServer(b, cfg)
	if err != nil {
		return err
	}
	return srv.Run(ctx, mux)
}

// mortal is how a process is configured that will be killed for no fault of its tasks.
func mortal() queue.Config {
	return queue.Config{
		Concurrency: 32, LeaseDuration: 3 * time.Second, MaxCrashes: -1,
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return 100 * time.Millisecond },
		Logger:         slog.New(slog.DiscardHandler),
	}
}

// A crew is the worker processes of one soak.
type crew struct {
	*site
	test    string // in which its members find what they are for
	dir     string
	members []*member
	ledgers []string
}

type member struct {
	cmd         *exec.Cmd
	ledger, log string
	ended       chan error
}

func newCrew(s *site, size int) *crew {
	test, _, _ := strings.Cut(s.Name(), "/")
	c := &crew{site: s, test: test, dir: s.TempDir()}
	for i := range size {
		c.members = append(c.members, nil)
		c.hire(i)
	}
	s.Cleanup(func() {
		for i := range c.members {
			c.kill(i)
		}
	})
	return c
}

// hire has a new process take the i-th place.
func (c *crew) hire(i int) {
	c.Helper()
	name := filepath.Join(c.dir, "worker"+strconv.Itoa(len(c.ledgers)))
	seed := strconv.FormatUint(c.seed+uint64(len(c.ledgers))+1, 10)
	m := &member{cmd: exec.Command(os.Args[0], "-test.run=^"+c.test+"$", "-soak.seed="+seed, "-soak.takes="+soakTakes.String()), ledger: name, log: name + ".log", ended: make(chan error, 1)}
	said, err := os.Create(m.log)
	if err != nil {
		c.Fatal(err)
	}
	defer said.Close()
	m.cmd.Stdout, m.cmd.Stderr = said, said
	m.cmd.Env = append(os.Environ(), workerURL+"="+c.url, workerPlace+"="+strconv.Itoa(i), workerLedger+"="+name)
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

// A toll is what the ledgers of a crew say of its handlers.
type toll struct {
	calls  int
	cut    int          // of them did not return
	failed int          // of them returned an error
	alone  map[int]bool // numbers of tasks that were done by themselves
}

// toll reads the ledgers.
func (c *crew) toll() toll {
	t, number := toll{alone: make(map[int]bool)}, 0
	for _, name := range c.ledgers {
		b, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			c.Fatal(err)
		}
		for _, what := range b {
			switch what {
			case '+':
				t.calls, t.cut = t.calls+1, t.cut+1
			case '-':
				t.cut--
			case '!':
				t.failed++
			case '.':
				t.alone[number], number = true, 0
			default:
				number = 10*number + int(what-'0')
			}
		}
	}
	return t
}

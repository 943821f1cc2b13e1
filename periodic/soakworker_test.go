package periodic_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// What a scheduler's process is told: it is this test binary, run once more.
const (
	soakURL  = "LEAT_PERIODIC_URL"  // the broker; set in schedulers' processes alone
	soakSkew = "LEAT_PERIODIC_SKEW" // by how much the machine's clock is ahead
)

var silent = slog.New(slog.DiscardHandler)

// soakEntries are what each process schedules.
func soakEntries() (entries []periodic.Entry) {
	for n := range 20 {
		entries = append(entries, periodic.Entry{
			Name: fmt.Sprintf("second%02d", n), Schedule: "* * * * * *", Type: "tick",
			Payload: periodic.JSON(func(t periodic.Tick) string { return t.Time.Format(time.RFC3339) }),
			Options: []task.Option{task.Queue(soakQueues[n%len(soakQueues)])},
		})
	}
	return entries
}

var soakQueues = []string{"north", "east", "south", "west"}

// A machine is a broker on a machine whose clock is ahead. It corrects the now of calls
// by what it has measured, as a broker on Redis does; times at which something is to
// happen stay as they are.
type machine struct {
	broker.Broker
	ahead time.Duration
}

func (m machine) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	return m.Broker.Apply(ctx, now.Add(-m.ahead), changes, want)
}

func (m machine) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	return m.Broker.Advance(ctx, now.Add(-m.ahead), r)
}

func (m machine) clock() time.Time { return time.Now().Add(m.ahead) }

// scheduleIfTold schedules until the process is killed, if this is a scheduler's.
func scheduleIfTold(t *testing.T) bool {
	url := os.Getenv(soakURL)
	if url == "" {
		return false
	}
	go func() { // whoever started this process holds the other end
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // its end is what matters
		os.Exit(3)
	}()
	ahead, err := time.ParseDuration(os.Getenv(soakSkew))
	if err != nil {
		t.Fatal(err)
	}
	m := machine{openURL(t, url), ahead}
	s := periodic.New(queue.NewClient(m), periodic.Config{}.WithClock(m.clock))
	if err := s.Register(soakEntries()...); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return true
}

// A crew is the schedulers' processes of one soak, each in its place.
type crew struct {
	*testing.T
	url, dir string
	members  []*member
	hired    int
}

type member struct {
	cmd   *exec.Cmd
	log   string
	ended chan error
}

func newCrew(t *testing.T, url string, size int) *crew {
	c := &crew{T: t, url: url, dir: t.TempDir(), members: make([]*member, size)}
	t.Cleanup(c.killAll)
	return c
}

// hire has a new process take the i-th place, whose clock is ahead by so much.
func (c *crew) hire(i int, ahead time.Duration) {
	c.Helper()
	c.hired++
	m := &member{
		cmd:   exec.Command(os.Args[0], "-test.run=^TestKilledSchedulersLoseNoTick$", "-test.timeout=0"),
		log:   filepath.Join(c.dir, fmt.Sprintf("scheduler%d.log", c.hired)),
		ended: make(chan error, 1),
	}
	said, err := os.Create(m.log)
	if err != nil {
		c.Fatal(err)
	}
	defer said.Close()
	m.cmd.Stdout, m.cmd.Stderr = said, said
	m.cmd.Env = append(os.Environ(), soakURL+"="+c.url, soakSkew+"="+ahead.String())
	if _, err := m.cmd.StdinPipe(); err != nil { // by its end the process learns of this one's
		c.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		c.Fatal(err)
	}
	go func() { m.ended <- m.cmd.Wait() }()
	c.members[i] = m
}

// kill ends the i-th process with SIGKILL. That it has ended before is a fault.
func (c *crew) kill(i int) {
	c.Helper()
	m := c.members[i]
	if m == nil {
		return
	}
	c.members[i] = nil
	if err := m.cmd.Process.Kill(); err != nil {
		said, _ := os.ReadFile(m.log)
		c.Errorf("kill: %v; before, the scheduler said:\n%s", err, said)
	}
	<-m.ended //nolint:errcheck // it was killed
}

func (c *crew) killAll() {
	for i := range c.members {
		c.kill(i)
	}
}

package queue_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// A crew is the worker processes of one test. Those that are left at its end are
// killed.
type crew struct {
	t       *testing.T
	test    string // the test function that calls work
	url     string
	dir     string // of the ledgers
	members []*member
}

// A member is a worker process, alive or not.
type member struct {
	ledger string // file with its notes
	log    string // file with what it said
	killed bool
	cmd    *exec.Cmd
	ended  chan error
}

// newCrew returns a crew without members, for a broker.
func newCrew(t *testing.T, test, url string) *crew {
	c := &crew{t: t, test: test, url: url, dir: t.TempDir()}
	t.Cleanup(func() {
		for _, m := range c.alive() {
			m.cmd.Process.Kill() //nolint:errcheck // it may have ended
			<-m.ended            //nolint:errcheck // it was killed
		}
	})
	return c
}

// hire starts a worker process.
func (c *crew) hire(env ...string) *member {
	c.t.Helper()
	name := filepath.Join(c.dir, fmt.Sprintf("worker%02d", len(c.members)+1))
	m := &member{
		ledger: name + ".ledger",
		cmd:    exec.Command(os.Args[0], "-test.run=^"+c.test+"$"),
		ended:  make(chan error, 1),
	}
	said, err := os.Create(name + ".log")
	if err != nil {
		c.t.Fatal(err)
	}
	defer said.Close()
	m.cmd.Stdout, m.cmd.Stderr, m.log = said, said, said.Name()
	m.cmd.Env = append(os.Environ(), workerURL+"="+c.url, workerLedger+"="+m.ledger)
	m.cmd.Env = append(m.cmd.Env, env...)
	if _, err := m.cmd.StdinPipe(); err != nil { // by its end the process learns of this one's
		c.t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() {
		m.ended <- m.cmd.Wait()
		close(m.ended)
	}()
	c.members = append(c.members, m)
	return m
}

// kill ends a member with SIGKILL, and returns once it is gone.
func (c *crew) kill(m *member) {
	c.t.Helper()
	if err := m.cmd.Process.Kill(); err != nil {
		c.t.Errorf("kill: %v; before, the worker said:\n%s", err, m.said())
	}
	<-m.ended //nolint:errcheck // it was killed
	m.killed = true
}

// alive returns the members that were not killed.
func (c *crew) alive() []*member {
	alive := slices.Clone(c.members)
	return slices.DeleteFunc(alive, func(m *member) bool { return m.killed })
}

// dismiss has all members end in good order.
func (c *crew) dismiss() {
	c.t.Helper()
	for _, m := range c.alive() {
		if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			c.t.Errorf("SIGTERM: %v; the worker said:\n%s", err, m.said())
		}
	}
	for _, m := range c.alive() {
		select {
		case err := <-m.ended:
			if err != nil {
				c.t.Errorf("a worker ended with %v after SIGTERM, want exit status 0:\n%s", err, m.said())
			}
		case <-time.After(20 * time.Second):
			c.t.Errorf("a worker goes on 20 s after SIGTERM:\n%s", m.said())
		}
	}
}

// said returns what the process has written so far.
func (m *member) said() string {
	b, err := os.ReadFile(m.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// notes returns what the member has noted of one kind, or all if what is "".
func (m *member) notes(t *testing.T, what noteKind) []note {
	t.Helper()
	notes := readLedger(t, m.ledger)
	if what == "" {
		return notes
	}
	return slices.DeleteFunc(notes, func(n note) bool { return n.What != what })
}

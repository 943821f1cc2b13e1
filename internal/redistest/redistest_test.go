//go:build unix

package redistest

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/freeport"
)

func TestAServerKeepsItsFileWhenItIsKilled(t *testing.T) {
	s := Start(t, Options{AOF: true})
	if got := say(t, s, "SET a b"); got != "+OK" {
		t.Fatalf("SET = %q, want +OK", got)
	}
	s.Kill()
	if _, err := net.Dial("tcp", s.Addr); err == nil {
		t.Fatal("a killed server accepts connections")
	}
	s.Restart(t)
	if got := say(t, s, "STRLEN a"); got != ":1" {
		t.Errorf("STRLEN after restart = %q, want :1", got)
	}
	s.end()
	if _, err := os.Stat(s.dir); err == nil {
		t.Errorf("%s is left over", s.dir)
	}
}

func TestAServerWhosePortIsTakenIsStartedOnAnother(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &Server{dir: t.TempDir(), Addr: l.Addr().String()}
	s.Socket = s.dir + "/redis.sock"
	for range 10 {
		s.Addr = l.Addr().String()
		if err := s.launch(); err == nil || !strings.Contains(err.Error(), "Failed listening") {
			t.Fatalf("launch on a port that is taken = %v", err)
		}
		if s.Addr, err = freeport.Find(); err != nil {
			t.Fatal(err)
		}
		if err := s.launch(); err != nil {
			t.Fatalf("launch after that = %v", err)
		}
		s.Kill()
	}
}

// TestAServerEndsWithTheProcess starts this test binary again, which starts a
// server and is then killed.
func TestAServerEndsWithTheProcess(t *testing.T) {
	const child = "REDISTEST_CHILD"
	if os.Getenv(child) != "" {
		s := Shared(t)
		os.Stdout.WriteString("pid " + strconv.Itoa(s.pid) + "\n")
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAServerEndsWithTheProcess$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "pid ")))
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // it was killed
	for began := time.Now(); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Fatalf("redis-server %d outlives the test that started it", pid)
		}
	}
}

// say sends one command over TCP and returns the first line of the reply.
func say(t *testing.T, s *Server, command string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(command + "\r\n")); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func TestATrioKnowsItsPrimary(t *testing.T) {
	x := StartTrio(t, Options{})
	if got := x.Primary(t); got != x.Nodes[0] {
		t.Errorf("primary = %s, want %s", got.Addr, x.Nodes[0].Addr)
	}
	if !strings.HasPrefix(x.URL(), "redis-sentinel://127.0.0.1:") {
		t.Errorf("URL() = %q", x.URL())
	}
}

func TestAClusterServesAllSlots(t *testing.T) {
	x := StartCluster(t, Options{})
	if got := x.Nodes[4].Do(t, "CLUSTER", "INFO"); !strings.Contains(got, "cluster_slots_ok:16384") || !strings.Contains(got, "cluster_size:3") {
		t.Errorf("a replica says %q, want 16384 slots in 3 nodes", got)
	}
}

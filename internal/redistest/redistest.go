// Package redistest starts real Redis servers for tests. Each has a free port
// and a folder of its own, and ends with the test, or with the test's process
// however that ends. No test may touch a server that it did not start.
package redistest

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/freeport"
)

// Options say how a server is started. The zero value is a server without
// password, TLS or persistence.
type Options struct {
	Password    string
	TLS         bool     // speak only TLS
	ClientCerts bool     // and only with clients that show a certificate
	AOF         bool     // keep everything in a file, so that it survives Kill and Restart
	Args        []string // more arguments of redis-server
	Sentinel    string   // be a sentinel, with this as its configuration
}

// A Server is a redis-server that a test started.
type Server struct {
	Addr   string // "127.0.0.1:port"
	Socket string // path of its Unix socket
	o      Options
	dir    string
	ca     *authority
	pid    int
	guard  *exec.Cmd
	alive  io.WriteCloser // as long as it is open, the server lives
}

// guardian starts a server, prints its process id, and ends it as soon as the
// standard input ends, which it does when the test's process is gone. Unless a
// word was said before, it removes the server's folder then.
const guardian = `
redis-server "$@" >redis.log 2>&1 &
echo $!
read -r word
kill -9 $! 2>/dev/null
wait
[ -n "$word" ] || rm -rf -- "$PWD"`

// sentinelConf is the file that a sentinel keeps what it knows in.
const sentinelConf = "sentinel.conf"

// logFile is what the guardian has the server write to.
const logFile = "redis.log"

// readyWithin is how long a server may take to start.
const readyWithin = 10 * time.Second

// Start starts a server that ends with t. It fails t if there is none.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.end)
	return s
}

var shared = sync.OnceValues(func() (*Server, error) { return start(Options{}) })

// Shared returns the one server that all tests of the process use, each with a
// [Prefix] of its own. It starts it if need be, and must not be called in a
// bubble of package testing/synctest.
func Shared(t testing.TB) *Server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Prefix returns a prefix for keys that no other test has.
func Prefix() string { return "test-" + strings.ToLower(rand.Text()) }

// URL returns how to reach s over TCP.
func (s *Server) URL() string {
	scheme, user := "redis", ""
	if s.o.TLS {
		scheme = "rediss"
	}
	if s.o.Password != "" {
		user = ":" + s.o.Password + "@"
	}
	return scheme + "://" + user + s.Addr
}

// SocketURL returns how to reach s over its Unix socket.
func (s *Server) SocketURL() string { return "redis-socket://" + s.Socket }

// TLS returns what a client needs to trust s, and to be trusted by it, or nil if
// it does not speak TLS.
func (s *Server) TLS() *tls.Config {
	if s.ca == nil {
		return nil
	}
	return s.ca.client(s.o.ClientCerts)
}

// Process returns the server's process, to be stopped and continued.
func (s *Server) Process(t testing.TB) *os.Process {
	t.Helper()
	p, err := os.FindProcess(s.pid)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Kill ends s at once, as a crash would. What is in its file stays.
func (s *Server) Kill() {
	io.WriteString(s.alive, "keep\n") //nolint:errcheck // it may have ended already
	s.end()
}

// end ends s and waits until it is gone.
func (s *Server) end() {
	s.alive.Close()
	s.guard.Wait() //nolint:errcheck // it ends with the signal's status
}

// Restart starts s again on the same port, after Kill.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.launch(); err != nil {
		t.Fatal(err)
	}
}

func start(o Options) (*Server, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, fmt.Errorf("redis-server is missing: ./scripts/test installs it and runs all tests")
	}
	dir, err := os.MkdirTemp("", "leat-redis-") // short: the path of a socket may have 100 bytes
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, dir: dir, Socket: filepath.Join(dir, "redis.sock")}
	if o.TLS {
		ca, err := newAuthority(dir)
		if err != nil {
			return nil, err
		}
		s.ca = ca
	}
	if err := os.WriteFile(filepath.Join(dir, sentinelConf), []byte(o.Sentinel), 0o600); err != nil {
		return nil, err
	}
	for range 5 { // somebody else may take the port before the server does
		if s.Addr, err = freeport.Find(); err != nil {
			return nil, err
		}
		if err = s.launch(); err == nil {
			return s, nil
		}
	}
	os.RemoveAll(dir)
	return nil, err
}

// launch starts the process and waits until it accepts connections.
func (s *Server) launch() error {
	// What an earlier launch has said must not be taken for what this one says.
	if err := os.Remove(filepath.Join(s.dir, logFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.guard = exec.Command("sh", append([]string{"-c", guardian, "redis-server"}, s.args()...)...)
	s.guard.Dir = s.dir
	in, inErr := s.guard.StdinPipe()
	out, outErr := s.guard.StdoutPipe()
	if inErr != nil || outErr != nil {
		return fmt.Errorf("start redis-server: %w, %w", inErr, outErr)
	}
	if err := s.guard.Start(); err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	s.alive = in
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		s.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err == nil {
		err = s.await()
	}
	if err != nil {
		s.Kill()
		log, _ := os.ReadFile(filepath.Join(s.dir, logFile))
		return fmt.Errorf("start redis-server: %w\n%s", err, log)
	}
	return nil
}

func (s *Server) args() []string {
	_, port, _ := net.SplitHostPort(s.Addr)
	args := []string{"--bind", "127.0.0.1", "--dir", s.dir, "--unixsocket", s.Socket}
	if s.o.Sentinel != "" {
		return append([]string{filepath.Join(s.dir, sentinelConf), "--sentinel", "--port", port}, args...)
	}
	args = append(args, "--save", "")
	if s.o.TLS {
		clients := "no"
		if s.o.ClientCerts {
			clients = "yes"
		}
		args = append(args, "--port", "0", "--tls-port", port, "--tls-auth-clients", clients,
			"--tls-cert-file", s.ca.certFile, "--tls-key-file", s.ca.keyFile, "--tls-ca-cert-file", s.ca.certFile)
	} else {
		args = append(args, "--port", port)
	}
	if s.o.Password != "" {
		args = append(args, "--requirepass", s.o.Password)
	}
	if s.o.AOF {
		// With "everysec" it answers before it has written while a sync is slow, and what
		// it has answered is gone when it is killed. What is written outlives the process
		// without any sync.
		args = append(args, "--appendonly", "yes", "--appendfsync", "no")
	}
	return append(args, s.o.Args...)
}

// await waits until the server answers on its socket, with whatever.
func (s *Server) await() error {
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		err := s.answers()
		if err == nil {
			return nil
		}
		if time.Since(began) > readyWithin {
			return fmt.Errorf("it does not answer: %w", err)
		}
		if e, ok := s.exited(); ok {
			return fmt.Errorf("it has ended: %s", e)
		}
	}
}

// exited tells what the server's log says if it could not take its port.
func (s *Server) exited() (string, bool) {
	log, _ := os.ReadFile(filepath.Join(s.dir, logFile))
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "Failed listening") || strings.Contains(line, "FATAL") {
			return strings.TrimSpace(line), true
		}
	}
	return "", false
}

func (s *Server) answers() error {
	_, err := s.ask("PING")
	if reply, ok := errors.AsType[replyError](err); ok && !strings.HasPrefix(string(reply), "LOADING") {
		return nil // it wants a password
	}
	return err
}

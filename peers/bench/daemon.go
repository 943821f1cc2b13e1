package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/leatwork/leat/internal/freeport"
)

// A daemon is a server's process that the bench started. It ends with the bench,
// however that ends.
type daemon struct {
	guard *exec.Cmd
	alive io.WriteCloser // as long as it is open, the daemon lives
}

// guardian starts a process, says so, and ends it with the signal that it was
// told as soon as its standard input ends.
const guardian = `
end=$1; shift
"$@" >daemon.log 2>&1 &
echo started
read -r _
kill -"$end" $! 2>/dev/null
wait`

// startDaemon starts a program in a folder. It ends it with the signal end.
func startDaemon(dir string, as *syscall.Credential, end string, argv ...string) (*daemon, error) {
	d := &daemon{guard: exec.Command("sh", append([]string{"-c", guardian, "sh", end}, argv...)...)}
	d.guard.Dir = dir
	d.guard.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true} // Ctrl-C is for the bench
	out, err := d.guard.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if d.alive, err = d.guard.StdinPipe(); err != nil {
		return nil, err
	}
	if err := d.guard.Start(); err != nil {
		return nil, err
	}
	_, err = bufio.NewReader(out).ReadString('\n')
	return d, err
}

// stop ends the process and waits until it is gone.
func (d *daemon) stop() {
	d.alive.Close()
	d.guard.Wait() //nolint:errcheck // it ends with the signal's status
}

// readyWithin is how long a server may take to start.
const readyWithin = 20 * time.Second

// await waits until ready returns nil.
func await(dir string, ready func() error) error {
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		err := ready()
		if err == nil {
			return nil
		}
		if time.Since(began) > readyWithin {
			log, _ := os.ReadFile(filepath.Join(dir, "daemon.log"))
			return fmt.Errorf("server does not answer: %w\n%s", err, log)
		}
	}
}

// A redisServer is a Redis that the bench started.
type redisServer struct {
	*daemon
	addr string
	dir  string
	args []string
}

// startRedis starts a Redis on a free port, which keeps nothing on disk unless
// args say otherwise.
func startRedis(dir string, args ...string) (*redisServer, error) {
	address, err := freeport.Find()
	if err != nil {
		return nil, err
	}
	r := &redisServer{addr: address, dir: dir, args: args}
	return r, r.start()
}

// start starts the process, for the first time or after stop, and waits until it
// answers.
func (r *redisServer) start() error {
	_, port, _ := net.SplitHostPort(r.addr)
	argv := append([]string{"redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", r.dir, "--save", ""}, r.args...)
	var err error
	if r.daemon, err = startDaemon(r.dir, nil, "KILL", argv...); err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	return await(r.dir, func() error { return r.do("PING") })
}

func (r *redisServer) url() string { return "redis://" + r.addr }

// do sends a command without arguments whose reply is a word, as OK.
func (r *redisServer) do(command string) error {
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, command+"\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "+") {
		err = fmt.Errorf("%s: %s", command, strconv.Quote(line))
	}
	return err
}

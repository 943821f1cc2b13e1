//go:build unix

package queue_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// signalled says what a process of this test is to do. It is this test binary,
// run once more.
const signalled = "LEAT_TEST_SIGNALLED"

// serveSignals runs a server whose tasks take a while, and tells on standard
// output how it fares.
func serveSignals() {
	ctx, stop := queue.SignalContext()
	defer stop()
	told := make(chan struct{})
	context.AfterFunc(ctx, func() { fmt.Println("told"); close(told) })
	b := brokertest.NewModel()
	client := queue.NewClient(b)
	srv, err := queue.NewServer(b, queue.Config{Concurrency: 1, ShutdownTimeout: 10 * time.Second})
	if err != nil {
		panic(err)
	}
	takes := map[string]time.Duration{"quick": 0, "slow": time.Second, "endless": time.Hour}
	h := task.HandlerFunc(func(ctx context.Context, tk *task.Task) error {
		fmt.Println("began", tk.Type())
		select {
		case <-time.After(takes[tk.Type()]):
			fmt.Println("ended", tk.Type())
		case <-ctx.Done():
		}
		return nil
	})
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			if _, err := client.Enqueue(ctx, task.New(in.Text(), nil)); err != nil {
				fmt.Println(err)
			}
		}
	}()
	fmt.Println("ready")
	err = srv.Run(ctx, h)
	<-told
	fmt.Println("returned", err)
}

// A process runs serveSignals.
type process struct {
	*testing.T
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func startProcess(t *testing.T) *process {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestSignals$")
	cmd.Env = append(os.Environ(), signalled+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p := &process{t, cmd, in, bufio.NewScanner(out)}
	p.says("ready")
	return p
}

func (p *process) enqueue(typ string) { fmt.Fprintln(p.in, typ) }

func (p *process) signal(s os.Signal) {
	p.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.Fatal(err)
	}
}

// says fails the test unless the next line that the process prints is line.
func (p *process) says(line string) {
	p.Helper()
	if !p.out.Scan() || p.out.Text() != line {
		p.Fatalf("process says %q, want %q", p.out.Text(), line)
	}
}

// dies waits for the end of the process and returns the signal that ended it,
// 0 if it ended by itself.
func (p *process) dies() syscall.Signal {
	p.Helper()
	for p.out.Scan() {
	}
	err := p.cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0
	}
	return exit.Sys().(syscall.WaitStatus).Signal()
}

func TestSignals(t *testing.T) {
	if os.Getenv(signalled) != "" {
		serveSignals()
		os.Exit(0)
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String()+" lets the handlers finish", func(t *testing.T) {
			p := startProcess(t)
			p.enqueue("slow")
			p.says("began slow")
			p.signal(s)
			p.says("told")
			p.says("ended slow")
			p.says("returned <nil>")
			if got := p.dies(); got != 0 {
				t.Errorf("ended by %v, want by itself", got)
			}
		})
		t.Run("a second "+s.String()+" ends the process at once", func(t *testing.T) {
			p := startProcess(t)
			p.enqueue("endless")
			p.says("began endless")
			start := time.Now()
			p.signal(s)
			p.says("told")
			p.signal(s)
			if got := p.dies(); got != s || time.Since(start) > 5*time.Second {
				t.Errorf("ended by %v after %v, want by %v at once", got, time.Since(start), s)
			}
		})
	}
	t.Run("TSTP takes no new tasks", func(t *testing.T) {
		p := startProcess(t)
		p.enqueue("slow")
		p.says("began slow")
		p.signal(syscall.SIGTSTP)
		p.signal(syscall.SIGTSTP)
		p.enqueue("quick")
		p.says("ended slow")
		time.Sleep(500 * time.Millisecond) // real: it would have begun by now
		p.signal(syscall.SIGTERM)
		p.says("told")
		p.says("returned <nil>")
	})
}

func TestStopGivesTheSignalsBack(t *testing.T) {
	ctx, stop := queue.SignalContext()
	stop()
	stop()
	if ctx.Err() == nil {
		t.Error("context goes on after stop")
	}
}

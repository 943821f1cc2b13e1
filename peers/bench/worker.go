package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// An event is what a worker tells while it serves.
type event struct {
	Serving bool      // it has begun to
	Began   time.Time // a handler has
	Payload string    // of that handler's task
	Asked   bool      // it was asked what it has used
	CPU     time.Duration
}

// work serves until it is told to end, and tells what it does unless it is to be
// quiet about it. The signal USR1 asks what it has used.
func work(ctx context.Context, c call, s system) (reading, error) {
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	tell := func(e event) error {
		mu.Lock()
		defer mu.Unlock()
		return out.Encode(e)
	}
	stop, err := s.serve(c, func(ctx context.Context, payload []byte) error {
		if c.Quiet {
			return nil
		}
		if err := tell(event{Began: time.Now(), Payload: string(payload)}); err != nil {
			return err
		}
		if c.Block {
			<-ctx.Done()
		}
		return nil
	})
	if err != nil {
		return reading{}, err
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	err = tell(event{Serving: true})
	for err == nil {
		select {
		case <-ctx.Done():
			return reading{}, stop()
		case <-asked:
			err = tell(event{Asked: true, CPU: cpuTime()})
		}
	}
	return reading{}, err
}

// A book is what a worker writes to its log.
type book struct {
	mu    sync.Mutex
	text  []byte
	lines int
}

// Write takes note of p.
func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	b.lines += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

// length returns how many lines there are by now.
func (b *book) length() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines
}

// A worker is a process that serves.
type worker struct {
	cmd   *exec.Cmd
	alive io.Closer
	said  *json.Decoder
	log   book
}

// hire starts a worker and waits until it serves.
func hire(ctx context.Context, c call) (*worker, error) {
	c.Act = "work"
	cmd, err := command(ctx, c)
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: cmd}
	cmd.Stderr = &w.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if w.alive, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w.said = json.NewDecoder(out)
	if _, err := w.next(func(e event) bool { return e.Serving }); err != nil {
		w.kill()
		return nil, err
	}
	return w, nil
}

// next returns the next event that is wanted, and skips others.
func (w *worker) next(wanted func(event) bool) (e event, err error) {
	for {
		var e event
		if err := w.said.Decode(&e); err != nil {
			return e, fmt.Errorf("worker says no more: %w\n%s", err, w.lastWords(err))
		}
		if wanted(e) {
			return e, nil
		}
	}
}

func (w *worker) lastWords(err error) []byte {
	if !errors.Is(err, io.EOF) {
		return nil
	}
	w.cmd.Wait() //nolint:errcheck // what it wrote is more telling
	return w.log.text
}

// begins returns when the worker begins to run the task with that payload.
func (w *worker) begins(payload string) (time.Time, error) {
	e, err := w.next(func(e event) bool { return !e.Began.IsZero() && e.Payload == payload })
	return e.Began, err
}

// used returns how much CPU time the worker has used.
func (w *worker) used() (time.Duration, error) {
	if err := w.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return 0, err
	}
	e, err := w.next(func(e event) bool { return e.Asked })
	return e.CPU, err
}

// kill ends the worker as a crash would.
func (w *worker) kill() {
	w.cmd.Process.Kill() //nolint:errcheck // it may have ended
	w.cmd.Wait()         //nolint:errcheck // it ends with the signal's status
}

// end lets the worker shut down.
func (w *worker) end() error {
	w.alive.Close()
	return w.cmd.Wait()
}

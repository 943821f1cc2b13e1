package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// startAll starts this program three times, each as another service, and ends the workers
// when the shop has sold.
func startAll(ctx context.Context, url string) error {
	if url == "memory:" {
		return errors.New("memory: is nobody else's; three processes need a file or Redis")
	}
	if url == "" {
		dir, err := os.MkdirTemp("", "leat-tracing-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		url = "sqlite:" + filepath.Join(dir, "tracing.db")
	}
	orders, inventory, shop := role(ctx, url, "orders"), role(ctx, url, "inventory"), role(ctx, url, "shop")
	defer stop(orders, inventory)
	return errors.Join(orders.Start(), inventory.Start(), shop.Run())
}

// role is a process of this program. If ctx ends, it ends in good order.
func role(ctx context.Context, url, name string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	c := exec.CommandContext(ctx, self, "-broker", url, "-role", name)
	c.Env = append(os.Environ(), "OTEL_SERVICE_NAME="+name)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.Cancel = func() error {
		if c.Process.Signal(syscall.SIGTERM) != nil { // as on Windows
			return c.Process.Kill()
		}
		return nil
	}
	c.WaitDelay = 15 * time.Second
	return c
}

// stop has workers finish what they are at and let their spans out, and waits for them.
func stop(workers ...*exec.Cmd) {
	for _, w := range workers {
		if w.Process != nil {
			defer w.Wait() //nolint:errcheck // it says itself what is wrong
			_ = w.Cancel()
		}
	}
}

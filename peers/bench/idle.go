package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// idleCommands is the quantity of an idle server.
const idleCommands = "commands a second"

// idle measures how many commands a server of four queues sends to Redis while it
// has nothing to do.
func idle(ctx context.Context, l *lab, system string, _ int) (r reading, err error) {
	c, err := l.at(ctx, call{Concurrency: 10, Queues: 4}, system)
	if err != nil {
		return r, err
	}
	t, err := openTap(l.redis.addr)
	if err != nil {
		return r, err
	}
	defer t.Close()
	c.Where = "redis://" + t.Addr().String()
	w, err := hire(ctx, c)
	if err != nil {
		return r, err
	}
	defer w.kill()
	if err := pause(ctx, 2*l.settle()); err != nil {
		return r, err
	}
	before, d := t.commands.Load(), l.d(20*time.Second, time.Second)
	if err := pause(ctx, d); err != nil {
		return r, err
	}
	r.Values = map[string]float64{idleCommands: float64(t.commands.Load()-before) / d.Seconds()}
	return r, w.end()
}

// A tap stands between clients and a Redis, and counts the commands that they send.
type tap struct {
	net.Listener
	commands atomic.Int64
}

func openTap(redis string) (*tap, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &tap{Listener: l}
	go func() { // until the tap is closed
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go t.join(client, redis)
		}
	}()
	return t, nil
}

// join hands on what the client and Redis say, until either has gone.
func (t *tap) join(client net.Conn, redis string) {
	defer client.Close()
	server, err := net.Dial("tcp", redis)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { // until either has gone
		io.Copy(client, server) //nolint:errcheck // then nobody is there to be told
		client.Close()
	}()
	heard := bufio.NewReader(io.TeeReader(client, server))
	for skipCommand(heard) == nil {
		t.commands.Add(1)
	}
}

// skipCommand reads one command: "*2", and then "$3" and three bytes for each word.
func skipCommand(r *bufio.Reader) error {
	words, err := readCount(r, '*')
	for range words {
		var length int
		if length, err = readCount(r, '$'); err == nil {
			_, err = r.Discard(length + len("\r\n"))
		}
		if err != nil {
			return err
		}
	}
	return err
}

func readCount(r *bufio.Reader, kind byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("%q where a %c was due", line, kind)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

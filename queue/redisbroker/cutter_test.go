package redisbroker_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// A loss is what happens to a call of a script on its way.
type loss int

const (
	nothingLost loss = iota
	requestLost      // it is never executed, and the connection breaks
	replyLost        // it is executed, and then the connection breaks
	replyStalls      // it is executed, and the reply does not come
)

// A cutter stands between a client and a server, and loses calls of scripts.
type cutter struct {
	listener net.Listener
	server   string
	never    string // a command, in lower case, at which the connection ends
	wg       sync.WaitGroup

	mu    sync.Mutex
	plan  []loss // what happens to the next calls
	conns []net.Conn
}

func newCutter(t testing.TB, server string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l, server: server}
	c.wg.Go(c.accept)
	t.Cleanup(c.close)
	return c
}

func (c *cutter) url() string { return "redis://" + c.listener.Addr().String() }

// lose plans what happens to the next calls.
func (c *cutter) lose(plan ...loss) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plan = plan
}

// left returns how many of the planned losses have not happened.
func (c *cutter) left() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.plan)
}

func (c *cutter) next() loss {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.plan) == 0 {
		return nothingLost
	}
	first := c.plan[0]
	c.plan = c.plan[1:]
	return first
}

func (c *cutter) close() {
	c.listener.Close()
	c.mu.Lock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.mu.Unlock()
	c.wg.Wait()
}

func (c *cutter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", c.server)
		if err != nil {
			client.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, client, server)
		c.mu.Unlock()
		p := &pipe{cutter: c, client: client, server: server}
		c.wg.Go(p.requests)
		c.wg.Go(p.replies)
	}
}

// A pipe is one connection through a cutter. It is used for one call at a time,
// as the pool of a client does.
type pipe struct {
	cutter         *cutter
	client, server net.Conn

	mu   sync.Mutex
	fate loss // of the call that is on its way
}

func (p *pipe) requests() {
	defer p.server.Close()
	buffer := make([]byte, 1<<20)
	for {
		n, err := p.client.Read(buffer)
		if err != nil {
			return
		}
		said := bytes.ToLower(buffer[:n])
		if p.cutter.never != "" && bytes.Contains(said, []byte(p.cutter.never)) {
			p.client.Close()
			return
		}
		if bytes.Contains(said, []byte("eval")) {
			fate := p.cutter.next()
			p.mu.Lock()
			p.fate = fate
			p.mu.Unlock()
			if fate == requestLost {
				p.client.Close()
				return
			}
		}
		if _, err := p.server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *pipe) replies() {
	defer p.client.Close()
	buffer := make([]byte, 1<<20)
	for {
		n, err := p.server.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		fate := p.fate
		p.mu.Unlock()
		switch fate {
		case replyLost:
			return
		case replyStalls:
			io.Copy(io.Discard, p.server) //nolint:errcheck // until the connection ends
			return
		}
		if _, err := p.client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

package sqlitebroker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/leatwork/leat/internal/wake"
	"github.com/leatwork/leat/queue/broker"
)

var (
	beginWrite = prepared(`BEGIN IMMEDIATE`)
	commit     = prepared(`COMMIT`)
	rollback   = prepared(`ROLLBACK`)
)

// A tx is a transaction that holds the database's only right to write. It keeps
// the rows that calls change again and again, and writes them at its end.
type tx struct {
	*conn
	queues map[string]*queue
	homes  map[broker.Home]*home
	held   []known // what the check of settlements has found, for their writes

	groups  map[groupName]groupSize // what is to be added
	batches map[string]bool         // those that may be empty
	shrunk  map[broker.Home]bool    // those of which less may be open than was
	passed  []broker.Wake           // with a time, to be left if t is committed
}

func newTx(c *conn) *tx {
	c.signalled = false
	return &tx{conn: c, queues: make(map[string]*queue), homes: make(map[broker.Home]*home)}
}

// A call is what one caller does in a transaction. It is run again if the
// transaction fails because of another's.
type call struct {
	run  func(*tx)
	done chan struct{} // closed when it is committed, or has failed with err
	err  error
}

func (c *call) end(err error) {
	c.err = err
	close(c.done)
}

// mostCalls bounds how long one transaction keeps other processes waiting.
const mostCalls = 64

// A writer lets one transaction at a time write. The calls that wait meanwhile
// go together in the next one: a commit costs more than what is committed.
type writer struct {
	open  func() (*conn, error) // nil in memory, where a connection is the database
	turn  chan struct{}         // holds an element while somebody has the turn
	bell  bell                  // rung when there is something to tell
	board wake.Board

	// These belong to whoever has the turn.
	conn    *conn // nil: to be opened
	over    error // why nothing is written any more
	opened  int64 // how many connections there were
	crowded bool  // the last transaction was of several calls

	mu      sync.Mutex
	waiting []*call
}

func newWriter(c *conn, open func() (*conn, error)) *writer {
	return &writer{conn: c, opened: 1, open: open, turn: make(chan struct{}, 1)}
}

// write runs f in a transaction and commits it. Once f has begun, ctx is not
// looked at any more: a call is short, and others may be in the transaction.
func (w *writer) write(ctx context.Context, f func(*tx)) error {
	if err := ctx.Err(); err != nil {
		return refused(err)
	}
	mine := &call{run: f, done: make(chan struct{})}
	w.mu.Lock()
	w.waiting = append(w.waiting, mine)
	w.mu.Unlock()
	select {
	case <-mine.done:
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
		w.lead(ctx, mine)
	case <-ctx.Done():
		if w.withdraw(mine) {
			return refused(ctx.Err())
		}
		<-mine.done
	}
	return mine.err
}

// alone gives f the connection for something that is no transaction of write.
func (w *writer) alone(ctx context.Context, f func(*conn) error) error {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
		return w.use(f)
	case <-ctx.Done():
		return refused(ctx.Err())
	}
}

// use runs f on the connection, and opens another if it panics. In memory, what
// is stored stays if it was memory that f lacked.
func (w *writer) use(f func(*conn) error) error {
	if w.over != nil {
		return refused(w.over)
	}
	if w.conn == nil {
		c, err := w.open()
		if err != nil {
			return refused(err)
		}
		w.conn = c
		w.opened++
	}
	err := w.conn.guard(func() error { return f(w.conn) })
	if e, panicked := errors.AsType[*panicError](err); panicked {
		if w.open != nil {
			w.conn.discard()
			w.conn = nil
		} else if w.conn.broken {
			w.over = fmt.Errorf("database in memory is lost: %w", e)
		}
	}
	return err
}

// close ends all use of the connection.
func (w *writer) close() error {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	c := w.conn
	w.conn, w.over = nil, broker.ErrClosed
	if c == nil {
		return nil
	}
	return c.guard(c.close)
}

// lead commits the calls that wait, until mine is done.
func (w *writer) lead(ctx context.Context, mine *call) {
	for {
		select {
		case <-mine.done:
			return
		default:
		}
		if w.crowded {
			runtime.Gosched() // those whose calls were committed together may have others, to go along
		}
		if err := w.begin(ctx); err != nil {
			w.fail(ctx, mine, err)
			continue
		}
		calls := w.take()
		w.crowded = len(calls) > 1
		err := w.run(calls)
		if len(calls) > 1 && errors.Is(err, broker.ErrRefused) {
			w.runSingly(context.WithoutCancel(ctx), calls)
			continue
		}
		for _, one := range calls {
			one.end(err)
		}
	}
}

// runSingly runs calls that failed together, because of one of them perhaps.
func (w *writer) runSingly(ctx context.Context, calls []*call) {
	for _, one := range calls {
		if err := w.begin(ctx); err != nil {
			one.end(err)
			continue
		}
		one.end(w.run([]*call{one}))
	}
}

// begin waits for the right to write until ctx ends or the busy timeout has
// passed.
func (w *writer) begin(ctx context.Context) error {
	return w.use(func(c *conn) error {
		c.end() // should an earlier end have failed
		defer c.db.SetInterrupt(c.db.SetInterrupt(ctx))
		c.err = nil
		c.on(beginWrite).exec()
		if c.err != nil && ctx.Err() != nil {
			return refused(ctx.Err())
		}
		return refused(c.err)
	})
}

// run runs calls in the transaction that has begun, and ends it.
func (w *writer) run(calls []*call) error {
	return w.use(func(c *conn) error {
		t := newTx(c)
		err := t.commitAll(calls)
		c.end()
		if err == nil {
			w.tell(t)
		}
		return err
	})
}

// tell tells those who listen and wait of what t has committed.
func (w *writer) tell(t *tx) {
	if t.signalled {
		w.bell.ring()
	}
	w.leaveWakes(t)
}

func (t *tx) commitAll(calls []*call) error {
	for _, one := range calls {
		one.run(t)
	}
	t.flush()
	if t.err != nil {
		return refused(t.err)
	}
	t.commit()
	return uncertain(t.err)
}

// flush writes the rows that t has kept.
func (t *tx) flush() {
	for _, q := range t.queues {
		t.flushQueue(q)
	}
	for _, h := range t.homes {
		t.flushHome(h)
	}
	t.flushGroups()
}

// take returns the calls that go into the next transaction.
func (w *writer) take() []*call {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.waiting), mostCalls)
	calls := slices.Clone(w.waiting[:n])
	w.waiting = slices.Delete(w.waiting, 0, n)
	return calls
}

// withdraw takes mine back, unless it is in a transaction.
func (w *writer) withdraw(mine *call) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.waiting, mine)
	if i < 0 {
		return false
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
	return true
}

// fail ends calls whose transaction could not begin: only mine if it was its own
// context that ended, and else all, since they have waited as well.
func (w *writer) fail(ctx context.Context, mine *call, err error) {
	if ctx.Err() != nil {
		w.withdraw(mine)
		mine.end(err)
		return
	}
	for _, one := range w.take() {
		one.end(err)
	}
}

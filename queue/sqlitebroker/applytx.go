package sqlitebroker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/leatwork/leat/queue/broker"
)

// entrance is the SQL function through which ApplyTx reaches the connection of a
// transaction, while package database/sql keeps everyone else from it.
const entrance = "leat_apply"

// ErrForeignTx is matched by the error of [Broker.ApplyTx] for a transaction that
// is not on the broker's own [Broker.DB].
var ErrForeignTx = errors.New("transaction is not on the broker's DB")

// A visit is a call to the connection of a transaction.
type visit struct {
	broker  *Broker
	do      func(*conn) error
	entered bool
	err     error
}

// run runs v on c, a connection of b. What it panics with is an error: the caller
// is SQLite.
func (v *visit) run(b *Broker, c *conn) {
	v.entered = true
	if v.broker != b {
		v.err = ErrForeignTx
		return
	}
	if c.broken {
		v.err = errors.New("connection is broken")
		return
	}
	defer func() {
		if r := recover(); r != nil {
			c.resetAll()
			e := newPanicError(r)
			c.broken, v.err = !e.outOfMemory(), e
		}
	}()
	v.err = v.do(c)
}

// ApplyTx implements [broker.Transactor]. All parts of a change may be used. What
// it adds takes its place in line at the commit, as nothing else is written
// between this call and that. Who listens ([Broker.Listen]) is told within a tenth
// of a second after it.
func (b *Broker) ApplyTx(ctx context.Context, now time.Time, tx *sql.Tx, changes []broker.Change) ([]error, error) {
	var outcomes []error
	v := &visit{broker: b, do: func(c *conn) error {
		c.err = nil
		t := newTx(c)
		outcomes = t.applyAll(now, changes, checkAll(changes))
		t.flush()
		return c.err
	}}
	_, err := tx.ExecContext(ctx, `SELECT `+entrance+`(?)`, sqlite3.Pointer(v))
	switch {
	case v.entered && v.err != nil:
		err = v.err
	case !v.entered && isUnknown(err):
		err = ErrForeignTx
	}
	if err != nil {
		return nil, fmt.Errorf("apply in a transaction: %w", refused(err))
	}
	return outcomes, nil
}

// isUnknown reports whether a statement could not be prepared.
func isUnknown(err error) bool { return errors.Is(err, sqlite3.ERROR) }

package sqlitebroker

import (
	"context"
	"crypto/rand"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/vfs/memdb"
)

// DB returns the broker's database for the program's own tables. It is always
// the same one, and is closed with the broker. Transactions on it may be given to
// [Broker.ApplyTx].
//
// A transaction that is not begun as read-only holds the right to write from its
// beginning (BEGIN IMMEDIATE) to its end. Until then all that is written through
// the broker waits, and fails after [Options].BusyTimeout, and so does whoever
// begins another. So a transaction is to be short, and whoever is in one must not
// wait for another call of the broker.
//
// A database in memory is moved, at the first use of what DB returns, to memory
// that connections can share; it is slower there by a third or so.
func (b *Broker) DB() *sql.DB {
	b.dbOnce.Do(func() { b.db = sql.OpenDB(connector{b}) })
	return b.db
}

// A connector opens connections for [Broker.DB].
type connector struct{ b *Broker }

// Driver implements [sqldriver.Connector].
func (connector) Driver() sqldriver.Driver { return &driver.SQLite{} }

// Connect implements [sqldriver.Connector].
func (n connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	name, err := n.b.share(ctx)
	if err != nil {
		return nil, err
	}
	inner, err := (&driver.SQLite{}).OpenConnector(name)
	if err != nil {
		return nil, err
	}
	opened, err := inner.Connect(sqlite3.WithMaxMemory(ctx, fileMemory))
	if err != nil {
		return nil, err
	}
	if err := n.setUp(opened.(driver.Conn).Raw()); err != nil {
		opened.Close() // err is why
		return nil, err
	}
	return opened, nil
}

// setUp has db wait for others that write, and lets ApplyTx in.
func (n connector) setUp(db *sqlite3.Conn) error {
	c := &conn{db: db, stmts: make([]stmt, len(queries)), events: n.b.options.Events}
	if n.b.readers == nil {
		c.capacity = memoryCapacity
	}
	if err := db.BusyHandler(waitFor(n.b.options.BusyTimeout)); err != nil {
		return err
	}
	if err := db.Exec(strings.Join(n.b.options.pragmas(), ";")); err != nil {
		return err
	}
	if err := db.CreateFunction(entrance, 1, sqlite3.DIRECTONLY, func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if v, ok := arg[0].Pointer().(*visit); ok {
			v.run(n.b, c)
		}
	}); err != nil {
		return err
	}
	return db.Trace(sqlite3.TRACE_CLOSE, func(sqlite3.TraceEvent, any, any) error {
		for i := range c.stmts {
			c.stmts[i].s.Close() // it repeats the error of the last step
		}
		return nil
	})
}

// shared is how the names of databases begin that connections share in memory.
const shared = "file:/leat-"

// share returns the name of a database that several connections can open.
func (b *Broker) share(ctx context.Context) (name string, err error) {
	if b.readers != nil {
		return b.name, nil
	}
	err = b.writer.alone(ctx, func(c *conn) error {
		if b.name == memory {
			return b.move(c)
		}
		return nil
	})
	return b.name, err
}

// move copies the database of c, which is in memory, to where connections share
// it, and has the writer go on there.
func (b *Broker) move(c *conn) error {
	steps, err := migrations()
	if err != nil {
		return err
	}
	id := "leat-" + rand.Text()
	name := "file:/" + id + "?vfs=memdb"
	memdb.Create(id, nil)
	again := func() (*conn, error) { return openWriter(name, b.options, steps) }
	if err := c.db.Backup("main", name); err != nil {
		memdb.Delete(id)
		return fmt.Errorf("share memory: %w", err)
	}
	moved, err := again()
	if err != nil {
		memdb.Delete(id)
		return fmt.Errorf("share memory: %w", err)
	}
	b.name, b.forget = name, func() { memdb.Delete(id) }
	b.writer.conn, b.writer.open = moved, again
	c.discard()
	b.writer.board.Prod() // from now on others can write
	return nil
}

// inMemory reports whether a database of that name lives in memory.
func inMemory(name string) bool { return name == memory || strings.HasPrefix(name, shared) }

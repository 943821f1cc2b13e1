package sqlitebroker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// A query is the number of a statement that connections keep prepared, from its
// first use on: to prepare all of them takes longer than all else that Open does. The
// text stands beside the code that uses it.
type query int

var queries []string

func prepared(sql string) query {
	queries = append(queries, sql)
	return query(len(queries) - 1)
}

// A conn is one connection and its prepared queries, for one goroutine.
//
// It works like a [bufio.Writer]: after the first error nothing more is done,
// and whoever began a transaction looks at err at its end. So the code between
// reads as what it does to the tables.
type conn struct {
	db    *sqlite3.Conn
	stmts []stmt // by query
	err   error

	capacity   int64   // bytes that entries are added up to; 0: no limit
	events     int     // how many are kept
	signalled  bool    // the last transaction has something to tell
	committing bool    // while it is unknown whether a transaction took effect
	broken     bool    // a panic has left it in mid-way
	line       []found // room for those that are next in line
}

// openConn opens the database called name and runs setup, a list of statements.
// Its statements wait for other connections that write, as long as patience is.
// It uses as many bytes of memory as it needs, up to memory.
func openConn(name string, memory int64, patience time.Duration, setup ...string) (c *conn, err error) {
	defer func() {
		if r := recover(); r != nil { // there is no memory to reserve, say
			c, err = nil, newPanicError(r)
		}
	}()
	limit := sqlite3.WithMaxMemory(context.Background(), memory) //nolint:forbidigo // the driver takes settings from it, and waits for nothing
	db, err := sqlite3.OpenContext(limit, name)
	if err != nil {
		return nil, err
	}
	c = &conn{db: db, stmts: make([]stmt, len(queries))}
	err = db.BusyHandler(waitFor(patience))
	if err == nil {
		err = db.Exec(strings.Join(setup, ";"))
	}
	if err != nil {
		return nil, c.giveUp(err)
	}
	return c, nil
}

// pause is the time between two attempts to get a lock: some ten commits long.
const pause = time.Millisecond

// waitFor returns what a connection does when another is in its way.
func waitFor(patience time.Duration) func(context.Context, int) bool {
	var end time.Time
	return func(ctx context.Context, attempts int) (again bool) {
		now := time.Now()
		if attempts == 0 {
			end = now.Add(patience)
		}
		if !now.Before(end) {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
			return true
		}
	}
}

// prepare prepares what a failure needs. The other queries are as they are needed.
func (c *conn) prepare() error {
	c.on(rollback)
	return c.err
}

// giveUp closes c because of err, which it returns.
func (c *conn) giveUp(err error) error {
	c.discard()
	return err
}

func (c *conn) close() error {
	for i := range c.stmts {
		c.stmts[i].s.Close()
	}
	return c.db.Close()
}

// discard closes c as far as it can be closed after an error or a panic.
func (c *conn) discard() {
	for i := range c.stmts {
		attempt(func() { c.stmts[i].s.Close() })
	}
	attempt(func() { c.db.Close() })
}

// note keeps err if it is the first.
func (c *conn) note(err error) {
	if c.err == nil && err != nil {
		c.err = err
	}
}

// on returns the statement of q, to be given its parameters in order.
func (c *conn) on(q query) *stmt {
	s := &c.stmts[q]
	s.n = 0
	if s.s == nil {
		prepared, _, err := c.db.PrepareFlags(queries[q], sqlite3.PREPARE_PERSISTENT)
		if err != nil {
			c.note(fmt.Errorf("prepare %q: %w", queries[q], err))
		}
		*s = stmt{c: c, s: prepared, row: row{s: prepared}}
	}
	return s
}

// A stmt is a prepared statement: parameters go in from the left, then it runs.
type stmt struct {
	c   *conn
	s   *sqlite3.Stmt
	n   int // parameters that it has been given
	row row
}

func (s *stmt) int(v int64) *stmt {
	s.n++
	if s.c.err == nil {
		s.c.err = s.s.BindInt64(s.n, v)
	}
	return s
}

func (s *stmt) text(v string) *stmt {
	s.n++
	if s.c.err == nil {
		s.c.err = s.s.BindText(s.n, v)
	}
	return s
}

// blob gives v, NULL for nil.
func (s *stmt) blob(v []byte) *stmt {
	s.n++
	if s.c.err == nil {
		s.c.err = s.s.BindBlob(s.n, v)
	}
	return s
}

func (s *stmt) null() *stmt {
	s.n++
	if s.c.err == nil {
		s.c.err = s.s.BindNull(s.n)
	}
	return s
}

// some gives v, NULL for "".
func (s *stmt) some(v string) *stmt {
	if v == "" {
		return s.null()
	}
	return s.text(v)
}

// any gives v, NULL for 0.
func (s *stmt) any(v int64) *stmt {
	if v == 0 {
		return s.null()
	}
	return s.int(v)
}

// flag gives 1 if v is set, NULL if not.
func (s *stmt) flag(v bool) *stmt {
	if v {
		return s.int(1)
	}
	return s.null()
}

// exec runs the statement for what it changes.
func (s *stmt) exec() {
	if s.c.err == nil {
		s.c.note(s.s.Exec())
	}
}

// commit commits what is under way.
func (c *conn) commit() {
	c.committing = true
	c.on(commit).exec()
	c.committing = false
}

// end rolls back whatever has begun on c.
func (c *conn) end() {
	if !c.db.GetAutocommit() {
		c.stmts[rollback].s.Exec() //nolint:errcheck // what is left open is rolled back by the next begin
	}
}

// changed reports whether the last statement changed anything.
func (c *conn) changed() bool { return c.err == nil && c.db.Changes() > 0 }

// first runs the statement and gives its first row, if there is one, to f.
func (s *stmt) first(f func(*row)) (found bool) {
	if s.c.err != nil {
		return false
	}
	if found = s.s.Step(); found {
		s.row.n = 0
		f(&s.row)
	}
	s.reset()
	return found
}

// each runs the statement and gives every row to f, which must not run it again.
func (s *stmt) each(f func(*row)) {
	s.while(func(r *row) bool {
		f(r)
		return true
	})
}

// while is like each as long as f returns true.
func (s *stmt) while(f func(*row) (more bool)) {
	if s.c.err != nil {
		return
	}
	for more := true; more && s.c.err == nil && s.s.Step(); {
		s.row.n = 0
		more = f(&s.row)
	}
	s.reset()
}

// reset ends the statement. One that is left in mid-way would hold its snapshot.
func (s *stmt) reset() {
	s.c.note(s.s.Err())
	s.c.note(s.s.Reset())
}

// A row is read column by column from the left; NULL reads as zero.
type row struct {
	s *sqlite3.Stmt
	n int // columns that have been read
}

func (r *row) int() int64 {
	r.n++
	return r.s.ColumnInt64(r.n - 1)
}

func (r *row) text() string {
	r.n++
	return r.s.ColumnText(r.n - 1)
}

func (r *row) blob() []byte {
	r.n++
	return r.s.ColumnBlob(r.n-1, nil)
}

// raw returns a column's bytes, which the next call may overwrite; nil for NULL.
func (r *row) raw() []byte {
	r.n++
	return r.s.ColumnRawText(r.n - 1)
}

func (r *row) flag() bool { return r.int() != 0 }

func (r *row) milli() time.Time { return fromMilli(r.int()) }

func (r *row) second() time.Time { return fromMilli(r.int() * 1000) }

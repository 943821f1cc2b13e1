package sqlitebroker

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// outOfMemory is what the driver panics with when SQLite has asked for memory
// in vain. SQLite itself is sound then: a statement has failed.
const outOfMemory = "sqlite3: out of memory"

// A panicError is what the use of a connection has panicked with. It is no panic
// of the caller's, who may share a transaction with others.
type panicError struct {
	value any
	stack []byte // nil unless a program's mistake is the cause
}

func newPanicError(value any) *panicError {
	e := &panicError{value: value}
	if _, mistake := value.(runtime.Error); mistake {
		e.stack = debug.Stack()
	}
	return e
}

func (e *panicError) Error() string {
	if e.outOfMemory() {
		return outOfMemory
	}
	if e.stack != nil {
		return fmt.Sprintf("panic: %v\n%s", e.value, e.stack)
	}
	return fmt.Sprintf("panic: %v", e.value)
}

func (e *panicError) outOfMemory() bool { return fmt.Sprint(e.value) == outOfMemory }

// guard runs f, which uses c, and returns what it panics with as an error. Then
// nothing of what f has begun is left, or c is broken.
func (c *conn) guard(f func() error) (err error) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		e := newPanicError(r)
		undone := false
		if e.outOfMemory() {
			undone = !c.db.GetAutocommit()
			c.broken = !c.restore()
		} else {
			c.broken = true
		}
		err = e
		if !c.committing || undone && !c.broken {
			err = refused(e)
		}
		c.committing = false
	}()
	return f()
}

// restore ends all that c is doing and lets go of what statements hold. It
// reports whether SQLite went along.
func (c *conn) restore() bool {
	c.resetAll()
	return attempt(c.end) && c.db.GetAutocommit()
}

// resetAll ends all statements of c.
func (c *conn) resetAll() {
	for i := range c.stmts {
		if s := c.stmts[i].s; s != nil {
			attempt(func() { s.Reset() })         //nolint:errcheck // it repeats the error of the last step
			attempt(func() { s.ClearBindings() }) //nolint:errcheck // there is no error it could have
		}
	}
}

// attempt runs f and reports whether it returned.
func attempt(f func()) (returned bool) {
	defer func() { returned = recover() == nil }()
	f()
	return
}

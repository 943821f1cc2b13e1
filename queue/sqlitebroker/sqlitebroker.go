package sqlitebroker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Broker stores entries, documents and latches in one SQLite database. It is
// safe for concurrent use.
type Broker struct {
	writer  *writer
	readers *readers // nil in memory, where the writer's connection is the only one
	options Options
	lookout lookout

	dbOnce sync.Once
	db     *sql.DB // of DB, nil until that is called

	// In memory these belong to whoever has the turn to write.
	name   string
	forget func() // gives back memory that connections share; nil if there is none
}

var (
	_ broker.Broker   = (*Broker)(nil)
	_ broker.Operator = (*Broker)(nil)
	_ broker.Listener = (*Broker)(nil)
	_ broker.Streamer = (*Broker)(nil)
	_ broker.Waker    = (*Broker)(nil)

	_ broker.Transactor = (*Broker)(nil)
	_ broker.Verifier   = (*Broker)(nil)
)

// Synchronous says when a commit to a file is on the disk.
type Synchronous int

// The modes. In both, what is committed survives the end of the process,
// however it ends.
const (
	// Normal writes commits to the operating system. The last ones may be lost
	// when the machine loses power; the file stays sound.
	Normal Synchronous = iota

	// Full waits for the disk in every commit.
	Full
)

// Options are how a database is opened. The zero value, like nil, is the
// defaults.
type Options struct {
	Synchronous Synchronous

	// BusyTimeout is how long a call waits for other processes that write to
	// the file; 0: 10 seconds. Then it fails, and matches [broker.ErrRefused].
	BusyTimeout time.Duration

	// MustExist refuses a file that is not there with an error that matches
	// [fs.ErrNotExist], where it would be made otherwise.
	MustExist bool

	// Events is how many events this broker keeps of what happens to entries
	// ([broker.Streamer]); 0: none. Brokers on one file keep them in one row, each
	// what it commits itself: all should be told the same.
	Events int
}

const defaultBusyTimeout = 10 * time.Second

// withDefaults returns o with its zeroes filled in, or what is wrong with it.
func (o *Options) withDefaults() (Options, error) {
	if o == nil {
		o = &Options{}
	}
	filled := *o
	var faults []error
	if filled.Synchronous != Normal && filled.Synchronous != Full {
		faults = append(faults, task.Invalid("Options.Synchronous", int(filled.Synchronous), "must be Normal or Full"))
	}
	if filled.BusyTimeout < 0 {
		faults = append(faults, task.Invalid("Options.BusyTimeout", filled.BusyTimeout, "must not be negative"))
	}
	if filled.Events < 0 {
		faults = append(faults, task.Invalid("Options.Events", filled.Events, "must not be negative"))
	}
	if filled.BusyTimeout == 0 {
		filled.BusyTimeout = defaultBusyTimeout
	}
	return filled, errors.Join(faults...)
}

// memory is the path of a database that lives in memory.
const memory = ":memory:"

// How much memory connections may use; SQLite takes it as it needs it. A change
// is there a few times while it is written. Of a database in memory, the reserve
// is for entries that are rewritten as they are leased and settled, and the rest
// for what a transaction would have to undo.
const (
	fileMemory     = 1 << 30 >> narrow
	memoryCapacity = 1 << 30 >> narrow
	memoryReserve  = 2 * broker.MaxBytes
	memoryMemory   = 3 << 30 >> narrow

	pageSize = 4096 // SQLite's default

	narrow = 3 * (2 - bits.UintSize/32) // addresses of 32 bits leave room for an eighth
)

// Open opens the database file at path, and creates it if it does not exist. The
// path ":memory:" is a new database that is gone when the broker is closed.
// A nil o is the defaults. The caller must call [Broker.Close].
//
// A path that cannot be opened, is a directory or is no database is an
// [OpenError], which matches [ErrSchema] if a newer program wrote the file. An
// empty path and options that make no sense match [task.ErrInvalid].
func Open(path string, o *Options) (*Broker, error) {
	options, err := o.withDefaults()
	if path == "" {
		err = errors.Join(err, task.Invalid("path", path, "must not be empty"))
	}
	if err != nil {
		return nil, err
	}
	b, err := open(path, options)
	if err != nil {
		return nil, &OpenError{Path: path, Err: err}
	}
	return b, nil
}

func open(path string, o Options) (*Broker, error) {
	steps, err := migrations()
	if err != nil {
		return nil, err
	}
	name := path
	if path != memory {
		if name, err = filepath.Abs(path); err != nil { // "file:x" is a file of that name
			return nil, err
		}
		if err := o.look(name); err != nil {
			return nil, err
		}
	}
	if path == memory {
		c, err := openWriter(name, o, steps)
		if err != nil {
			return nil, err
		}
		return &Broker{writer: newWriter(c, nil), options: o, name: name}, nil
	}
	again := func() (*conn, error) { return openWriter(name, o, steps) }
	c, err := again()
	if err != nil {
		return nil, err
	}
	return &Broker{
		writer:  newWriter(c, again),
		readers: newReaders(func() (*conn, error) { return openReader(name, o) }),
		options: o,
		name:    name,
	}, nil
}

// look refuses a file that is not there, if it must be.
func (o Options) look(name string) error {
	if !o.MustExist {
		return nil
	}
	_, err := os.Stat(name)
	return err
}

// openWriter opens the connection that writes.
func openWriter(name string, o Options, steps []string) (*conn, error) {
	limit, setup := int64(fileMemory), o.pragmas()
	if inMemory(name) {
		limit, setup = memoryMemory, append(setup, fmt.Sprintf(`PRAGMA max_page_count = %d`, (memoryCapacity+memoryReserve)/pageSize))
	}
	c, err := openConn(name, limit, o.BusyTimeout, setup...)
	if err != nil {
		return nil, err
	}
	if err := c.guard(func() error { return c.setUp(name, o, steps) }); err != nil {
		return nil, c.giveUp(err)
	}
	c.events = o.Events
	if inMemory(name) {
		c.capacity = memoryCapacity
	}
	return c, nil
}

// pragmas returns what is set on every connection.
func (o Options) pragmas() []string {
	synchronous := `PRAGMA synchronous = NORMAL`
	if o.Synchronous == Full {
		synchronous = `PRAGMA synchronous = FULL`
	}
	return []string{
		synchronous,
		`PRAGMA temp_store = MEMORY`,
		`PRAGMA cache_size = -16000`,       // kilobytes, taken as needed
		`PRAGMA wal_autocheckpoint = 4000`, // pages
	}
}

// setUp prepares the first connection and the file for use. It writes nothing
// before it knows that the file is one to write to.
func (c *conn) setUp(name string, o Options, steps []string) error {
	if err := checkVersion(c.db, len(steps)); err != nil {
		return err
	}
	if !inMemory(name) {
		if err := useWAL(c.db, o.BusyTimeout); err != nil {
			return err
		}
	}
	if err := migrate(c.db, steps); err != nil {
		return err
	}
	return c.prepare()
}

// useWAL lets readers and the writer work side by side. SQLite does not wait by
// itself for other processes that do the same at the same time.
func useWAL(db *sqlite3.Conn, patience time.Duration) error {
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		mode, err := value(db, `PRAGMA journal_mode = WAL`, (*sqlite3.Stmt).ColumnText)
		switch {
		case errors.Is(err, sqlite3.BUSY) && time.Now().Before(end):
			continue
		case err == nil && mode != "wal":
			err = fmt.Errorf("write-ahead log is not possible here: journal mode is %s", mode)
		}
		return err
	}
}

func openReader(name string, o Options) (*conn, error) {
	c, err := openConn(name, fileMemory, o.BusyTimeout, append(o.pragmas(), `PRAGMA query_only = ON`)...)
	if err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		return nil, c.giveUp(err)
	}
	return c, nil
}

var selectSchema = prepared(`SELECT version FROM leat_schema`)

// Ping implements [broker.Broker].
func (b *Broker) Ping(ctx context.Context) error {
	if err := b.read(ctx, func(c *conn) { c.on(selectSchema).first(func(*row) {}) }); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// Close implements [broker.Broker]. It waits for calls that have begun. It writes
// what is committed into the file itself if no other process has it open.
func (b *Broker) Close() error {
	b.writer.board.Close()
	faults := []error{b.DB().Close()}
	if b.readers != nil {
		faults = append(faults, b.readers.close())
	}
	faults = append(faults, b.writer.close())
	if b.forget != nil {
		b.forget()
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

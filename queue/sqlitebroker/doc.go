// Package sqlitebroker keeps entries, documents and latches in one SQLite file,
// or in memory. It needs no server and no C compiler.
//
//	b, err := sqlitebroker.Open("tasks.db", nil)
//	if err != nil {
//		return err
//	}
//	defer b.Close()
//
// # What survives
//
// A call that has returned nil has been committed, and what is committed
// survives the end of the process, however it ends: a panic, kill -9, running
// out of memory. What was under way is there whole or not at all.
//
// When the machine itself goes down, [Full] keeps every commit, if the disk
// does what it says. [Normal], the default, may lose the last commits, the
// newest first and never one without those after it: the file is as it was a
// moment before. A run may then repeat a step, but it does not contradict
// itself. A commit costs about a tenth of a millisecond with Normal, and one
// write-through of the disk with Full; calls that wait for one commit share the
// next.
//
// A database in memory is gone when its broker is closed. It holds up to 1 GiB,
// or 128 MiB where addresses have 32 bits. When it is full, calls that add to it
// are refused, while what it holds can be leased and settled.
//
// A call for which there is no memory is refused ([broker.ErrRefused]), and
// changes nothing.
//
// # Several processes, several brokers
//
// A file may be open in many processes at once, and several times in one: the
// program, a command line, a dashboard. One of them writes at a time, for a
// millisecond or so, while the others read, or wait for their turn up to
// [Options].BusyTimeout. The turn goes to whoever asks next, not to whoever has
// waited longest.
//
// Who waits for something to do ([Broker.Wait]) is woken at once by what his own
// broker commits, one for each need. What others commit is looked for, by asking
// SQLite whether the file has changed: every five milliseconds while it does, and
// ten times a second when it has not for a second, which costs less than half a
// percent of a processor. It wakes somebody on each broker that is waited on: all
// but the fastest may find that nothing is left to do.
//
// All of them must run on one machine and see one clock. The file needs a local
// file system: SQLite's locks and shared memory do not work over a network, and
// the file is damaged where they seem to. Beside it lie two more, with -wal and
// -shm at the end of their names, that belong to it while it is open: they are
// moved and deleted together. Use SQLite's own backup on a file that is open.
//
// The file may hold tables of the program's own. Those of this package begin
// with leat_, and their version is kept in one of them, leat_schema; a file that
// a newer version has written is refused ([ErrSchema]). The file is switched to
// a write-ahead log. Only this SQLite driver may have the file open in the
// process: two drivers drop each other's locks. [Broker.DB] is this one.
//
// # A transaction of the program's own
//
// [Broker.DB] is the same database for the program's own tables, and
// [Broker.ApplyTx] makes changes part of a transaction on it: the task exists
// exactly if the order does.
//
//	tx, err := b.DB().BeginTx(ctx, nil)
//	if err != nil {
//		return err
//	}
//	defer tx.Rollback()
//	if _, err := tx.ExecContext(ctx, "INSERT INTO orders VALUES (?)", id); err != nil {
//		return err
//	}
//	if _, err := b.ApplyTx(ctx, time.Now(), tx, changes); err != nil {
//		return err
//	}
//	return tx.Commit()
//
// There is one right to write, and such a transaction holds it. It and the calls
// of brokers wait for each other, up to [Options].BusyTimeout, and go on when the
// other has ended: but who waits for a call while its own transaction is open
// waits for itself, and is refused after that time.
//
// The program's import of this package registers the SQL driver "sqlite3" of
// github.com/ncruces/go-sqlite3/driver. If another driver of that name is linked
// in, build with -ldflags "-X github.com/ncruces/go-sqlite3/driver.driverName=".
//
// # What it keeps
//
// The files in schema describe each table; a file of an older version is brought
// up to date when it is opened, in one transaction. What is stored goes with the
// entry, the home, the queue, the server or the scheduler it belongs to, and the
// space is used again: the file does not shrink by itself. Entries that wait for a latch that
// has stopped go with their home.
//
// Besides, it keeps: queues and their figures, until they are removed, and
// figures of a day for ninety days; of each entry the last ten attempts; that a
// queue is paused; a claim with a Hold that outlives its entry, until Advance has
// seen that its time is over; the last thousand signals, which is how those who
// listen in other processes hear of them; and as many events as [Options].Events
// says, if it does; and of each periodic entry the last thousand ticks, until they
// are forgotten.
//
// What is open of a home ([Broker.OpenEntries]) is read from the entries, by an index
// that those without a home are not in.
//
// An entry is rewritten when it is leased, extended and kept, and when its progress
// is reported, with its payload: payloads of megabytes cost that much writing each
// time.
package sqlitebroker

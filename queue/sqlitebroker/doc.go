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
// process: two drivers drop each other's locks.
//
// # What it keeps
//
// schema/001_init.sql describes each table. Queues and their figures stay when
// they are empty; figures of a day are kept for ninety days. What else is
// stored goes with the entry, the home or the server it belongs to, and the
// space is used again: the file does not shrink by itself. Entries that wait for
// a latch that has stopped go with their home.
//
// An entry is rewritten when it is leased and when it is kept, with its
// payload: payloads of megabytes cost that much writing each time.
package sqlitebroker

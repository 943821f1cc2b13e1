package sqlitebroker

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/leatwork/leat/queue/broker"
)

var _ broker.Describer = (*Broker)(nil)

// Describe implements [broker.Describer]. The clock is this machine's: it is not off.
func (b *Broker) Describe(ctx context.Context, _ ...string) (broker.About, error) {
	a := broker.About{Kind: "sqlite", Address: b.name, Events: b.options.Events > 0, ClockDoubt: 1, Facts: make(map[string]string)}
	if inMemory(b.name) {
		a.Kind, a.Address, a.MaxMemory = "memory", "", memoryCapacity
	}
	var journal string
	err := b.read(ctx, func(c *conn) {
		c.read(`SELECT sqlite_version()`, func(r *row) { a.Version = r.text() })
		c.read(`PRAGMA journal_mode`, func(r *row) { journal = r.text() })
		c.read(`SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`, func(r *row) { a.Memory = r.int() })
		c.on(selectSchema).first(func(r *row) { a.Facts["schema_version"] = strconv.FormatInt(r.int(), 10) })
	})
	if err != nil {
		return broker.About{}, fmt.Errorf("describe: %w", err)
	}
	a.Facts["journal_mode"] = journal
	a.Persistence = "none"
	if a.Kind == "sqlite" {
		a.Persistence = journal + " " + b.options.Synchronous.String()
		a.Facts["wal_bytes"] = strconv.FormatInt(sizeOf(b.name+"-wal"), 10)
	}
	return a, nil
}

// String returns the mode as SQLite calls it.
func (s Synchronous) String() string {
	switch s {
	case Normal:
		return "normal"
	case Full:
		return "full"
	}
	return fmt.Sprintf("Synchronous(%d)", int(s))
}

// sizeOf returns how many bytes a file has, 0 if there is none.
func sizeOf(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}

package sqlitebroker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// Leftovers names every row of every table but those of queues, days, signals,
// events and the schema, by its table and the texts in it.
func (b *Broker) Leftovers(t testing.TB) []string {
	var names []string
	err := b.writer.alone(t.Context(), func(c *conn) error {
		tables, err := b.texts(c, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'leat\_%' ESCAPE '\'`)
		for _, table := range tables {
			if slices.Contains([]string{"leat_queue", "leat_day", "leat_schema", "leat_signal", "leat_event"}, table) {
				continue
			}
			sql := `SELECT * FROM ` + table
			if table == "leat_attempt" {
				sql = `SELECT (SELECT id FROM leat_entry WHERE num = entry), * FROM leat_attempt`
			}
			rows, e := b.texts(c, sql)
			for _, row := range rows {
				names = append(names, table+" "+row)
			}
			err = e
		}
		return err
	})
	if err != nil {
		t.Fatalf("leftovers: %v", err)
	}
	return names
}

// texts returns each row of sql as a line.
func (b *Broker) texts(c *conn, sql string) (lines []string, err error) {
	s, _, err := c.db.Prepare(sql)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for s.Step() {
		var columns []string
		for i := range s.ColumnCount() {
			columns = append(columns, s.ColumnText(i))
		}
		lines = append(lines, strings.Join(columns, " "))
	}
	return lines, s.Err()
}

// Exec runs sql on b's storage, behind b's back.
func (b *Broker) Exec(t testing.TB, sql string, values ...any) {
	t.Helper()
	err := b.writer.alone(t.Context(), func(c *conn) error { return c.db.Exec(fmt.Sprintf(sql, values...)) })
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// Hold keeps the turn to write while f runs, so that calls gather behind it.
func (b *Broker) Hold(t testing.TB, f func()) {
	t.Helper()
	if err := b.writer.alone(t.Context(), func(*conn) error { f(); return nil }); err != nil {
		t.Fatal(err)
	}
}

// Waiting returns how many calls wait for the next transaction.
func (b *Broker) Waiting() int {
	b.writer.mu.Lock()
	defer b.writer.mu.Unlock()
	return len(b.writer.waiting)
}

// Starve lets the connections that are open use so much memory more than they
// do, or any amount again if more is negative.
func (b *Broker) Starve(t testing.TB, more int64) {
	starve := func(c *conn) {
		limit := int64(0)
		if more >= 0 {
			used, _, err := c.db.Status(sqlite3.DBSTATUS_CACHE_USED, false)
			if err != nil {
				t.Fatal(err)
			}
			limit = max(1, int64(used)+more)
		}
		c.db.HardHeapLimit(limit)
	}
	b.Hold(t, func() {
		if b.writer.conn != nil {
			starve(b.writer.conn)
		}
		if b.readers != nil {
			for _, c := range b.readers.idle {
				starve(c)
			}
		}
	})
}

// Narrow makes b's capacity so many bytes.
func (b *Broker) Narrow(t testing.TB, bytes int64) {
	b.Hold(t, func() { b.writer.conn.capacity = bytes })
}

// Panic panics in the midst of a transaction.
func (b *Broker) Panic(ctx context.Context) error {
	return b.writer.write(ctx, func(*tx) { panic("out of luck") })
}

// InMemory reports whether b lives in memory.
func (b *Broker) InMemory() bool { return b.readers == nil }

// Plans returns how SQLite runs each prepared query.
func (b *Broker) Plans(t testing.TB) map[string][]string {
	plans := make(map[string][]string)
	b.Hold(t, func() {
		for _, sql := range queries {
			if strings.HasPrefix(sql, "BEGIN") || sql == "COMMIT" || sql == "ROLLBACK" {
				continue
			}
			lines, err := b.texts(b.writer.conn, `EXPLAIN QUERY PLAN `+sql)
			if err != nil {
				t.Fatalf("plan of %s: %v", sql, err)
			}
			plans[sql] = lines
		}
	})
	return plans
}

// Days returns of how many days figures are kept.
func (b *Broker) Days(t testing.TB) int { return b.Rows(t, "leat_day") }

// Rows returns how many rows a table has.
func (b *Broker) Rows(t testing.TB, table string) int {
	return b.number(t, `SELECT count(*) FROM `+table)
}

// Pages returns how many pages of b's database are in use.
func (b *Broker) Pages(t testing.TB) int {
	return b.number(t, `SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count)`)
}

func (b *Broker) number(t testing.TB, sql string) (n int) {
	b.Hold(t, func() {
		var err error
		if n, err = value(b.writer.conn.db, sql, (*sqlite3.Stmt).ColumnInt); err != nil {
			t.Fatal(err)
		}
	})
	return n
}

// CountQueries begins to count the statements that are run on the connections that
// there are, and returns what tells how many were since it was last asked.
func (b *Broker) CountQueries(t testing.TB) (since func() int) {
	var n atomic.Int64
	b.Hold(t, func() {
		err := b.writer.conn.db.Trace(sqlite3.TRACE_STMT, func(sqlite3.TraceEvent, any, any) error {
			n.Add(1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return func() int { return int(n.Swap(0)) }
}

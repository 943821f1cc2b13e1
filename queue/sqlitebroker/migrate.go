package sqlitebroker

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/ncruces/go-sqlite3"
)

//go:embed schema/*.sql
var schema embed.FS

// migrations returns what brings a database from version i to version i+1, for
// each i from 0 on.
func migrations() ([]string, error) {
	names, err := fs.Glob(schema, "schema/*.sql") // in order
	if err != nil {
		return nil, err
	}
	steps := make([]string, len(names))
	for i, name := range names {
		text, err := schema.ReadFile(name)
		if err != nil {
			return nil, err
		}
		steps[i] = string(text)
	}
	return steps, nil
}

// version returns which migrations db has seen. The version has a table of its
// own, as user_version belongs to the program whose database this may be.
func version(db *sqlite3.Conn) (version int, err error) {
	known, err := value(db, `SELECT count(*) FROM sqlite_schema WHERE name = 'leat_schema'`, (*sqlite3.Stmt).ColumnInt)
	if err != nil || known == 0 {
		return 0, err
	}
	return value(db, `SELECT version FROM leat_schema`, (*sqlite3.Stmt).ColumnInt)
}

// value returns the first column of the first row of sql.
func value[T any](db *sqlite3.Conn, sql string, column func(*sqlite3.Stmt, int) T) (v T, err error) {
	s, _, err := db.Prepare(sql)
	if err != nil {
		return v, err
	}
	defer s.Close()
	if s.Step() {
		v = column(s, 0)
	}
	return v, s.Err()
}

// checkVersion refuses what a newer program has written, and what is no database.
func checkVersion(db *sqlite3.Conn, newest int) error {
	found, err := version(db)
	if err == nil && found > newest {
		err = fmt.Errorf("%w: its version is %d, known are 1 to %d", ErrSchema, found, newest)
	}
	return err
}

// migrate makes the migrations that db has not seen, in one transaction.
func migrate(db *sqlite3.Conn, steps []string) (err error) {
	if found, err := version(db); err != nil || found == len(steps) {
		return err
	}
	tx, err := db.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	found, err := version(db) // another process may have been faster
	if err != nil {
		return err
	}
	if found == 0 {
		err := db.Exec(`CREATE TABLE leat_schema (version INTEGER NOT NULL) STRICT; INSERT INTO leat_schema VALUES (0)`)
		if err != nil {
			return err
		}
	}
	for i := found; i < len(steps); i++ {
		if err := db.Exec(steps[i]); err != nil {
			return fmt.Errorf("migrate to version %d: %w", i+1, err)
		}
	}
	return db.Exec(fmt.Sprintf(`UPDATE leat_schema SET version = %d`, len(steps)))
}

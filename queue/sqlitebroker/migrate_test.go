package sqlitebroker

import (
	"testing"

	"github.com/ncruces/go-sqlite3"
)

func TestAMigrationIsMadeWholeOrNotAtAll(t *testing.T) {
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const first, second, broken = `CREATE TABLE a (x)`, `CREATE TABLE b (x)`, `CREATE TABLE c (x); DROP TABLE nothing`
	for _, c := range []struct {
		steps           []string
		fails           bool
		version, tables int
	}{
		{[]string{broken}, true, 0, 0},
		{[]string{first}, false, 1, 2},
		{[]string{first, second, broken}, true, 1, 2},
		{[]string{first, second}, false, 2, 3},
		{[]string{first, second}, false, 2, 3},
	} {
		err := migrate(db, c.steps)
		found, versionErr := version(db)
		tables, countErr := value(db, `SELECT count(*) FROM sqlite_schema`, (*sqlite3.Stmt).ColumnInt)
		if (err != nil) != c.fails || versionErr != nil || countErr != nil || found != c.version || tables != c.tables {
			t.Errorf("migrate(%q) = %v leaves version %d (%v) and %d tables (%v), want version %d and %d tables",
				c.steps, err, found, versionErr, tables, countErr, c.version, c.tables)
		}
	}
}

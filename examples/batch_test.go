package examples

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver" // to look at what the program has written

	"github.com/leatwork/leat/internal/redistest"
)

// Ten thousand events come to be as many rows, by twenty inserts.
func TestBatch(t *testing.T) {
	for name, url := range map[string]string{
		"in memory": "memory:",
		"on sqlite": "sqlite:batch.db",
		"on redis":  redistest.Start(t, redistest.Options{}).URL(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "views.db")
			got := run(t, "batch", "-broker", url, "-table", file)
			if got.code != 0 || got.stderr != "" {
				t.Fatalf("exit status %d: %s", got.code, got.stderr)
			}
			for _, want := range []string{"10000 events are enqueued.\n", "  insert 20 of 500 rows: 10000 in all\n", "10000 rows from 20 batches"} {
				if !strings.Contains(got.stdout, want) {
					t.Errorf("it prints\n%s\nand not %q", got.stdout, want)
				}
			}
			wantViews(t, file)
		})
	}
}

// wantViews demands that each event is a row, and each batch 500 of them.
func wantViews(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows, first, last, batches, least, most int
	err = db.QueryRow(`SELECT sum(n), min(first), max(last), count(*), min(n), max(n)
		FROM (SELECT count(*) AS n, min(id) AS first, max(id) AS last FROM views GROUP BY batch)`).Scan(&rows, &first, &last, &batches, &least, &most)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%d rows, %d to %d, from %d batches of %d to %d", rows, first, last, batches, least, most)
	if want := "10000 rows, 0 to 9999, from 20 batches of 500 to 500"; got != want {
		t.Errorf("the table has %s, want %s", got, want)
	}
}

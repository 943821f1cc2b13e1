package sqlitebroker_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

func TestOpenRefusesWhatItCannotUseAndLeavesItAlone(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ what, path string }{
		{"a directory", folder},
		{"a file in a directory that does not exist", filepath.Join(folder, "none", "leat.db")},
		{"a file below a file", filepath.Join(write("file", ""), "leat.db")},
		{"a text", write("notes.txt", strings.Repeat("not a database\n", 100))},
		{"the beginning of a database", write("cut.db", "SQLite format 3\x00\x10\x00")},
	} {
		t.Run(c.what, func(t *testing.T) {
			before := tree(t, folder)
			b, err := sqlitebroker.Open(c.path, nil)
			if err == nil {
				b.Close()
				t.Fatalf("Open(%s) = nil, want an error", c.path)
			}
			if e, ok := errors.AsType[*sqlitebroker.OpenError](err); !ok || e.Path != c.path || !strings.Contains(err.Error(), c.path) {
				t.Errorf("Open(%s) = %v, want an OpenError that names the path", c.path, err)
			}
			if after := tree(t, folder); after != before {
				t.Errorf("folder was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

func TestAFileThatMustExistIsNotMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	if _, err := sqlitebroker.Open(path, &sqlitebroker.Options{MustExist: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open() = %v, want that it does not exist", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat() = %v, want that nothing was made", err)
	}
	b, err := sqlitebroker.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if b, err = sqlitebroker.Open(path, &sqlitebroker.Options{MustExist: true}); err != nil {
		t.Fatal(err)
	}
	b.Close()
	if b, err = sqlitebroker.Open(":memory:", &sqlitebroker.Options{MustExist: true}); err != nil {
		t.Fatal(err)
	}
	b.Close()
}

// tree returns the names and contents of everything in folder.
func tree(t *testing.T, folder string) string {
	var b strings.Builder
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		b.WriteString(path + ": " + string(content) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOpenRefusesAFileOfANewerProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	b := open(t, path)
	b.Exec(t, `UPDATE leat_schema SET version = 1000`)
	b.Close()
	_, err := sqlitebroker.Open(path, nil)
	if !errors.Is(err, sqlitebroker.ErrSchema) || !strings.Contains(err.Error(), "1000") {
		t.Errorf("Open() = %v, want %v and the version", err, sqlitebroker.ErrSchema)
	}
}

func TestOpenNamesEveryBadArgument(t *testing.T) {
	_, err := sqlitebroker.Open("", &sqlitebroker.Options{Synchronous: 7, BusyTimeout: -time.Second})
	if !errors.Is(err, task.ErrInvalid) {
		t.Fatalf("Open() = %v, want %v", err, task.ErrInvalid)
	}
	for _, field := range []string{"path", "Options.Synchronous 7", "Options.BusyTimeout -1s"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("Open() = %v, want it to name %s", err, field)
		}
	}
}

func TestAPathIsTheNameOfAFileWhateverItLooksLike(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"file:tasks.db?mode=memory", "my tasks%20.db", "größe.db", ":tasks:"} {
		open(t, path).Close()
		if _, err := os.Stat(path); err != nil {
			t.Errorf("after Open(%s): %v", path, err)
		}
	}
}

func TestAFileMayHoldTablesOfTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.db")
	b := open(t, path)
	b.Exec(t, `CREATE TABLE entry (id TEXT); PRAGMA user_version = 42; INSERT INTO entry VALUES ('order 1')`)
	b.Close()
	b = open(t, path)
	defer b.Close()
	if names := b.Leftovers(t); len(names) != 0 {
		t.Errorf("Leftovers() = %q, want none", names)
	}
	b.Exec(t, `UPDATE entry SET id = 'order 2' WHERE (SELECT user_version FROM pragma_user_version) = 42`)
}

func TestDatabasesInMemoryAreSeparate(t *testing.T) {
	a, b := open(t, ":memory:"), open(t, ":memory:")
	defer a.Close()
	defer b.Close()
	must(t, a, enqueue("q", "a"))
	counts, err := b.Counts(t.Context(), time.Now())
	if err != nil || len(counts) != 0 {
		t.Errorf("Counts() of the other = %v, %v, want none", counts, err)
	}
}

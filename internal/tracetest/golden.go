package tracetest

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("tracetest.rewrite", false, "write the files of tracetest.Golden anew")

// Golden fails the test if got is not what the file holds. With the flag
// -tracetest.rewrite it writes the file instead.
func Golden(t testing.TB, file, got string) {
	t.Helper()
	if *rewrite {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("this is not what %s has (-want +got):\n%s\nIf it should be so, run the test with -tracetest.rewrite.", file, diff)
	}
}

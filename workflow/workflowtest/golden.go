package workflowtest

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var rewrite = flag.Bool("workflowtest.rewrite", false, "write the files of workflowtest.Golden anew")

// Golden fails the test if the workflow's picture in the Mermaid language is not what
// the file holds, so that nobody changes the shape of a workflow unawares. With the
// flag -workflowtest.rewrite it writes the file instead.
func Golden(t testing.TB, flow interface{ Mermaid() string }, file string) {
	t.Helper()
	got := []byte(flow.Mermaid())
	if *rewrite {
		if err := write(file, got); err != nil {
			t.Fatalf("workflowtest.Golden: %v", err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("workflowtest.Golden: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the workflow's picture is\n%s\nand %s has\n%s\nIf it should be so, run the test with -workflowtest.rewrite.", got, file, want)
	}
}

func write(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}

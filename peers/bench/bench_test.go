package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A test's process is started again to make calls, as the bench is.
func TestMain(m *testing.M) {
	if text, told := os.LookupEnv(callVariable); told {
		if err := answer(context.Background(), text, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestTheWholeBenchWorksWithVeryLittleToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "figures.md")
	if err := bench(t.Context(), options{rounds: 1, effort: 0.002, out: file}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(content)
	for _, w := range rows {
		if inFull := strings.Contains(w.work, "killed") || strings.Contains(w.work, "10,000"); strings.Contains(page, w.work) == inFull {
			t.Errorf("the page has the row %q: %t, want %t", w.work, !inFull, inFull)
		}
	}
	for _, s := range allSeries {
		if _, err := os.Stat(filepath.Join(filepath.Dir(file), "figures", s.name+".svg")); err != nil {
			t.Errorf("a chart is missing: %v", err)
		}
	}
	if strings.Contains(page, "NaN") {
		t.Errorf("the page has figures that are none:\n%s", page)
	}
}

func TestWhatIsNoMeasurementIsRefused(t *testing.T) {
	if err := bench(t.Context(), options{only: "drain,speed"}); err == nil || !strings.Contains(err.Error(), `"speed"`) {
		t.Errorf("bench of speed: %v, want an error that names it", err)
	}
}

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheTableOfFaultsIsRead(t *testing.T) {
	got := faultsIn("| # | in asynq | here | shown by |\n|---|---|---|---|\n" +
		"| 1 | a | b | `TestIt` |\n" +
		"| 2 | a \"word\" | `code` | \"it is so\"; `TestThat`; [a page](page.md) |\n" +
		"| 33 | a | none | – |\n\n| asynq | Leat |\n")
	want := []fault{{1, []string{"TestIt"}}, {2, []string{"it is so", "TestThat"}}, {33, nil}}
	if !slices.EqualFunc(got, want, func(a, b fault) bool { return a.number == b.number && slices.Equal(a.tests, b.tests) }) {
		t.Errorf("faults %v, want %v", got, want)
	}
}

func TestAMendIsTakenOutWhereItStandsOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file.go")
	if err := os.WriteFile(file, []byte("one two two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := (mend{file: file, old: "one", new: "1"}).without(); got != "1 two two" || err != nil {
		t.Errorf("without one = %q, %v, want the rest", got, err)
	}
	for _, old := range []string{"two", "three"} {
		if got, err := (mend{file: file, old: old}).without(); err == nil {
			t.Errorf("without %s = %q, nil, want an error", old, got)
		}
	}
}

// TestEveryMendStandsOnceInTheSource fails once code has moved away from its mend,
// which would then be taken out nowhere.
func TestEveryMendStandsOnceInTheSource(t *testing.T) {
	t.Chdir("../..") // to the top of the repository
	for _, m := range mends {
		if _, err := m.without(); err != nil {
			t.Errorf("fault %d, %q: %v", m.fault, m.tests, err)
		}
	}
}

func TestAFailureIsToldFromWhatCannotBeBuilt(t *testing.T) {
	for name, c := range map[string]struct {
		said  string
		built bool
		ran   bool
		late  bool
	}{
		"a failure": {`{"Action":"run","Test":"TestA/of_b/it_is_so"}{"Action":"fail","Test":"TestA"}{"Action":"fail"}`, true, true, false},
		"a build":   {`{"Action":"build-output","Output":"x.go:1: no"}{"Action":"build-fail"}{"Action":"fail","FailedBuild":"x"}`, false, false, false},
		"no test":   {`{"Action":"run","Test":"TestA"}{"Action":"run","Test":"TestA/of_b"}{"Action":"pass"}`, true, false, false},
		"a timeout": {`{"Action":"run","Test":"it_is_so"}{"Action":"output","Output":"panic: test timed out after 1m0s"}{"Action":"fail"}`, true, false, true},
	} {
		o, err := outcomeOf(strings.NewReader(c.said))
		if err != nil || o.built != c.built || o.ran("/it_is_so") != c.ran || o.late != c.late {
			t.Errorf("%s: built %t, ran %t, late %t, %v, want %t, %t, %t, nil", name, o.built, o.ran("/it_is_so"), o.late, err, c.built, c.ran, c.late)
		}
	}
}

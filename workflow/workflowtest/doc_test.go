package workflowtest_test

import (
	"os"
	"strings"
	"testing"
)

// The programs in the package's comment are those that are run here.
func TestTheCommentsProgramsAreRun(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	var program strings.Builder
	for line := range strings.Lines(string(doc)) {
		if code, ok := strings.CutPrefix(line, "//\t"); ok {
			program.WriteString(code)
			lines++
			continue
		}
		if !strings.Contains(string(example), program.String()) {
			t.Errorf("example_test.go does not have\n%s", program.String())
		}
		program.Reset()
	}
	if lines < 30 {
		t.Errorf("the comment has %d lines of programs, want both", lines)
	}
}

package workflowtest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/leatwork/leat/workflow/workflowtest"
)

func TestAPictureThatIsNotTheFilesFailsTheTest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outer.mmd")
	said := &recorder{TB: t}
	workflowtest.Golden(said, outer, file)
	said.want(t, "without a file", "-workflowtest.rewrite")

	if err := os.WriteFile(file, []byte(outer.Mermaid()), 0o644); err != nil {
		t.Fatal(err)
	}
	workflowtest.Golden(t, outer, file)
	said = &recorder{TB: t}
	workflowtest.Golden(said, inner, file)
	said.want(t, "with the file of another", "the workflow's picture is")
}

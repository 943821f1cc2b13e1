package dag_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Each file in testdata/refused holds a definition that the compiler must refuse,
// and in its first line a part of what it says.
func TestWrongEdgesDoNotCompile(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases, %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			source, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			want, body, _ := strings.Cut(strings.TrimPrefix(string(source), "// want: "), "\n")
			got := compile(t, body)
			if !strings.Contains(got, want) {
				t.Errorf("the compiler says:\n%s\nwant it to say %q", got, want)
			}
		})
	}
}

func TestRightEdgesCompile(t *testing.T) {
	if got := compile(t, `var _ = dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[string] { return dag.Do(g, show, dag.Do(g, double, in)) })`); got != "" {
		t.Errorf("the compiler says:\n%s", got)
	}
}

// preamble stands before each case.
const preamble = `package refused

import (
	"context"
	"strconv"
	"time"

	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

var (
	double = workflow.NewStep("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	show   = workflow.NewStep("show", func(_ context.Context, n int) (string, error) { return strconv.Itoa(n), nil })

	approval = workflow.NewSignal[int]("approval")
	_        = time.Second
)

`

// compile builds a package of this module that exists only for the compiler, and
// returns what it says.
func compile(t *testing.T, body string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "refused.go")
	if err := os.WriteFile(source, []byte(preamble+body), 0o644); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "refused", "refused.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, "./refused").CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return string(out)
}

package task_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestAWrongUseOfAKindDoesNotCompile(t *testing.T) {
	const preamble = `package refused

import (
	"context"
	"github.com/leatwork/leat/task"
)

var (
	ctx   context.Context
	mux   *task.Mux
	desk  interface{ task.Enqueuer; task.Waiter }
	info  *task.Info
	thumb = task.Define[string, int]("thumb")
)

`
	fset := token.NewFileSet()
	imported := importer.ForCompiler(fset, "gc", exported(t))
	for body, want := range map[string]string{
		`var _, _ = thumb.Enqueue(ctx, desk, "a")`: "",
		`var _, _ = thumb.Enqueue(ctx, desk, 7)`:   "cannot use 7",
		`var _, _ = thumb.New(7)`:                  "cannot use 7",
		`func f() { thumb.Handle(mux, func(context.Context, int) (int, error) { return 0, nil }) }`:   "cannot use (func",
		`func f() { thumb.Handle(mux, func(context.Context, string) error { return nil }) }`:          "cannot use (func",
		`func f() { n, err := thumb.Wait(ctx, desk, info); var _ string = n; _ = err }`:               "cannot use n",
		`var _ = task.DefineWith[string, int]("x", task.JSON[int](), task.JSON[int]())`:               "cannot use task.JSON[int]()",
		`var _ *task.Kind[string, int] = task.DefineWith("x", task.JSON[string](), task.JSON[int]())`: "",
	} {
		file, err := parser.ParseFile(fset, "refused.go", preamble+body, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err := (&types.Config{Importer: imported}).Check("refused", fset, []*ast.File{file}, nil); err != nil {
			got = err.Error()
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s\nthe compiler says %q, want %q", body, got, want)
		}
	}
}

// exported returns what finds the export data of this package and of those that it
// imports.
func exported(t *testing.T) importer.Lookup {
	t.Helper()
	list, err := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(list)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

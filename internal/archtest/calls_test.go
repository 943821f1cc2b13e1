package archtest

import (
	"go/ast"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// sleepers are library files that may sleep, each with the reason.
var sleepers = map[string]string{
	"queue/sqlitebroker/sqlitebroker.go": "Open takes no context, and waits no longer than its BusyTimeout",
}

// sleepFaults finds time.Sleep in libraries. They wait for something, with a
// timer that a context can end.
func sleepFaults(t tree) (faults []string) {
	testing := map[string]bool{} // packages of test code, which sleeps in a bubble
	for _, s := range t.sources {
		testing[s.dir()] = testing[s.dir()] || !s.isTest() && importName(s, "testing") != ""
	}
	for _, s := range t.sources {
		if s.isTest() || s.isProgram() || testing[s.dir()] || sleepers[s.path] != "" {
			continue
		}
		name := importName(s, "time")
		ast.Inspect(s.File, func(n ast.Node) bool {
			if of, sel := selector(n); name != "" && of == name && sel == "Sleep" {
				faults = append(faults, t.line(n.Pos())+": a library does not sleep; wait with a timer and the context")
			}
			return true
		})
	}
	return faults
}

var sleepSamples = []sample{
	{"-- a/a.go --\npackage a\nimport \"time\"\nfunc f() { time.After(1) }", ""},
	{"-- a/a.go --\npackage a\nimport \"time\"\nfunc f() { time.Sleep(1) }", "a/a.go:3: a library does not sleep"},
	{"-- a/a.go --\npackage a\nimport t \"time\"\nvar sleep = t.Sleep", "a/a.go:3: a library does not sleep"},
	{"-- a/a_test.go --\npackage a\nimport \"time\"\nfunc f() { time.Sleep(1) }", ""},
	{"-- a/a.go --\npackage main\nimport \"time\"\nfunc f() { time.Sleep(1) }", ""},
	{"-- a/a.go --\npackage atest\nimport \"time\"\nfunc f() { time.Sleep(1) }\n-- a/b.go --\npackage atest\nimport \"testing\"\nvar _ testing.TB", ""},
}

// skipFaults finds calls of Skip, Skipf and SkipNow on what package testing
// gives. A test that cannot run says so by failing.
func skipFaults(t tree) (faults []string) {
	for _, s := range t.sources {
		from := importName(s, "testing")
		if from == "" {
			continue
		}
		ast.Walk(&skips{from: from, report: func(n ast.Node) {
			faults = append(faults, t.line(n.Pos())+": a test is not skipped; let it fail if it cannot run")
		}}, s.File)
	}
	return faults
}

// skips visits what can see the parameters in tests, which are of package
// testing.
type skips struct {
	from   string // the name of package testing
	tests  map[string]bool
	report func(ast.Node)
}

// Visit reports a skip, and enters functions with their parameters.
func (v *skips) Visit(n ast.Node) ast.Visitor {
	if of, sel := selector(n); v.tests[of] && strings.HasPrefix(sel, "Skip") && sel != "Skipped" {
		v.report(n)
	}
	switch f := n.(type) {
	case *ast.FuncDecl:
		return v.within(f.Type)
	case *ast.FuncLit:
		return v.within(f.Type)
	}
	return v
}

func (v *skips) within(f *ast.FuncType) *skips {
	in := &skips{from: v.from, tests: maps.Clone(v.tests), report: v.report}
	if in.tests == nil {
		in.tests = map[string]bool{}
	}
	for _, p := range f.Params.List {
		of := p.Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		pkg, _ := selector(of)
		for _, name := range p.Names {
			in.tests[name.Name] = pkg == v.from
		}
	}
	return in
}

var skipSamples = []sample{
	{"-- a/a_test.go --\npackage a\nimport \"testing\"\nfunc TestA(t *testing.T) { t.Skip() }", "a/a_test.go:3: a test is not skipped"},
	{"-- a/a_test.go --\npackage a\nimport \"testing\"\nfunc f(x testing.TB, n int) { func() { x.Skipf(\"no\") }() }", "a test is not skipped"},
	{"-- a/a_test.go --\npackage a\nimport \"testing\"\nfunc FuzzA(f *testing.F) { f.Fuzz(func(t *testing.T, b []byte) { t.SkipNow() }) }", "a test is not skipped"},
	{"-- atest/a.go --\npackage atest\nimport \"testing\"\nfunc Run(t *testing.T) { t.Run(\"a\", func(t *testing.T) { t.Skip() }) }", "a test is not skipped"},
	{"-- a/a_test.go --\npackage a\nimport (\"testing\"; \"pgregory.net/rapid\")\nfunc TestA(t *testing.T) { rapid.Check(t, func(t *rapid.T) { t.Skip() }) }", ""},
	{"-- a/a_test.go --\npackage a\nimport \"testing\"\nfunc TestA(t *testing.T) { _ = t.Skipped(); dec.Skip() }", ""},
}

// logFaults finds errors that are logged under another key than "err": an
// operator looks for one.
func logFaults(t tree) (faults []string) {
	for _, s := range t.sources {
		if s.isTest() {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !logs(call) {
				return true
			}
			for i := range len(call.Args) - 1 {
				key, isKey := call.Args[i].(*ast.BasicLit)
				value, isName := call.Args[i+1].(*ast.Ident)
				if isKey && isName && value.Name == "err" && key.Value != `"err"` {
					faults = append(faults, t.line(key.Pos())+": an error is logged as \"err\"")
				}
			}
			return true
		})
	}
	return faults
}

// logs reports whether call is of a method as a slog.Logger has.
func logs(call *ast.CallExpr) bool {
	s, ok := call.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains([]string{"Debug", "Info", "Warn", "Error", "Log"}, strings.TrimSuffix(s.Sel.Name, "Context"))
}

var logSamples = []sample{
	{"-- a/a.go --\npackage a\nimport \"log/slog\"\nfunc f(err error) { slog.Info(\"x\", \"err\", err) }", ""},
	{"-- a/a.go --\npackage a\nimport \"log/slog\"\nfunc f(err error) { slog.Info(\"x\", \"n\", 1, \"error\", err) }", "a/a.go:3: an error is logged as \"err\""},
	{"-- a/a.go --\npackage a\nfunc (b *B) f(err error) { b.log.Warn(\"x\", \"error\", err) }", "a/a.go:2: an error is logged"},
	{"-- a/a.go --\npackage a\nfunc f(err error) { g(\"error\", err) }", ""},
}

// importName returns by which name s knows the package, "" if it does not
// import it.
func importName(s source, pkg string) string {
	i := slices.IndexFunc(s.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == strconv.Quote(pkg) })
	switch {
	case i < 0:
		return ""
	case s.Imports[i].Name != nil:
		return s.Imports[i].Name.Name
	default:
		return path.Base(pkg)
	}
}

// selector returns the halves of an expression such as time.Sleep.
func selector(n ast.Node) (of, sel string) {
	if e, ok := n.(*ast.SelectorExpr); ok {
		if x, ok := e.X.(*ast.Ident); ok {
			return x.Name, e.Sel.Name
		}
	}
	return "", ""
}

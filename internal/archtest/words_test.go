package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A foreign word is one that other systems use for something that has another
// name here.
var foreignWords = []struct {
	in   *regexp.Regexp // in lower case, words parted by a space
	name string
	ours string
}{
	{regexp.MustCompile(`\bjobs?\b`), "job", "task, or what it is exactly: entry, call, step"},
	{regexp.MustCompile(`\bwork ?items?\b`), "work item", "entry or task"},
	{regexp.MustCompile(`\bdead ?letters?\b`), "dead letter", "archived task"},
}

// usesForeignWords are files and folders that may use these words, each with
// the reason.
var usesForeignWords = map[string]string{
	"peers": "adapters and accounts of other systems, in their own words",
}

// wordFaults finds foreign words in the names that Go files give, in comments
// and in documents. Text in quotes may be about anything.
func wordFaults(excepted map[string]string) func(tree) []string {
	return func(t tree) (faults []string) {
		find := func(place, text string) {
			for _, w := range foreignWords {
				if w.in.MatchString(spaced(text)) {
					faults = append(faults, fmt.Sprintf("%s: says %q; say %s", place, w.name, w.ours))
				}
			}
		}
		for _, f := range t.texts {
			if !within(excepted, f.path) && slices.Contains([]string{".md", ".lua", ".sql", ".proto"}, path.Ext(f.path)) {
				for i, line := range strings.Split(f.text, "\n") {
					find(fmt.Sprintf("%s:%d", f.path, i+1), line)
				}
			}
		}
		for _, s := range t.sources {
			if !within(excepted, s.path) {
				eachName(s, func(n ast.Node, name string) { find(t.line(n.Pos()), name) })
			}
		}
		return faults
	}
}

// within reports whether p is one of paths, or below one.
func within(paths map[string]string, p string) bool {
	for prefix := range paths {
		if p == prefix || strings.HasPrefix(p, prefix+"/") {
			return true
		}
	}
	return false
}

// eachName calls f with every comment in s, and every name but those that are
// selected from something: they were given elsewhere.
func eachName(s source, f func(n ast.Node, name string)) {
	for _, group := range s.Comments {
		for _, c := range group.List {
			f(c, c.Text)
		}
	}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident:
			f(n, n.Name)
		}
		return true
	}
	ast.Inspect(s.File, visit)
}

var (
	hump      = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	separator = regexp.MustCompile(`[_\-\s]+`)
)

// spaced returns text in lower case, with a space between words, also those that
// a name joins.
func spaced(text string) string {
	text = hump.ReplaceAllString(text, "$1 $2")
	return strings.ToLower(separator.ReplaceAllString(text, " "))
}

var wordSamples = []sample{
	{"-- a/a.go --\npackage a\n// A task is run; work is done on items, dead.\ntype jobber int", ""},
	{"-- a/a.go --\npackage a\ntype job int", "a/a.go:2: says \"job\""},
	{"-- a/a.go --\npackage a\nconst mostJobs = 1", "says \"job\"; say task"},
	{"-- a/a.go --\npackage a\nfunc f(workItem int) {}", "says \"work item\""},
	{"-- a/a.go --\npackage a\nvar dead_letters int", "says \"dead letter\""},
	{"-- a/a.go --\npackage a\n// It goes to the dead-letter queue.\nvar x int", "a/a.go:2: says \"dead letter\""},
	{"-- a/a.go --\npackage a\nvar x = river.Job{}\nvar y = \"jobs.db\"", ""},
	{"-- a/a.go --\npackage a\nvar x = job.Name", "says \"job\""},
	{"-- a/a_test.go --\npackage a\nfunc TestJobs() {}", "says \"job\""},
	{"-- a.md --\nA task.\nA Job.", "a.md:2: says \"job\""},
	{"-- a.sql --\n-- a work item", "a.sql:1: says \"work item\""},
	{"-- peers/river/a.go --\npackage a\ntype job int\n-- peers/a.md --\nA job.", ""},
	{"-- peersons/a.md --\nA job.", "says \"job\""},
}

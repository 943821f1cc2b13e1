package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

const module = "github.com/leatwork/leat"

// A tree is what the rules are about: the text files of a repository, and its
// Go files parsed, whatever system they are for.
type tree struct {
	fset    *token.FileSet
	texts   []textFile
	sources []source
	others  []string // paths of folders, and of files that are not text
}

// A textFile is a file that people write or read.
type textFile struct{ path, text string }

// A source is a Go file. Those under testdata are only text.
type source struct {
	textFile
	*ast.File
	own bool // of the root module, not of one within it
}

func (s source) dir() string     { return path.Dir(s.path) }
func (s source) isTest() bool    { return strings.HasSuffix(s.path, "_test.go") }
func (s source) isProgram() bool { return s.Name.Name == "main" }

// line returns where pos is, as "path:line".
func (t tree) line(pos token.Pos) string {
	at := t.fset.Position(pos)
	at.Column = 0
	return at.String()
}

// has reports whether a file or folder matches the pattern.
func (t tree) has(pattern string) bool {
	pattern = strings.TrimSuffix(pattern, "/")
	matches := func(p string) bool { ok, err := path.Match(pattern, p); return ok && err == nil }
	return slices.ContainsFunc(t.others, matches) ||
		slices.ContainsFunc(t.texts, func(f textFile) bool { return matches(f.path) })
}

// load reads the tree in fsys. It leaves out hidden folders other than .ci,
// files that .gitignore names, and what is not text.
func load(fsys fs.FS) (tree, error) {
	t := tree{fset: token.NewFileSet()}
	ignored := ignore(fsys)
	var modules []string
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci":
			return fs.SkipDir
		case d.IsDir():
			t.others = append(t.others, p)
			return nil
		case ignored(p) || !d.Type().IsRegular():
			return nil
		}
		content, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		if !utf8.Valid(content) {
			t.others = append(t.others, p)
			return nil
		}
		if d.Name() == "go.mod" && p != "go.mod" {
			modules = append(modules, path.Dir(p))
		}
		t.texts = append(t.texts, textFile{p, string(content)})
		return nil
	})
	if err != nil {
		return tree{}, err
	}
	for _, f := range t.texts {
		if path.Ext(f.path) != ".go" || strings.Contains("/"+f.path, "/testdata/") {
			continue
		}
		syntax, err := parser.ParseFile(t.fset, f.path, f.text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return tree{}, err
		}
		elsewhere := slices.ContainsFunc(modules, func(m string) bool { return strings.HasPrefix(f.path, m+"/") })
		t.sources = append(t.sources, source{f, syntax, !elsewhere})
	}
	return t, nil
}

// ignore returns whether .gitignore names a file. It knows what this
// repository's uses: patterns for names, and paths that begin with a slash.
func ignore(fsys fs.FS) func(string) bool {
	content, _ := fs.ReadFile(fsys, ".gitignore") // if there is none, nothing is ignored
	patterns := strings.Fields(string(content))
	return func(p string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			byName, _ := path.Match(pattern, path.Base(p))
			byPath, _ := path.Match(pattern, "/"+p)
			return byName || byPath
		})
	}
}

package archtest

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// luaFaults finds scripts that do not begin with a comment which says what they
// do, what ARGV is, and what they return. Those in a folder lib are parts of
// scripts, and say what they are for.
func luaFaults(t tree) (faults []string) {
	for _, f := range t.texts {
		if path.Ext(f.path) != ".lua" {
			continue
		}
		var header strings.Builder
		for line := range strings.Lines(f.text) {
			if !strings.HasPrefix(line, "--") {
				break
			}
			header.WriteString(line)
		}
		needs := []string{"-- ", "ARGV", "Returns"}
		if path.Base(path.Dir(f.path)) == "lib" {
			needs = needs[:1]
		}
		for _, word := range needs {
			if !strings.Contains(header.String(), word) {
				faults = append(faults, fmt.Sprintf("%s: the comment at its beginning lacks %q", f.path, strings.TrimSpace(word)))
			}
		}
	}
	return faults
}

var luaSamples = []sample{
	{"-- a.lua --\n-- Does it.\n--\n-- ARGV  now\n-- Returns nothing", ""},
	{"-- a.lua --\n-- Does it.\n--\n-- Returns nothing", "a.lua: the comment at its beginning lacks \"ARGV\""},
	{"-- a.lua --\n-- Does it.\n-- ARGV  now\nreturn 1 -- Returns nothing", "lacks \"Returns\""},
	{"-- lib/a.lua --\n-- Keys by name.", ""},
	{"-- lib/a.lua --\nlocal x = 1", "lib/a.lua: the comment"},
}

// machine matches what is true on one machine only: folders in which people
// work, and where packages happen to be fetched from.
var machine = regexp.MustCompile(`(?:^|[\s"'(=:` + "`" + `])/(?:work|root|Users|home/\w+)/|/tmp/\w|` +
	`\b(?:proxy|sum)\.golang\.org|\bgoproxy\.|\bdeb\.debian\.org`)

// machineFaults finds texts that name one.
func machineFaults(t tree) (faults []string) {
	for _, f := range t.texts {
		n := 0
		for line := range strings.Lines(f.text) {
			n++
			if found := machine.FindString(line); found != "" {
				faults = append(faults, fmt.Sprintf("%s:%d: says %q, which is true of one machine", f.path, n, strings.TrimSpace(found)))
			}
		}
	}
	return faults
}

// The folders are put together here, since this file is read too.
var machineSamples = []sample{
	{"-- a.md --\nSee https://example.com/work/ and network/root/x, in ${TMPDIR:-/tmp}/x.", ""},
	{"-- a.md --\n\nSee /" + "work/x.", "a.md:2: says"},
	{"-- a.go --\npackage a\nvar x = \"/" + "home/me/x\"", "a.go:2: says"},
	{"-- a.sh --\nGOPROXY=https://proxy." + "golang.org", "a.sh:1: says"},
	{"-- a.sh --\ncd /" + "tmp/x", "a.sh:1: says"},
}

// quote matches a program in a document and the file that it is, or is a part of.
var quote = regexp.MustCompile("(?m)^<!-- (file|part of): (\\S+) -->\n(?:```\\w*\n((?s:.*?))^```$)?")

// quoteFaults finds programs in documents that differ from the file which they
// say they are, or do not stand in the one which they say they are a part of.
func quoteFaults(t tree) (faults []string) {
	files := map[string]string{}
	for _, f := range t.texts {
		files[f.path] = f.text
	}
	for _, f := range t.texts {
		if path.Ext(f.path) != ".md" {
			continue
		}
		for _, m := range quote.FindAllStringSubmatch(f.text, -1) {
			want, ok := files[m[2]]
			switch {
			case !ok:
				faults = append(faults, fmt.Sprintf("%s: quotes %s, which does not exist", f.path, m[2]))
			case m[1] == "file" && m[3] != want:
				faults = append(faults, fmt.Sprintf("%s: the program after \"file: %s\" is not that file", f.path, m[2]))
			case m[1] == "part of" && (m[3] == "" || !strings.Contains(want, m[3])):
				faults = append(faults, fmt.Sprintf("%s: the lines after \"part of: %s\" do not stand in it", f.path, m[2]))
			}
		}
	}
	return faults
}

var quoteSamples = []sample{
	{"-- a.go --\npackage a\n-- a.md --\nSo:\n<!-- file: a.go -->\n```go\npackage a\n```\nEnd.", ""},
	{"-- a.go --\npackage a\n-- a.md --\n<!-- file: a.go -->\n```go\npackage b\n```", "a.md: the program after"},
	{"-- a.go --\npackage a\n-- a.md --\n<!-- file: a.go -->\n\n```go\npackage a\n```", "a.md: the program after"},
	{"-- a.go --\npackage a\nvar x int\n-- a.md --\n<!-- part of: a.go -->\n```go\nvar x int\n```", ""},
	{"-- a.go --\npackage a\nvar x int\n-- a.md --\n<!-- part of: a.go -->\n```go\nvar y int\n```", "a.md: the lines after"},
	{"-- a.go --\npackage a\n-- a.md --\n<!-- part of: a.go -->\n", "a.md: the lines after"},
	{"-- a.md --\n<!-- file: a.go -->\n```go\npackage a\n```", "a.md: quotes a.go, which does not exist"},
}

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inCode = regexp.MustCompile("`([^`\\s]+)`")
	isPath = regexp.MustCompile(`^[\w.*-]+(?:/[\w.*-]+)*/?$`)
	fence  = regexp.MustCompile("(?ms)^```.*?^```$")
)

// mapsOfTheTree are documents that show the way: a path in backquotes there is
// one of this repository.
var mapsOfTheTree = []string{"ARCHITECTURE.md", "CONTRIBUTING.md"}

// linkFaults finds links between documents, and paths in mapsOfTheTree, that
// lead nowhere.
func linkFaults(t tree) (faults []string) {
	for _, f := range t.texts {
		if path.Ext(f.path) != ".md" {
			continue
		}
		prose := fence.ReplaceAllString(f.text, "")
		var targets []string
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target != "" && !strings.Contains(target, ":") {
				targets = append(targets, path.Join(path.Dir(f.path), target))
			}
		}
		for _, m := range inCode.FindAllStringSubmatch(prose, -1) {
			named := strings.TrimPrefix(m[1], "./")
			if slices.Contains(mapsOfTheTree, f.path) && isPath.MatchString(named) && (strings.Contains(named, "/") || isFileName(named)) {
				targets = append(targets, named)
			}
		}
		for _, target := range targets {
			if !t.has(target) {
				faults = append(faults, fmt.Sprintf("%s: names %s, which does not exist", f.path, target))
			}
		}
	}
	return faults
}

func isFileName(s string) bool {
	switch path.Ext(s) {
	case ".go", ".md", ".lua", ".sql", ".proto", ".yml", ".mod":
		return true
	}
	return false
}

var linkSamples = []sample{
	{"-- a/b.go --\npackage a\n-- ARCHITECTURE.md --\n`a/b.go`, `a/`, `./a/b.go`, `*/b.*`, `a.B`, `go test ./x`, [a](a/b.go#L1), [x](https://x.y/z)", ""},
	{"-- docs/a.md --\n[b](b.md)\n-- docs/b.md --\n[a](../docs/a.md)", ""},
	{"-- docs/a.md --\n[b](b.md)", "docs/a.md: names docs/b.md, which does not exist"},
	{"-- docs/a.md --\n`b/c.go`", ""},
	{"-- ARCHITECTURE.md --\n`b/c.go`", "ARCHITECTURE.md: names b/c.go"},
	{"-- ARCHITECTURE.md --\n`c.go`", "ARCHITECTURE.md: names c.go"},
	{"-- ARCHITECTURE.md --\n`*/c.*`", "ARCHITECTURE.md: names */c.*"},
	{"-- ARCHITECTURE.md --\n```\n`c.go`\n```", ""},
}

package archtest

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

var (
	namedTest = regexp.MustCompile("`(Test\\w+)`")
	namedCase = regexp.MustCompile(`"([^"]+)"`)
	function  = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	oneCase   = regexp.MustCompile(`(?m)^\t\{"([^"]+)", `)
)

// suiteFolder holds the cases that documents quote.
const suiteFolder = "queue/brokertest"

// shownFaults finds tests that a document names and that do not exist, and in the
// last column of its tables, cases of the suite.
func shownFaults(t tree) (faults []string) {
	known := map[string]bool{}
	for _, s := range t.sources {
		for _, m := range function.FindAllStringSubmatch(s.text, -1) {
			known[m[1]] = s.isTest()
		}
		if s.dir() != suiteFolder {
			continue
		}
		for _, m := range oneCase.FindAllStringSubmatch(s.text, -1) {
			known[m[1]] = true
		}
	}
	for _, f := range t.texts {
		if path.Ext(f.path) != ".md" {
			continue
		}
		named := namedTest.FindAllStringSubmatch(f.text, -1)
		for line := range strings.Lines(f.text) {
			if cells := strings.Split(strings.TrimSpace(line), "|"); len(cells) > 2 && cells[0] == "" {
				named = append(named, namedCase.FindAllStringSubmatch(cells[len(cells)-2], -1)...)
			}
		}
		for _, m := range named {
			if !known[m[1]] {
				faults = append(faults, fmt.Sprintf("%s: names the test %q, which does not exist", f.path, m[1]))
			}
		}
	}
	return faults
}

var shownSamples = []sample{
	{"-- a/a_test.go --\npackage a\nfunc TestIt(t *testing.T) {}\n-- a.md --\nSee `TestIt`.", ""},
	{"-- a/a_test.go --\npackage a\nfunc TestIt(t *testing.T) {}\n-- a.md --\nSee `TestThat`.", "a.md: names the test \"TestThat\", which does not exist"},
	{"-- queue/brokertest/a.go --\npackage brokertest\nvar p = []promise{\n\t{\"it is so\", so},\n}\n-- a.md --\n| a | \"it is so\" |\n\nSome \"say\" so.", ""},
	{"-- queue/brokertest/a.go --\npackage brokertest\nvar p = []promise{\n\t{\"it is so\", so},\n}\n-- a.md --\n| a | \"it is not so\" |", "a.md: names the test \"it is not so\""},
	{"-- a.md --\n| \"a\" | b |", ""},
}

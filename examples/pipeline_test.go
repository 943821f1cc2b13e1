package examples

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/redistest"
)

// A tally is a row of the report, counted by this test in its own way.
type tally struct{ Files, Lines, Words, Bytes int }

// sample is a folder's files, by path, with the languages that they are counted
// for; "" for those that are left out.
var sample = map[string]struct{ language, content string }{
	"main.go":            {"Go", "package main\n\nfunc main() {}\n"},
	"pkg/copy.go":        {"Go", "package main\n\nfunc main() {}\n"},
	"pkg/a<b>&c.md":      {"Markdown", "# Title\n\nSome *text* without a last newline"},
	"doc/water.txt":      {"text", "Wasser läuft\r\nüber das Mühlrad 水\r\n\r\n"},
	"doc/wide.txt":       {"text", strings.Repeat("é", 4000) + "\nx\n" + strings.Repeat("many words ", 300)},
	"doc/twin.txt":       {"text", "x\n"},
	"doc/other twin.txt": {"text", "x\n"},
	"query.SQL":          {"SQL", "SELECT 1;\n"},
	"empty.py":           {"Python", ""},
	"Makefile":           {"Make", "all:\n\tgo build\n"},
	"strange.zzz":        {"other", "\t \n"},
	"go.mod":             {"Go module", "module x\n"},
	"picture.png":        {"", "\x89PNG\r\n\x1a\n\x00\x00"},
	".git/config":        {"", "[core]\n"},
	"vendor/x/x.go":      {"", "package x\n"},
}

// The pipeline comes to the same figures wherever its tasks are kept.
func TestPipeline(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "A & B")
	for name, file := range sample {
		name = filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(file.content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := count()
	for name, url := range map[string]string{
		"in memory": "memory:",
		"on sqlite": "sqlite:pipeline.db",
		"on redis":  redistest.Start(t, redistest.Options{}).URL(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "report.html")
			got := run(t, "pipeline", "-broker", url, "-out", out, folder)
			if got.code != 0 {
				t.Fatalf("exit status %d: %s", got.code, got.stderr)
			}
			page, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			wantTable(t, got.stdout, want)
			wantPage(t, string(page), want)
			wantBalanced(t, string(page))
		})
	}
}

// count returns the rows that the report must have, by language, and "all".
func count() map[string]tally {
	rows := make(map[string]tally)
	for _, file := range sample {
		if file.language == "" {
			continue
		}
		lines := strings.Count(file.content, "\n")
		if !strings.HasSuffix(file.content, "\n") && file.content != "" {
			lines++
		}
		for _, name := range []string{file.language, "all"} {
			row := rows[name]
			row.Files++
			row.Lines += lines
			row.Words += len(strings.Fields(file.content))
			row.Bytes += len(file.content)
			rows[name] = row
		}
	}
	return rows
}

var tableRow = regexp.MustCompile(`^ *(\d+) +(\d+) +(\d+) +(\d+) +(\S.*)$`)

func wantTable(t *testing.T, stdout string, want map[string]tally) {
	t.Helper()
	got := make(map[string]tally)
	for lines := bufio.NewScanner(strings.NewReader(stdout)); lines.Scan(); {
		if m := tableRow.FindStringSubmatch(lines.Text()); m != nil {
			var n [4]int
			for i := range n {
				n[i], _ = strconv.Atoi(m[i+1])
			}
			got[m[5]] = tally{n[0], n[1], n[2], n[3]}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table (-want +got):\n%s\nin\n%s", diff, stdout)
	}
	for _, line := range []string{
		"Longest line: 4000 characters, doc/wide.txt:1\n",
		"The same 2 bytes: doc/other twin.txt, doc/twin.txt\n",
		"The same 29 bytes: main.go, pkg/copy.go\n",
	} {
		if !strings.Contains(stdout, line) {
			t.Errorf("the terminal does not say %q; it says\n%s", line, stdout)
		}
	}
}

func wantPage(t *testing.T, page string, want map[string]tally) {
	t.Helper()
	for name, row := range want {
		cells := fmt.Sprintf("<td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td>", name,
			grouped(row.Files), grouped(row.Lines), grouped(row.Words), grouped(row.Bytes))
		if !strings.Contains(page, cells) {
			t.Errorf("the page has no row %s", cells)
		}
	}
	if bars := strings.Count(page, "<rect "); bars != len(want)-1 {
		t.Errorf("the chart has %d bars, want one for each of %d languages", bars, len(want)-1)
	}
	for _, text := range []string{
		"<title>What is in A &amp; B</title>",
		"<code>doc/wide.txt:1</code></td><td>4\u202f000</td>",
		"<code>pkg/a&lt;b&gt;&amp;c.md:3</code>",
		"<code>main.go</code>, <code>pkg/copy.go</code>",
	} {
		if !strings.Contains(page, text) {
			t.Errorf("the page has no %s", text)
		}
	}
}

// grouped writes n as people read it: 1 234 567.
func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s\u202f%03d", grouped(n/1000), n%1000)
}

var (
	tag  = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>`)
	void = []string{"meta"} // what has no end
)

// wantBalanced demands that each tag of the page is closed, in order, and that
// nothing but tags looks like one.
func wantBalanced(t *testing.T, page string) {
	t.Helper()
	body, found := strings.CutPrefix(page, "<!doctype html>\n")
	if !found || !utf8.ValidString(page) {
		t.Errorf("the page is no HTML in UTF-8; it begins with %.40q", page)
	}
	var open []string
	for _, m := range tag.FindAllStringSubmatch(body, -1) {
		name, last := m[2], len(open)-1
		switch {
		case slices.Contains(void, name):
		case m[1] == "":
			open = append(open, name)
		case last < 0 || open[last] != name:
			t.Fatalf("</%s> closes none of %v", name, open)
		default:
			open = open[:last]
		}
	}
	if len(open) > 0 {
		t.Errorf("never closed: %v", open)
	}
	if rest := tag.ReplaceAllString(body, ""); strings.ContainsAny(rest, "<>") {
		t.Error("the page has a < or > that belongs to no tag")
	}
}

func TestThePipelineRefusesAPageThatItCannotWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, out := range map[string]string{
		"no name": "", "a folder": dir, "in a folder that is not there": dir + "/not/there.html",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, "pipeline", "-out", out, dir)
			if got.code != 1 || !strings.Contains(got.stderr, strconv.Quote(out)) {
				t.Errorf("got exit status %d and %q, want 1 and a message that names %q", got.code, got.stderr, out)
			}
		})
	}
}

package query_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/leatwork/leat/internal/query"
)

var update = flag.Bool("update", false, "write the fields anew into docs/query.md")

const page = "../../docs/query.md"

// TestTheDocumentHasEveryField compares the tables of the document with the languages, and
// with -update writes them.
func TestTheDocumentHasEveryField(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, table := range [][2]string{tableOf(t, query.Tasks), tableOf(t, query.Runs), tableOf(t, query.Entries), tableOf(t, query.Queues), tableOf(t, query.Groups), tableOf(t, query.Servers)} {
		begin, end := "<!-- fields of "+table[0]+" -->\n", "<!-- end -->"
		before, rest, found := strings.Cut(text, begin)
		_, after, closed := strings.Cut(rest, end)
		if !found || !closed {
			t.Fatalf("%s has no place for the fields of %s", page, table[0])
		}
		text = before + begin + table[1] + end + after
	}
	if *update {
		if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if text != string(b) {
		t.Errorf("%s does not have the fields as they are: run this test with -update", page)
	}
}

// tableOf returns what a language is about, and the table of its fields, whose examples
// it reads.
func tableOf[T any](t *testing.T, l *query.Language[T]) [2]string {
	var b strings.Builder
	b.WriteString("| field | what it is | example | operators |\n|---|---|---|---|\n")
	for _, f := range l.Fields() {
		if _, err := l.Parse(f.Example); err != nil || !strings.Contains(f.Example, strings.TrimSuffix(strings.TrimSuffix(f.Name, "NAME"), "KEY")) {
			t.Errorf("the example of %s is no query about it: %q, %v", f.Name, f.Example, err)
		}
		help := f.Help
		if f.Words != nil {
			help += ": `" + strings.Join(f.Words, "`, `") + "`"
		}
		name := "`" + f.Name + "`"
		if len(f.Aliases) > 0 {
			name += ", also `" + strings.Join(f.Aliases, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | `%s` |\n", name, help, f.Example, strings.Join(f.Ops, " "))
	}
	return [2]string{l.Things(), b.String()}
}

// TestEachQueryOfTheDocumentIsOne reads what stands in the document's blocks.
func TestEachQueryOfTheDocumentIsOne(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(string(b), -1)
	if len(blocks) < 3 {
		t.Fatalf("%s has %d blocks", page, len(blocks))
	}
	for _, block := range blocks {
		for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
			parse(t, line)
		}
	}
}

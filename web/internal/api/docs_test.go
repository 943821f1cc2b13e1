package api_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/leatwork/leat/web/internal/api"
)

const page = "../../../docs/web-api.md"

// TestThePageHasEveryAddress compares the page's table with the table of routes, and writes
// it anew if LEAT_WRITE_DOCS is set.
func TestThePageHasEveryAddress(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Address | Takes | Role | What it does |\n|---|---|---|---|\n")
	for _, r := range api.Routes() {
		fmt.Fprintf(&table, "| `%s %s` | %s | %s | %s |\n", r.Method, r.Path, r.Takes, r.Role, strings.ReplaceAll(r.Help, "|", `\|`))
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	mark := "<!-- routes -->\n"
	head, rest, found := strings.Cut(string(text), mark)
	_, tail, closed := strings.Cut(rest, "<!-- end -->")
	if !found || !closed {
		t.Fatal("the page has no place for the table")
	}
	want := head + mark + table.String() + "<!-- end -->" + tail
	if want == string(text) {
		return
	}
	if os.Getenv("LEAT_WRITE_DOCS") == "" {
		t.Fatal("the table is not what the API has; run the test with LEAT_WRITE_DOCS=1")
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

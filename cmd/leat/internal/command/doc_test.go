package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
)

const page = "../../../../docs/cli.md"

// TestThePageHasEverySetting compares the page's table of settings with what the table of
// the program says, and writes it anew if LEAT_WRITE_DOCS is set.
func TestThePageHasEverySetting(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), "<!-- settings -->\n")
	_, tail, closed := strings.Cut(rest, "<!-- end -->")
	if !found || !closed {
		t.Fatal("the page has no place for settings")
	}
	var table strings.Builder
	table.WriteString("| Key | Flag | Environment | Default | What it is |\n|---|---|---|---|---|\n")
	for _, s := range connect.Table() {
		fmt.Fprintf(&table, "| `%s` | `%s` | `%s` | %s | %s |\n", s.Key, s.Flags(), s.Env(), s.Default, strings.ReplaceAll(s.Help, "|", `\|`))
	}
	want := head + "<!-- settings -->\n" + table.String() + "<!-- end -->" + tail
	if want == string(text) {
		return
	}
	if os.Getenv("LEAT_WRITE_DOCS") == "" {
		t.Fatal("the table of settings is not what the program has; run the test with LEAT_WRITE_DOCS=1")
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestThePagesCommandsRun plays the page's commands as a script.
func TestThePagesCommandsRun(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	script := "fill pending\n"
	for n, block := range strings.Split(string(text), "```sh\n") {
		if n > 0 {
			commands, _, _ := strings.Cut(block, "```")
			for line := range strings.Lines(commands) {
				script += "exec " + line
			}
		}
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	script += "exec leat --config example.yaml config profiles\n-- example.yaml --\n" + example
	file := filepath.Join(t.TempDir(), "page.txtar")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	play(t, file, "sqlite", "sqlite:"+filepath.Join(t.TempDir(), "leat.db"))
}

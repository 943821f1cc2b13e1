package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/leatwork/leat/cmd/leat/internal/command"
	"github.com/leatwork/leat/cmd/leat/internal/connect"
)

const page = "../../../../docs/cli.md"

// TestThePageHasEverySetting compares the page's table of settings with what the program
// has.
func TestThePageHasEverySetting(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Key | Flag | Environment | Default | What it is |\n|---|---|---|---|---|\n")
	for _, s := range connect.Table() {
		fmt.Fprintf(&table, "| `%s` | `%s` | `%s` | %s | %s |\n", s.Key, s.Flags(), s.Env(), s.Default, strings.ReplaceAll(s.Help, "|", `\|`))
	}
	wantOnPage(t, "settings", table.String())
}

// TestThePageHasEveryFlagOfTheDashboard compares the page's table with what the program has.
func TestThePageHasEveryFlagOfTheDashboard(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Flag | Environment | Default | What it is |\n|---|---|---|---|\n")
	web, _, err := command.Tree().Find([]string{"web"})
	if err != nil {
		t.Fatal(err)
	}
	web.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		var variables []string
		for _, name := range command.VariablesOf(f.Name) {
			variables = append(variables, "`"+name+"`")
		}
		usual := strings.Trim(f.DefValue, "[]")
		if usual == "false" || usual == "0" {
			usual = ""
		}
		if f.Name != "help" {
			fmt.Fprintf(&table, "| `--%s` | %s | %s | %s |\n", f.Name, strings.Join(variables, ", "), usual, strings.ReplaceAll(f.Usage, "|", `\|`))
		}
	})
	wantOnPage(t, "dashboard", table.String())
}

// TestThePageHasEveryCommand compares the page's table of commands with the tree of them.
func TestThePageHasEveryCommand(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Command | Also | What it does |\n|---|---|---|\n")
	walk(command.Tree(), func(c *cobra.Command) {
		var also []string
		for _, name := range c.Aliases {
			also = append(also, "`"+name+"`")
		}
		if c.HasSubCommands() && !strings.Contains(c.Use, " ") && len(c.Aliases) == 0 && c.Name() != "config" {
			return // it only tells of those
		}
		use := strings.TrimSpace(c.Parent().CommandPath() + " " + c.Use)
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", strings.ReplaceAll(use, "|", `\|`), strings.Join(also, ", "), strings.ReplaceAll(c.Short, "|", `\|`))
	})
	wantOnPage(t, "commands", table.String())
}

// wantOnPage compares the part of the page that name marks with what the program has, and
// writes it anew if LEAT_WRITE_DOCS is set.
func wantOnPage(t *testing.T, name, table string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	mark := "<!-- " + name + " -->\n"
	head, rest, found := strings.Cut(string(text), mark)
	_, tail, closed := strings.Cut(rest, "<!-- end -->")
	if !found || !closed {
		t.Fatalf("the page has no place for %s", name)
	}
	want := head + mark + table + "<!-- end -->" + tail
	if want == string(text) {
		return
	}
	if os.Getenv("LEAT_WRITE_DOCS") == "" {
		t.Fatalf("the table of %s is not what the program has; run the test with LEAT_WRITE_DOCS=1", name)
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
	play(t, file, onSQLite(t))
}

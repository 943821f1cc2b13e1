package command_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// heavy matches packages that would make every call of the program slower, or have no
// business in it. What sets much up when a program begins is among them.
var heavy = regexp.MustCompile(`^(net/http|net/http/.*|html/template|expvar|net/rpc|go/types|github\.com/(spf13/viper|chromedp|playwright-community|goccy/go-graphviz|prometheus|gdamore/tcell)\b.*|gonum\.org/.*|google\.golang\.org/grpc\b.*|go\.opentelemetry\.io/.*)$`)

func TestNothingHeavyIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "github.com/leatwork/leat/cmd/leat").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 100 {
		t.Fatalf("the program has %d packages, want all", len(packages))
	}
	for _, p := range packages {
		if heavy.MatchString(p) {
			t.Errorf("the program is linked with %s", p)
		}
	}
}

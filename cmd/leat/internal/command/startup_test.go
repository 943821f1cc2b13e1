package command_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// heavy matches packages that would make every call of the program slower, or have no
// business in it. What sets much up when a program begins is among them. What the
// dashboard in the browser needs is allowed: see docs/decision/0017-web-in-the-command.md.
var heavy = regexp.MustCompile(`^(net/http/(httptest|cgi|fcgi)|net/rpc|go/(ast|types|parser|build)|plugin|` +
	`github\.com/(spf13/viper|chromedp|playwright-community|goccy/go-graphviz|gdamore/tcell|google/go-cmp)\b.*|` +
	`gonum\.org/.*|google\.golang\.org/grpc\b.*|go\.opentelemetry\.io/.*|github\.com/leatwork/leat/(tracing|internal/\w+test)\b.*)$`)

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

// How much packages may set up before the program begins: about one and a half times
// what they do.
const (
	mostInitBytes, mostInitAllocs = 750_000, 5_500 // all together
	mostBytes, mostAllocs         = 150_000, 1_500 // each
)

// TestLittleIsSetUpBeforeTheProgramBegins reads what the runtime tells of each package's
// initialisation: not how long it takes, which depends on who else is at work, but how
// much it allocates.
func TestLittleIsSetUpBeforeTheProgramBegins(t *testing.T) {
	c := exec.CommandContext(t.Context(), program(t), "version")
	c.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var packages, allBytes, allAllocs int
	for line := range strings.Lines(string(out)) {
		var name string
		var at, took float64
		var bytes, allocs int
		if n, _ := fmt.Sscanf(line, "init %s @%f ms, %f ms clock, %d bytes, %d allocs", &name, &at, &took, &bytes, &allocs); n != 5 {
			continue
		}
		packages, allBytes, allAllocs = packages+1, allBytes+bytes, allAllocs+allocs
		if bytes > mostBytes || allocs > mostAllocs {
			t.Errorf("package %s allocates %d bytes in %d pieces when it is initialised", name, bytes, allocs)
		}
	}
	t.Logf("%d packages allocate %d bytes in %d pieces when they are initialised", packages, allBytes, allAllocs)
	if packages < 50 || allBytes > mostInitBytes || allAllocs > mostInitAllocs {
		t.Errorf("%d packages allocate %d bytes in %d pieces, want at most %d in %d", packages, allBytes, allAllocs, mostInitBytes, mostInitAllocs)
	}
}

// built makes the program.
var built = sync.OnceValues(func() (path string, err error) {
	dir, err := os.MkdirTemp("", "leat-program-")
	if err != nil {
		return "", err
	}
	builds = append(builds, dir)
	path = filepath.Join(dir, "leat")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/leatwork/leat/cmd/leat").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

// builds are folders that are removed when all tests have ended.
var builds []string

// program returns where the program is.
func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

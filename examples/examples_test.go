package examples

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/freeport"
)

// programs are the examples, each run by a test of this package.
var programs = []string{"batch", "clock", "cron", "dashboard", "digest", "hello", "metrics", "order", "pipeline", "quickstart/client", "quickstart/worker", "tracing", "words"}

// binaries is the folder that they are built into.
var binaries string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "leat-examples-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(binaries)
	args := []string{"build", "-buildvcs=false", "-o", binaries + string(filepath.Separator)}
	for _, p := range programs {
		args = append(args, "./"+p)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go %s: %v\n%s", strings.Join(args, " "), err, out)
		return 1
	}
	return m.Run()
}

// binary returns the file that a program is built into.
func binary(program string) string { return filepath.Join(binaries, path.Base(program)) }

func TestEveryExampleIsRun(t *testing.T) {
	var found []string
	err := fs.WalkDir(os.DirFS("."), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "main.go" {
			found = append(found, path.Dir(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found, programs) {
		t.Errorf("there are the examples %q, and tests of %q", found, programs)
	}
}

func TestHelloInMemory(t *testing.T) {
	got := run(t, "hello")
	if want := "Hello, world.\n"; got.stdout != want || got.code != 0 {
		t.Errorf("hello: got %q and exit status %d, want %q and 0; it said %q", got.stdout, got.code, want, got.stderr)
	}
}

func TestDigestInMemory(t *testing.T) {
	got := run(t, "digest")
	for _, want := range []string{"ann gets one mail about 3 things\n", "bob gets one mail about 2 things\n"} {
		if !strings.Contains(got.stdout, want) || strings.Count(got.stdout, "\n") != 2 || got.code != 0 {
			t.Errorf("digest: got %q and exit status %d, want two mails, one of them %q, and 0; it said %q", got.stdout, got.code, want, got.stderr)
		}
	}
}

func TestClockInMemory(t *testing.T) {
	got := run(t, "clock")
	if want := regexp.MustCompile(`^(It strikes \d\d:\d\d:\d\d\n){3}$`); !want.MatchString(got.stdout) || got.code != 0 {
		t.Errorf("clock: got %q and exit status %d, want three strikes and 0; it said %q", got.stdout, got.code, got.stderr)
	}
}

func TestWordsInMemory(t *testing.T) {
	got := run(t, "words")
	if want := "[4 2]\n"; got.stdout != want || got.code != 0 {
		t.Errorf("words: got %q and exit status %d, want %q and 0; it said %q", got.stdout, got.code, want, got.stderr)
	}
}

func TestABrokerThatCannotBeOpenedIsNamed(t *testing.T) {
	t.Parallel()
	down := freeport.Address(t)
	for name, c := range map[string]struct{ url, named string }{
		"a kind that does not exist": {"postgres://nowhere", "postgres://nowhere"},
		"no URL":                     {"nowhere", "nowhere"},
		"a redis that is down":       {"redis://" + down + "/0", down},
		"an sqlite folder not there": {"sqlite:" + t.TempDir() + "/not/there.db", "not/there.db"},
	} {
		for _, program := range programs {
			if slices.Contains([]string{"clock", "digest", "hello", "words"}, program) {
				continue // which have no choice
			}
			t.Run(program+", "+name, func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				got := run(t, program, "-broker", c.url)
				if got.code != 1 || !strings.Contains(got.stderr, c.named) {
					t.Errorf("got exit status %d and %q, want 1 and a message that names %q", got.code, got.stderr, c.named)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v to say so, want at most 5s", took)
				}
			})
		}
	}
}

// An ending is what a program has said when it has ended.
type ending struct {
	stdout, stderr string
	code           int
}

// run runs a program to its end, in a folder of its own.
func run(t *testing.T, program string, args ...string) ending {
	t.Helper()
	return start(t, program, args...).end(t)
}

// A process is a program that was started.
type process struct {
	*exec.Cmd
	stdout, stderr output
}

// start starts a program in a folder of its own. It is killed if it goes on for
// longer than any of them takes.
func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	return startWith(t, nil, program, args...)
}

// startWith is start with more in the environment.
func startWith(t *testing.T, env []string, program string, args ...string) *process {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(stop)
	p := &process{Cmd: exec.CommandContext(ctx, binary(program), args...)}
	p.Dir, p.Stdout, p.Stderr = t.TempDir(), &p.stdout, &p.stderr
	p.Env = append(os.Environ(), env...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// end waits until the process has ended.
func (p *process) end(t *testing.T) ending {
	t.Helper()
	err := p.Wait()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return ending{p.stdout.String(), p.stderr.String(), p.ProcessState.ExitCode()}
}

// An output is what a process writes; it can be read meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// eventually waits until done reports true.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 10 s it is not so that %s", what)
		}
	}
}

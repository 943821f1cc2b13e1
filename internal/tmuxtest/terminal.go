package tmuxtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Options say what a program finds itself in. The zero value is a terminal of 80 columns
// and 24 lines.
type Options struct {
	Width, Height int
	Env           []string // what the program has beside the test's own environment, "NAME=value" each
}

// A Terminal is what one program runs in.
type Terminal struct {
	t     testing.TB
	dir   string
	guard *exec.Cmd
	alive io.WriteCloser // as long as it is open, the server lives
}

// guardian starts the server, says so, and ends it as soon as the standard input ends,
// which it does when the test's process is gone, or a signal tells it to.
const guardian = `
trap : HUP INT TERM
tmux -S sock -f conf "$@" && echo started && read -r word
tmux -S sock kill-server
rm -rf -- "$PWD"`

// keeper runs the program, keeps its exit code, and stays, so that the screen does, too.
const keeper = `
trap : INT
code=$1
shift
"$@"
echo $? >"$code.new"
mv "$code.new" "$code"
exec sleep infinity`

// conf is the server's configuration.
const conf = `
set -g default-terminal tmux-256color
set -g escape-time 0
set -g status off
`

// answersWithin is how long tmux may take for one command.
const answersWithin = 20 * time.Second

// Start starts a program in a terminal that ends with t. It fails t if there is no tmux.
func Start(t testing.TB, o Options, program ...string) *Terminal {
	t.Helper()
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = 80, 24
	}
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Fatal("tmux is missing: ./scripts/test installs it and runs all tests")
	}
	dir, err := os.MkdirTemp("", "leat-tmux-") // short: the path of a socket may have 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	x := &Terminal{t: t, dir: dir}
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	words := []string{
		"new-session", "-d", "-c", here, "-x", strconv.Itoa(o.Width), "-y", strconv.Itoa(o.Height),
		"env", "-u", "TMUX", "-u", "TMUX_PANE", "-u", "NO_COLOR", "-u", "COLORTERM",
	}
	words = append(words, append(o.Env, "sh", "-c", keeper, "sh", filepath.Join(dir, "code"))...)
	x.launch(append(words, program...))
	t.Cleanup(x.end)
	return x
}

// launch starts the server with its first command.
func (x *Terminal) launch(words []string) {
	x.t.Helper()
	x.guard = exec.Command("sh", append([]string{"-c", guardian, "tmux"}, words...)...)
	x.guard.Dir = x.dir
	var complaint strings.Builder
	x.guard.Stderr = &complaint
	in, inErr := x.guard.StdinPipe()
	out, outErr := x.guard.StdoutPipe()
	if inErr != nil || outErr != nil {
		x.t.Fatal(inErr, outErr)
	}
	if err := x.guard.Start(); err != nil {
		x.t.Fatal(err)
	}
	x.alive = in
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "started\n" {
		x.end()
		x.t.Fatalf("start tmux: %q, %v\n%s", line, err, &complaint)
	}
}

// end ends the server, and the program with it.
func (x *Terminal) end() {
	x.alive.Close()
	x.guard.Wait() //nolint:errcheck // the server may have ended before
}

// do carries out a command of tmux and returns what it prints.
func (x *Terminal) do(words ...string) string {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), answersWithin)
	defer cancel()
	out, err := exec.CommandContext(ctx, "tmux", append([]string{"-S", filepath.Join(x.dir, "sock")}, words...)...).CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// A Condition is how a terminal stands.
type Condition struct {
	Ended     bool // the program has
	Code      int  // its exit code, if it has ended; 128 more than the signal that ended it, as shells have it
	Alternate bool // the alternate screen is shown, as full-screen programs have it
	Mouse     bool // clicks are reported to the program
	Cursor    bool // the cursor is shown
}

// Condition tells how the terminal stands.
func (x *Terminal) Condition() (c Condition) {
	x.t.Helper()
	switch code, err := os.ReadFile(filepath.Join(x.dir, "code")); {
	case err == nil:
		c.Ended = true
		if c.Code, err = strconv.Atoi(strings.TrimSpace(string(code))); err != nil {
			x.t.Fatal(err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		x.t.Fatal(err)
	}
	var alternate, mouse, cursor int
	line := x.do("display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}")
	if _, err := fmt.Sscan(line, &alternate, &mouse, &cursor); err != nil {
		x.t.Fatalf("tmux says of its pane %q: %v", line, err)
	}
	c.Alternate, c.Mouse, c.Cursor = alternate == 1, mouse == 1, cursor == 1
	return c
}

// Await waits until the program has ended, and tells how it left the terminal. It fails
// the test if that takes too long.
func (x *Terminal) Await(within time.Duration) Condition {
	x.t.Helper()
	for began := time.Now(); ; time.Sleep(between) {
		c := x.Condition()
		if c.Ended {
			return c
		}
		if time.Since(began) > within {
			x.t.Fatalf("the program has not ended within %v; its screen is\n%s", within, x.Screen())
		}
	}
}

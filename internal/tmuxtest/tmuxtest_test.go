package tmuxtest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/tmuxtest"
)

const soon = 20 * time.Second

// echoes is a program of the terminal: it has the alternate screen and the mouse, says
// what it is sent, byte by byte, and ends with code 7 when it is sent a q.
const echoes = `
printf '\033[?1049h\033[?1000h\033[?1006h\033[?25l\033[31mready\033[0m %s %s\n' "$COLOR" "$TERM"
trap 'stty size' WINCH
stty raw -echo; trap 'stty sane' EXIT
while :; do
	IFS= read -rN1 c
	[ "$c" = q ] && break
	[ "$c" = $'\033' ] && c=^
	printf '<%s>' "$c"
done
printf '\033[?1006l\033[?1000l\033[?25h\033[?1049l'
echo done
exit 7`

func start(t *testing.T, o tmuxtest.Options) *tmuxtest.Terminal {
	t.Helper()
	x := tmuxtest.Start(t, o, "bash", "-c", echoes)
	x.WaitFor(soon, "ready")
	return x
}

func TestKeysReachTheProgram(t *testing.T) {
	x := start(t, tmuxtest.Options{})
	x.Send("j", "Escape")
	x.Type("x-1")
	x.WaitFor(soon, "<j>", "<^><x><-><1>")
}

func TestTheMouseReachesTheProgram(t *testing.T) {
	x := start(t, tmuxtest.Options{Width: 120, Height: 30})
	spelled := func(s string) string { return "<" + strings.Join(strings.Split(s, ""), "><") + ">" }
	for _, c := range []struct {
		do   func()
		want string
	}{
		{func() { x.Click(4, 2) }, spelled("^[<0;5;3M^[<0;5;3m")},
		{func() { x.Wheel(0, 0, 1) }, spelled("^[<65;1;1M")},
		{func() { x.Wheel(0, 0, -1) }, spelled("^[<64;1;1M")},
		{func() { x.Drag(1, 1, 2, 3) }, spelled("^[<32;3;4M^[<0;3;4m")},
	} {
		c.do()
		x.WaitUntil(soon, c.want, func(screen string) bool {
			return strings.Contains(strings.ReplaceAll(screen, "\n", ""), c.want)
		})
	}
}

func TestTheProgramHasTheSizeAndTheEnvironment(t *testing.T) {
	x := start(t, tmuxtest.Options{Width: 60, Height: 10, Env: []string{"COLOR=blue"}})
	x.WaitFor(soon, "ready blue tmux-256color")
	if lines := strings.Count(x.Screen(), "\n"); lines != 10 {
		t.Errorf("the screen has %d lines, want 10", lines)
	}
	x.Resize(70, 20)
	x.Send("a") // a shell carries out its trap when the program that it waits for has ended
	x.WaitFor(soon, "20 70")
}

func TestColoursCanBeRead(t *testing.T) {
	x := start(t, tmuxtest.Options{})
	if got := x.Styled(); !strings.Contains(got, "\x1b[31mready") {
		t.Errorf("Styled() = %q, want it red", got)
	}
}

func TestTheEndOfTheProgramIsSeen(t *testing.T) {
	x := start(t, tmuxtest.Options{})
	if diff := cmp.Diff(tmuxtest.Condition{Alternate: true, Mouse: true}, x.Condition()); diff != "" {
		t.Errorf("while it runs (-want +got):\n%s", diff)
	}
	x.Send("q")
	if diff := cmp.Diff(tmuxtest.Condition{Ended: true, Code: 7, Cursor: true}, x.Await(soon)); diff != "" {
		t.Errorf("when it has ended (-want +got):\n%s", diff)
	}
	if got := strings.TrimSpace(x.Screen()); got != "done" {
		t.Errorf("it leaves the screen %q, want what it said last", got)
	}
}

// A failing is a test that notes that it has failed.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper() {}
func (f *failing) Errorf(format string, args ...any) {
	f.said = format
}

func TestGoldenHidesWhatChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "screen.txt")
	if err := os.WriteFile(file, []byte("age· of a task\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	masks := tmuxtest.Masks{regexp.MustCompile(` *\d+s`)}
	for screen, same := range map[string]bool{
		"age   3s of a task\n\n": true,
		"age  12s of a task":     true,
		"age for 3s of a task":   false,
		"age   3s of a run":      false,
	} {
		f := &failing{TB: t}
		tmuxtest.Golden(f, file, screen, masks)
		if (f.said == "") != same {
			t.Errorf("Golden(%q) says %q, want equal: %v", screen, f.said, same)
		}
	}
}

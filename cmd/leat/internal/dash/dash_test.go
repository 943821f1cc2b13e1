package dash

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// A stage is a dashboard without a terminal: what it asks for is answered when the test
// says so, and its clock stands still.
type stage struct {
	*app
	t      testing.TB
	clock  time.Time
	asked  []tea.Cmd // that have not been run
	isOver bool

	handling bool // a message
}

func newStage(t testing.TB, b broker.Broker, w, h int) *stage {
	t.Helper()
	s := &stage{t: t, clock: time.Now()}
	a := newApp(t.Context(), Options{Broker: b, Address: "redis://store:6379/0", Refresh: DefaultRefresh, Timeout: time.Minute, By: "ann"})
	a.now = func() time.Time { return s.clock }
	a.tick = func() tea.Cmd { return nil }
	a.show(0)
	s.app = a
	s.keep(a.Init())
	s.tell(tea.WindowSizeMsg{Width: w, Height: h})
	return s
}

// keep keeps what the dashboard wants to be run.
func (s *stage) keep(c tea.Cmd) {
	if c != nil {
		s.asked = append(s.asked, c)
	}
}

// tell sends a message.
func (s *stage) tell(m tea.Msg) {
	s.handling = true
	_, c := s.Update(m)
	s.handling = false
	s.keep(c)
}

// settle runs what is asked for until nothing is asked for any more.
func (s *stage) settle() {
	for n := 0; len(s.asked) > 0; n++ {
		if n > 1000 {
			s.t.Fatal("the dashboard does not stop asking")
		}
		c := s.asked[0]
		s.asked = s.asked[1:]
		switch m := c().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range m {
				s.keep(c)
			}
		case tea.QuitMsg:
			s.isOver = true
		default:
			s.tell(m)
		}
	}
}

// keys presses keys, each as [tea.KeyPressMsg.String] has it, and has all be answered.
func (s *stage) keys(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.tell(keyOf(k))
		s.settle()
	}
}

// write presses the keys for a text.
func (s *stage) write(text string) {
	for _, r := range text {
		if r == ' ' {
			s.keys("space")
			continue
		}
		s.keys(string(r))
	}
}

var codes = map[string]tea.Key{
	"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight},
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift},
	"pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown}, "home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd},
	"space": {Code: tea.KeySpace, Text: " "}, "backspace": {Code: tea.KeyBackspace},
	"ctrl+c": {Code: 'c', Mod: tea.ModCtrl}, "ctrl+l": {Code: 'l', Mod: tea.ModCtrl},
}

func keyOf(k string) tea.KeyPressMsg {
	if code, ok := codes[k]; ok {
		return tea.KeyPressMsg(code)
	}
	return tea.KeyPressMsg{Code: []rune(strings.ToLower(k))[0], Text: k}
}

// reach has the dashboard use another storage.
func (s *stage) reach(b broker.Broker) {
	s.Broker, *s.inspector, *s.entries = b, *queue.NewInspector(b), *periodic.NewInspector(b)
}

// whole returns the lines that are drawn: as many as the terminal has, each as wide.
func (s *stage) whole() []string {
	s.t.Helper()
	s.handling = true
	lines := s.lines()
	s.handling = false
	if s.width > 0 && len(lines) != s.height {
		s.t.Fatalf("%d lines are shown, want %d", len(lines), s.height)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w != s.width {
			s.t.Fatalf("line %d is %d cells wide, want %d: %q", i, w, s.width, line)
		}
	}
	return lines
}

// screen returns what is shown, without colours.
func (s *stage) screen() string {
	s.t.Helper()
	lines := s.whole()
	for i, line := range lines {
		lines[i] = strings.TrimRight(ansi.Strip(line), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// golden compares what is shown with what was, once.
func (s *stage) golden(name string) {
	s.t.Helper()
	file := filepath.Join("testdata", fmt.Sprintf("%s-%dx%d.golden", name, s.width, s.height))
	got := s.screen()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		s.t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// shows demands that a text is on the screen.
func (s *stage) shows(text string) {
	s.t.Helper()
	if got := s.screen(); !strings.Contains(got, text) {
		s.t.Errorf("%q is not on the screen:\n%s", text, got)
	}
}

func TestFrameSaysThatTheTerminalIsTooSmall(t *testing.T) {
	s := newStage(t, model.New(model.Options{}), 50, 10)
	s.settle()
	s.shows("too small (50×10)")
}

func TestQuit(t *testing.T) {
	for _, key := range []string{"q", "ctrl+c"} {
		s := newStage(t, model.New(model.Options{}), 80, 24)
		s.keys(key)
		if !s.isOver {
			t.Errorf("%s does not quit", key)
		}
	}
}

func TestKeysAreAnsweredWhileTheStorageIsSilent(t *testing.T) {
	s := newStage(t, model.New(model.Options{}), 80, 24)
	asked := len(s.asked)
	s.clock = s.clock.Add(5 * time.Second)
	for range 10 {
		s.tell(ticked{})
	}
	if len(s.asked) != asked {
		t.Errorf("%d questions are under way, want %d", len(s.asked), asked)
	}
	s.tell(keyOf("?"))
	s.shows("Everywhere")
}

func TestOptionsAreChecked(t *testing.T) {
	for refresh, sound := range map[time.Duration]bool{0: false, MinRefresh - 1: false, MinRefresh: true, time.Hour: true} {
		if err := (Options{Refresh: refresh}).Check(); (err == nil) != sound || !sound && !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Check() with a refresh of %s returns %v", refresh, err)
		}
	}
}

func TestTheQueueToBeginWithMustExist(t *testing.T) {
	o := Options{Broker: model.New(model.Options{}), Refresh: time.Second, Queue: "mail"}
	if err := Run(t.Context(), o, strings.NewReader(""), io.Discard); !errors.Is(err, queue.ErrQueueNotFound) {
		t.Errorf("Run() = %v, want ErrQueueNotFound", err)
	}
}

package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/stock"
	"github.com/leatwork/leat/internal/tmuxtest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/workflow"
)

// soon is how long a screen may take on a machine that has other things to do.
const soon = 30 * time.Second

// masks hide what differs from time to time, with the blanks around it.
func masks(t *testing.T) tmuxtest.Masks {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return tmuxtest.Masks{
		regexp.MustCompile(`^.*`),          // the line of the address and of the age
		regexp.MustCompile(`~[a-z0-9]{8}`), // a run's tag
		regexp.MustCompile(` *` + regexp.QuoteMeta(host) + `\S* *`),
		regexp.MustCompile(` *\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)? *`),
		regexp.MustCompile(` *(in )?\b(\d+(\.\d+)?(µs|ms|s|m|h|d))+\b( ago| old)? *`),
		regexp.MustCompile(` *right now *`),
		regexp.MustCompile(` *\b[\d.]+ ([KMG]i)?B\b *`),
		regexp.MustCompile(`process \d+`),
		regexp.MustCompile(` *\b\d+/64\b`),                 // what a server is at, as of its last beat
		regexp.MustCompile(`(?m)^… ship.*$`),               // through whose row of the gantt there is a fold if the run was quick
		regexp.MustCompile(`(?m) +[░▒▓█┆┊≈].*$`),           // bars of the gantt
		regexp.MustCompile(`(?m)^ +┬[┬─]+.*$|^ +0[· ].*$`), // and its axis
		regexp.MustCompile(` *((waited|took)·+, )*ended·`), // a step that was quick tells of neither
		regexp.MustCompile(`(?m)done +pack( +took·)?$`),    // nor does a map
		regexp.MustCompile(`3/3(·| +)reserve`),             // nor there
	}
}

// A dashboard is what the tests of it share.
type dashboard struct {
	program string
	server  *redistest.Server
	broker  *redisbroker.Broker
}

// newDashboard builds the program, and fills a storage.
func newDashboard(t *testing.T) *dashboard {
	t.Helper()
	d := &dashboard{program: filepath.Join(t.TempDir(), "leat"), server: redistest.Start(t, redistest.Options{})}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", d.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var err error
	if d.broker, err = redisbroker.Open(d.server.URL(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.broker.Close() })
	if err := stock.Fill(t.Context(), d.broker, stock.Tasks, time.Now()); err != nil {
		t.Fatal(err)
	}
	stop, err := stock.Serve(t.Context(), d.broker)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop() })
	return d
}

// open starts the dashboard, which asks by itself every so often.
func (d *dashboard) open(t *testing.T, width, height int, refresh time.Duration) *tmuxtest.Terminal {
	t.Helper()
	x := tmuxtest.Start(t, tmuxtest.Options{Width: width, Height: height, Env: []string{"LEAT_CONFIG=/dev/null"}},
		d.program, "dash", "--uri", d.server.URL(), "--refresh", refresh.String())
	x.WaitFor(soon, "Queues", "billing", "reports")
	return x
}

// A visit is how one comes to a screen from the one before. Keys that begin with "=" are
// typed; of those that begin with "~" the rest is waited for, and with "!" that it goes.
type visit struct {
	screen string
	keys   []string
}

// visits are all screens, each reached from the one before.
var visits = []visit{
	{"queues", nil},
	{"queue", []string{"Down", "Enter"}},
	{"task", []string{"~default-017401", "Enter"}},
	{"help", []string{"?"}},
	{"servers", []string{"2"}},
	{"groups", []string{"3"}},
	{"periodic", []string{"4"}},
	{"entry", []string{"~accounts-report", "Enter"}},
	{"tasks-query", []string{tasksTab, "~looked at", "/", "=queue:billing state:archived", "Enter"}},
	{"runs", []string{runsTab, "~order-2005", "/", "=-workflow:region", "Enter"}},
	{"runs-bar", []string{"/", "= st"}},
	{"run-failed", []string{"C-u", "=id:reorder-1003", "Enter", "~✗ failed", "Enter"}},
	{"run-next-face", []string{"g"}},
	{"run-third-face", []string{"g"}},
	{"run-history", []string{"H"}},
	{"run-values", []string{"i"}},
	{"run-waiting", []string{"q", "/", "C-u", "=id:order-2001", "Enter", "~◌ waiting", "Enter"}},
	{"run-signal", []string{"~waits for", "s"}},
	{"run-large", []string{"Escape", "!Send signal", "q", "/", "C-u", "=id:year-end-2026", "Enter", "~1/4", "Enter"}},
	{"run-items", []string{"~8 of 20", "Enter"}},
	{"run-region", []string{"~12", "Down", "Enter"}},
}

const (
	runsTab  = "5"
	tasksTab = "6"
)

func TestScreens(t *testing.T) {
	d := newDashboard(t)
	for _, size := range [][2]int{{80, 24}, {200, 50}} {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			x := d.open(t, size[0], size[1], time.Hour)
			for _, v := range visits {
				press(x, v.keys)
				x.Golden(soon, filepath.Join("testdata", "dash", v.screen+"-"+name+".txt"), masks(t))
				if t.Failed() {
					return
				}
			}
		})
	}
	t.Run("another size", d.resize)
	t.Run("a deed", d.act)
	t.Run("a storage that is silent", d.silence)
}

// press presses keys, types texts, and waits.
func press(x *tmuxtest.Terminal, keys []string) {
	for _, k := range keys {
		switch k[0] {
		case '=':
			x.Type(k[1:])
		case '~':
			x.WaitFor(soon, k[1:])
		case '!':
			x.WaitUntil(soon, "no "+k[1:], func(screen string) bool { return !strings.Contains(screen, k[1:]) })
		default:
			x.Send(k)
		}
	}
}

// resize looks at a run while the terminal becomes another, and smaller than anything can be
// shown in.
func (d *dashboard) resize(t *testing.T) {
	x := d.open(t, 80, 24, time.Hour)
	press(x, []string{runsTab, "/", "=id:order-2001", "Enter", "~◌ waiting", "Enter"})
	x.WaitFor(soon, "approval", "waits for approved")
	x.Resize(200, 50)
	x.WaitFor(soon, "graph and gantt", "approval", "waits for approved")
	x.Resize(40, 10)
	x.WaitFor(soon, "too small")
	x.Resize(80, 24)
	x.WaitFor(soon, "approval", "waits for approved")
}

// act cancels a run, sends a signal to another one, and leaves.
func (d *dashboard) act(t *testing.T) {
	x := d.open(t, 80, 24, time.Second)
	press(x, []string{runsTab, "/", "=id:order-2002", "Enter"})
	x.WaitUntil(soon, "only that run", func(s string) bool {
		return strings.Count(s, " order-2002 ") == 1 && !strings.Contains(s, "order-2003")
	})
	press(x, []string{"C"})
	x.WaitFor(soon, "Cancel run order-2002", "y yes")
	press(x, []string{"n"})
	x.WaitUntil(soon, "no question", func(s string) bool { return !strings.Contains(s, "y yes") })
	d.wantRun(t, "order-2002", workflow.Running)
	press(x, []string{"C", "y"})
	x.WaitFor(soon, "⊗ cancelled")
	d.wantRun(t, "order-2002", workflow.Cancelled)

	press(x, []string{"/", "C-u", "=id:order-2005", "Enter", "!order-2002", "~◌ waiting"})
	press(x, []string{"Enter"})
	x.WaitFor(soon, "waits for approved")
	press(x, []string{"s", "C-u", `={"by":"ann"}`, "Enter"})
	x.WaitFor(soon, "✓ done")
	d.wantRun(t, "order-2005", workflow.Done)

	press(x, []string{"q", "q"})
	if c := x.Await(soon); c.Code != 0 || c.Alternate || c.Mouse || !c.Cursor {
		t.Errorf("the terminal is left as %+v, want code 0 and all as it was", c)
	}
}

// wantRun waits until a run is in a state.
func (d *dashboard) wantRun(t *testing.T, id string, want workflow.State) {
	t.Helper()
	h := workflow.OpenRun(queue.NewClient(d.broker), "flows", id)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		s, err := h.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.State == want {
			return
		}
		if time.Since(began) > soon {
			t.Fatalf("run %s is %s, want %s", id, s.State, want)
		}
	}
}

// silence stops Redis while the dashboard is looked at: keys are answered, what is shown
// becomes old, an error is told, and all is well again afterwards.
func (d *dashboard) silence(t *testing.T) {
	x := d.open(t, 80, 24, 500*time.Millisecond)
	redis := d.server.Process(t)
	if err := redis.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer redis.Signal(syscall.SIGCONT) //nolint:errcheck // it may go on already
	old := regexp.MustCompile(`[3-9]s old|\d\ds old`)
	x.WaitUntil(soon, "an age of three seconds", old.MatchString)
	press(x, []string{"?"})
	x.WaitFor(soon, "this help")
	press(x, []string{"q"})
	x.WaitFor(soon, "✗ ", "billing")
	if err := redis.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	x.WaitUntil(soon, "no error", func(s string) bool {
		return !strings.Contains(s, "✗ ") && regexp.MustCompile(`[01]s old`).MatchString(s)
	})
	press(x, []string{"q"})
	if c := x.Await(soon); c.Code != 0 {
		t.Errorf("the code is %d, want 0", c.Code)
	}
}

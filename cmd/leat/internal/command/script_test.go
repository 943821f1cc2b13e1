package command_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leatwork/leat/cmd/leat/internal/command"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/workflow"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){
		"leat": func() { os.Exit(command.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// tests are all tests, and the end of what they share.
type tests struct{ testscript.TestingM }

func (t tests) Run() int {
	defer func() {
		for _, dir := range builds {
			os.RemoveAll(dir)
		}
	}()
	return t.TestingM.Run()
}

// TestScripts plays every script of testdata/script on each storage. A script has an
// empty storage of its own, which LEAT_BROKER names; the condition [redis] or [sqlite]
// says which it is, "exits CODE leat …" demands that leat exits with a code, "queues
// PATTERN..." waits until there are queues of such names, and no others, and "awaits RUN
// STATE" until a run of the queue orders is in a state. "redis COMMAND..." has a Redis
// carry out a command.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob() = %q, %v, want scripts", files, err)
	}
	for storage, start := range map[string]func(*testing.T) stage{"redis": onRedis, "sqlite": onSQLite} {
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".txtar")
			t.Run(storage+"/"+name, func(t *testing.T) {
				t.Parallel()
				play(t, file, start(t))
			})
		}
	}
}

// A stage is a storage on which a script is played.
type stage struct {
	url   string
	redis *redistest.Server // nil: it is a file of SQLite
}

func onRedis(t *testing.T) stage {
	s := redistest.Start(t, redistest.Options{})
	return stage{s.URL(), s}
}

func onSQLite(t *testing.T) stage {
	return stage{"sqlite:" + filepath.Join(t.TempDir(), "leat.db"), nil}
}

// play plays one script.
func play(t *testing.T, file string, on stage) {
	b, err := brokerurl.Open(on.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // scripts go on when Run has returned
	testscript.Run(t, testscript.Params{
		Files:               []string{file},
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LEAT_BROKER", on.url)
			return nil
		},
		Condition: func(name string) (bool, error) { return (name == "redis") == (on.redis != nil), nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fill":   func(ts *testscript.TestScript, _ bool, args []string) { fill(ts, t.Context(), b, args) },
			"exits":  exits,
			"fewer":  func(ts *testscript.TestScript, _ bool, args []string) { awaitFewer(ts, t.Context(), b, args) },
			"gone":   func(ts *testscript.TestScript, _ bool, args []string) { wantGone(ts, t.Context(), b, args) },
			"awaits": func(ts *testscript.TestScript, _ bool, args []string) { awaits(ts, t.Context(), b, args) },
			"redis":  func(_ *testscript.TestScript, _ bool, args []string) { on.redis.Do(t, args...) },
			"queues": func(ts *testscript.TestScript, _ bool, args []string) { wantQueues(ts, t.Context(), b, args) },
		},
	})
}

// fill stores what each of the names in args stands for.
func fill(ts *testscript.TestScript, ctx context.Context, b broker.Broker, args []string) {
	for _, name := range args {
		f, ok := fillings[name]
		if !ok {
			ts.Fatalf("fill: there is no filling %q", name)
		}
		ts.Check(f(ctx, b))
	}
}

// exits runs a program and demands that it exits with a code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%s exits with %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// wantQueues waits until each queue matches one of the patterns, and each pattern one.
func wantQueues(ts *testscript.TestScript, ctx context.Context, b broker.Broker, patterns []string) {
	i := queue.NewInspector(b)
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		names, err := i.Queues(ctx)
		ts.Check(err)
		if slices.EqualFunc(names, patterns, func(name, pattern string) bool {
			return regexp.MustCompile("^" + pattern + "$").MatchString(name)
		}) {
			return
		}
		if time.Since(began) > 20*time.Second {
			ts.Fatalf("there are queues %q, want %q", names, patterns)
		}
	}
}

// awaits waits until a run is in a state.
func awaits(ts *testscript.TestScript, ctx context.Context, b broker.Broker, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: awaits RUN STATE")
	}
	run := workflow.OpenRun(queue.NewClient(b), "orders", args[0])
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		status, err := run.Status(ctx)
		if err == nil && status.State == workflow.State(args[1]) {
			return
		}
		if time.Since(began) > 20*time.Second {
			ts.Fatalf("run %s is %q, %v, want %s", args[0], status.State, err, args[1])
		}
	}
}

// size returns how many tasks a queue holds.
func size(ts *testscript.TestScript, ctx context.Context, b broker.Broker, name string) int {
	infos, err := queue.NewInspector(b).Figures(ctx, name)
	ts.Check(err)
	return infos[0].Size()
}

// awaitFewer waits until a queue holds fewer tasks than so many.
func awaitFewer(ts *testscript.TestScript, ctx context.Context, b broker.Broker, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fewer QUEUE COUNT")
	}
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	for began := time.Now(); size(ts, ctx, b, args[0]) >= most; time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			ts.Fatalf("queue %s does not hold fewer than %d tasks", args[0], most)
		}
	}
}

// wantGone demands that as many of a queue's tasks are gone as the program has said last
// on its standard error: some, and not all.
func wantGone(ts *testscript.TestScript, ctx context.Context, b broker.Broker, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: gone QUEUE COUNT-BEFORE")
	}
	before, err := strconv.Atoi(args[1])
	ts.Check(err)
	said := regexp.MustCompile(`stopped: (\d+) of (\d+) deleted`).FindStringSubmatch(ts.ReadFile("stderr"))
	if said == nil {
		ts.Fatalf("it did not say how many are gone")
	}
	gone := before - size(ts, ctx, b, args[0])
	if said[1] != strconv.Itoa(gone) || said[2] != args[1] || gone == 0 || gone == before {
		ts.Fatalf("it said that %s of %s are gone, and %d of %d are", said[1], said[2], gone, before)
	}
}

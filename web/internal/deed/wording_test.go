package deed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/api"
	"github.com/leatwork/leat/web/internal/deed"
)

// inFile returns a world in a file that other programs may open, and its address.
func inFile(t *testing.T) (w *world, address string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "leat.db")
	b, err := sqlitebroker.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return newWorld(t, b), "sqlite:" + path
}

// shell has a shell carry out a line.
func (w *world) shell(line, dir, address string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-e", "-c", line)
	c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "LEAT_BROKER="+address, "LEAT_CONFIG=", "HOME="+dir)
	if out, err := c.CombinedOutput(); err != nil {
		w.Errorf("%s: %v: %s", line, err, out)
	}
}

// build builds a program, of files that overlay those of this module.
func build(t *testing.T, out, what string, overlay map[string]string) {
	t.Helper()
	args := []string{"build", "-o", out}
	if overlay != nil {
		text, err := json.Marshal(map[string]any{"Replace": overlay})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "overlay.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-overlay", file)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "go", append(args, what)...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
}

// wording returns how a row is written down for a target.
func (r row) wording(w *world, t deed.Target) deed.Wording {
	d := w.find(r.kind, r.name)
	o := deed.Wording{Deed: d, Args: r.argsFor(w, t)}
	if !d.New {
		o.Targets = []deed.Target{t}
	}
	if d.Name == "clone" {
		o.Of = w.task(t)
	}
	return o
}

// rowsOn runs each row in a world of its own, as act does it in another way than a Doer.
func rowsOn(t *testing.T, act func(w *world, address string, o deed.Wording)) {
	for i, r := range rows() {
		t.Run(fmt.Sprintf("%s %s %d", r.kind, r.name, i), func(t *testing.T) {
			w, address := inFile(t)
			var target deed.Target
			if r.target != nil {
				target = r.target(w)
			}
			act(w, address, r.wording(w, target))
			if !t.Failed() {
				r.seen(w, target)
			}
		})
	}
}

func TestTheCommandDoesTheSame(t *testing.T) {
	dir := t.TempDir()
	build(t, filepath.Join(dir, "leat"), "github.com/leatwork/leat/cmd/leat", nil)
	rowsOn(t, func(w *world, address string, o deed.Wording) {
		line := o.Command()
		if o.Deed.Kind == deed.View { // they are of the dashboard only
			if line != "" || o.Go() != "" {
				w.Errorf("the command is %q, and the program %q", line, o.Go())
			}
			_, err := w.d.Many(w.Context(), admin, o.Deed, o.Targets, o.Args)
			if o.Deed.New {
				_, err = w.d.Perform(w.Context(), admin, o.Deed, deed.Target{}, o.Args)
			}
			w.need(err)
			return
		}
		if !strings.Contains(line, "leat ") {
			w.Fatalf("the command is %q", line)
		}
		w.shell(line, dir, address)
	})
	for _, c := range []struct {
		bulk deed.Bulk
		want task.State
		n    int
	}{
		{deed.Bulk{Deed: "archive", Query: "queue:mail payload.card.number:3"}, task.Archived, 10},
		{deed.Bulk{Deed: "run", Query: "queue:mail"}, task.Pending, 70},
		{deed.Bulk{Deed: "reschedule", Query: "queue:mail payload.n<5", Args: map[string]string{"at": "2h"}}, task.Scheduled, 5},
		{deed.Bulk{Deed: "delete", Query: ""}, task.Pending, 0},
	} {
		t.Run("all "+c.bulk.Deed, func(t *testing.T) {
			w, address := inFile(t)
			w.fill("mail", 70)
			w.shell(deed.Wording{Deed: w.find(deed.Task, c.bulk.Deed), All: true, Query: c.bulk.Query, Args: c.bulk.Args}.Command(), dir, address)
			if got := w.in("mail", c.want); got != c.n {
				t.Errorf("%d are %s, want %d", got, c.want, c.n)
			}
		})
	}
}

func TestTheRequestDoesTheSame(t *testing.T) {
	rowsOn(t, func(w *world, _ string, o deed.Wording) {
		h := api.New(api.Config{Storage: w.s, Doer: w.d})
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(rw, r.WithContext(access.With(r.Context(), admin)))
		}))
		defer s.Close()
		w.shell(strings.ReplaceAll(o.Curl(s.URL+api.Prefix), "curl ", "curl -fsS "), "/", "")
	})
}

// caller is a program that does the one of some deeds that its first argument names.
const caller = `package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

var (
	_ = json.Valid
	_ = time.Now
	_ = periodic.Skip
	_ = queue.NewClient
	_ = task.New
	_ = workflow.OpenRun
)

var deeds = map[string]func(ctx context.Context, b broker.Broker) error{
%s}

func main() {
	b, err := brokerurl.Open(os.Getenv("LEAT_BROKER"))
	if err == nil {
		err = deeds[os.Args[1]](context.Background(), b)
	}
	if err != nil {
		log.Fatal(err)
	}
}
`

func TestTheGoDoesTheSame(t *testing.T) {
	type scene struct {
		w       *world
		address string
		r       row
		target  deed.Target
	}
	var scenes []scene
	var bodies strings.Builder
	for i, r := range rows() {
		if r.kind == deed.View {
			continue // they are of the dashboard only, and the last rows
		}
		w, address := inFile(t)
		x := scene{w: w, address: address, r: r}
		if r.target != nil {
			x.target = r.target(w)
		}
		fmt.Fprintf(&bodies, "%q: func(ctx context.Context, b broker.Broker) error {\n%s\n},\n", fmt.Sprint(i), r.wording(w, x.target).Go())
		scenes = append(scenes, x)
	}
	many := deed.Wording{Deed: scenes[0].w.find(deed.Task, "archive"), All: true, Query: "queue:mail state:pending"}
	fmt.Fprintf(&bodies, "\"many\": func(ctx context.Context, b broker.Broker) error {\n%s\n},\n", many.Go())
	several := deed.Wording{Deed: many.Deed, Targets: []deed.Target{{Queue: "a", ID: "b"}, {Queue: "c", ID: "d"}}}
	fmt.Fprintf(&bodies, "\"several\": func(ctx context.Context, b broker.Broker) error {\n%s\n},\n", several.Go())

	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, fmt.Appendf(nil, caller, bodies.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("caller/main.go")
	if err != nil {
		t.Fatal(err)
	}
	build(t, filepath.Join(dir, "caller"), "./caller", map[string]string{here: source})
	for i, x := range scenes {
		t.Run(fmt.Sprintf("%s %s %d", x.r.kind, x.r.name, i), func(t *testing.T) {
			w := x.w.on(t)
			w.shell("caller "+fmt.Sprint(i), dir, x.address)
			if !t.Failed() {
				x.r.seen(w, x.target)
			}
		})
	}
	w, address := inFile(t)
	w.fill("mail", 5)
	w.shell("caller many", dir, address)
	if got := w.in("mail", task.Archived); got != 5 {
		t.Errorf("%d are archived, want 5", got)
	}
}

func TestWhatIsWrittenForAShellIsNoMoreThanThat(t *testing.T) {
	w, address := inFile(t)
	evil := "a'; touch " + filepath.Join(t.TempDir(), "harm") + " #`$(exit 3)`\n\"\\"
	enqueue := w.find(deed.Task, "enqueue")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "leat"), []byte("#!/bin/sh\nprintf '%s\\0' \"$@\" > \"$HOME/words\"\n"), 0o700); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
	w.shell(deed.Wording{Deed: enqueue, Args: map[string]string{"type": evil, "payload": evil}}.Command(), dir, address)
	words, err := os.ReadFile(filepath.Join(dir, "words"))
	if err != nil || string(words) != strings.Join([]string{"task", "enqueue", "--type-name", evil, "--payload", evil, ""}, "\x00") {
		t.Errorf("leat was given %q, %v", words, err)
	}
}

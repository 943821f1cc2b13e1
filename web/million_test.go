//go:build soak

package web_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

var (
	million = flag.Int("tasks", 1_000_000, "how many tasks there are")
	only    = flag.String("only", "", "Redis or SQLite; none: both")
	figures = flag.String("figures", "", "file that the figures are written to")
)

const (
	// slowestPage is how long 19 of 20 requests for a page may take at most.
	slowestPage = 200 * time.Millisecond

	// perPage is how often each page is asked for.
	perPage = 50

	// leastRefresh is how often a dashboard may be brought up to date. What is shared is
	// kept for half of it, so that who asks after that has it read anew.
	leastRefresh = 500 * time.Millisecond
)

// TestPagesOfAMillionTasks asks for each page of a storage that is large. Of 50 requests
// for it, each of which has everything read anew, 95 in 100 may take 200 ms.
func TestPagesOfAMillionTasks(t *testing.T) {
	rows := map[string][]string{}
	for _, kind := range measured() {
		t.Run(kind, func(t *testing.T) {
			b := storages[kind](t)
			began := time.Now()
			startLarge(t, b)
			t.Logf("the large run stands after %v", time.Since(began).Round(time.Second))
			stocked(t, b, *million)
			t.Logf("filled after %v", time.Since(began).Round(time.Second))
			s := serve(t, b, web.Config{Refresh: leastRefresh})
			for _, path := range largePages {
				rows[path] = append(rows[path], s.measure(path))
			}
		})
	}
	writeFigures(t, rows)
}

// largePages are the pages that are measured.
var largePages = []string{
	"/",
	"/?range=90d",
	"/queues",
	"/queue?name=default",
	"/queue?name=default&range=90d",
	"/tasks",
	"/tasks?q=state:pending",
	"/tasks?q=queue:default%20state:pending",
	"/tasks?q=state:completed%20type:stats:visit",
	"/tasks?q=queue:default%20error~shard",
	"/tasks?q=id:default-000001",
	"/tasks?q=nowhere",
	"/task?queue=default&id=default-000001",
	"/groups",
	"/group?queue=mail&name=weekly",
	"/servers",
	"/entries",
	"/entry?name=sweep",
	"/runs",
	"/runs?q=state:running",
	"/run?queue=large&id=large",
	"/run?queue=flows&id=year-end-2026",
	"/storage",
	"/audit",
	"/settings",
}

// measure returns how long 95 of 100 requests for a page take, and fails the test if that is
// too long.
func (s *site) measure(path string) string {
	s.Helper()
	took := make([]time.Duration, perPage)
	var size int64
	for i := range took {
		time.Sleep(leastRefresh/2 + 10*time.Millisecond)
		began := time.Now()
		answer, err := http.Get(s.server.URL + path)
		if err != nil {
			s.Fatal(err)
		}
		size, err = io.Copy(io.Discard, answer.Body)
		took[i] = time.Since(began)
		if answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
			s.Errorf("%s: %s, %v", path, answer.Status, err)
			return "–"
		}
	}
	slices.Sort(took)
	p95 := took[perPage*95/100]
	s.Logf("%-50s p50 %8v  p95 %8v  most %8v  %d bytes", path, short(took[perPage/2]), short(p95), short(took[perPage-1]), size)
	if p95 > slowestPage {
		s.Errorf("%s takes %v, may take %v", path, p95, slowestPage)
	}
	return fmt.Sprintf("%v | %v | %d kB", short(took[perPage/2]), short(p95), size/1000)
}

func short(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

func writeFigures(t *testing.T, rows map[string][]string) {
	if *figures == "" {
		return
	}
	var table strings.Builder
	for _, path := range largePages {
		fmt.Fprintf(&table, "| `%s` | %s |\n", path, strings.Join(rows[path], " | "))
	}
	text := fmt.Sprintf(`# The dashboard of %d tasks

Measured by `+"`make web-million`"+` on %s, with the storage on the same machine: how long each of
%d requests for a page took, one after the other, all of it read anew. 95 of 100 may take %v. The load of the machine, of
%d processors, was %s when the last was done.
Beside the tasks there is a run of a thousand steps and of a map of ten thousand tasks.

%s
%s`, *million, time.Now().Format(time.DateOnly), perPage, slowestPage, runtime.NumCPU(), load(), heading(), table.String())
	if err := os.WriteFile(*figures, []byte(text), 0o644); err != nil {
		t.Error(err)
	}
}

// load is how many processes wanted a processor in the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}

// measured returns the kinds of storage that are measured, in the order of the columns.
func measured() (kinds []string) {
	for _, kind := range slices.Sorted(maps.Keys(storages)) {
		if *only == "" || *only == kind {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func heading() string {
	head, rule := "| page |", "|---|"
	for _, name := range measured() {
		head += fmt.Sprintf(" %s: half of them | 95 of 100 | size |", name)
		rule += "---|---|---|"
	}
	return head + "\n" + rule
}

// How large the large run is.
const (
	largeMap   = 10_000
	columns    = 40 // runs within it
	columnEach = 25 // steps of each
	lasting    = 20 // tasks of the map that never end
	largeQueue = "large"
)

var (
	numbers = largeStep("numbers", func(_ context.Context, n int) ([]int, error) {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all, nil
	})
	item = largeStep("item", func(ctx context.Context, n int) (int, error) {
		if n%(largeMap/lasting) == 0 {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return n, nil
	})
	add = largeStep("add", func(_ context.Context, n int) (int, error) { return n + 1, nil })
)

func largeStep[In, Out any](name string, f func(context.Context, In) (Out, error)) workflow.Step[In, Out] {
	return workflow.NewStep(name, f, task.Queue(largeQueue), task.MaxRetry(1), task.NoTimeout())
}

// column is a workflow of steps one after the other.
var column = dag.New("column", func(g *dag.Graph, n dag.Val[int]) dag.Val[int] {
	for i := range columnEach {
		n = dag.Do(g, add, n, dag.As(fmt.Sprintf("add-%02d", i+1)))
	}
	return n
}, workflow.Queue(largeQueue))

// large is a workflow of a thousand steps in runs within its run, and of a map beside them.
var large = dag.New("large", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	items := dag.Map(g, item, dag.Do(g, numbers, in), dag.As("items"))
	inner := dag.Map(g, column, dag.Do(g, numbers, dag.Const(g, columns), dag.As("list-columns")), dag.As("columns"))
	return dag.Do(g, add, dag.Join2(g, items, inner, func(a, b []int) int { return len(a) + len(b) }), dag.As("sum"))
}, workflow.Queue(largeQueue))

// startLarge starts a large run, and a server for it, and returns when all of it has ended
// that does.
func startLarge(t *testing.T, b broker.Broker) {
	t.Helper()
	server, err := queue.NewServer(b, queue.Config{
		Concurrency: 64, Queues: map[string]int{largeQueue: 1}, ShutdownTimeout: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := task.NewMux()
	workflow.Register(mux, large, column)
	if err := server.Start(mux); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	run, err := large.Start(t.Context(), queue.NewClient(b), largeMap, workflow.RunID("large"))
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(time.Second) {
		s, err := run.Handle.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if hasCome(s) {
			return
		}
		if time.Since(began) > 15*time.Minute {
			t.Fatal("the large run does not get on")
		}
	}
}

// hasCome reports whether of the large run only what never ends is under way.
func hasCome(s workflow.Status) bool {
	ended := map[string]int{}
	for _, step := range s.Steps {
		ended[step.Name] = step.Ended
	}
	return ended["items"] == largeMap-lasting && ended["columns"] == columns
}

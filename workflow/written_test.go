package workflow_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A scribe is a broker that writes down the changes of one run as they take effect.
type scribe struct {
	broker.Broker
	run string

	mu    sync.Mutex
	lines []string
	tags  []string // of the run, in the order in which they came
}

func (s *scribe) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	applied, err := s.Broker.Apply(ctx, now, changes, want)
	if err == nil {
		for i, c := range changes {
			if applied.Outcomes[i] == nil && s.about(c) {
				s.write(now, c)
			}
		}
	}
	return applied, err
}

func (s *scribe) about(c broker.Change) bool {
	if c.Home.ID == s.run {
		return true
	}
	return slices.ContainsFunc(c.Settle, func(x broker.Settlement) bool { return x.Entry.Home.ID == s.run }) ||
		slices.ContainsFunc(c.Move, func(m broker.Move) bool { return strings.HasPrefix(m.ID, s.run+"~") })
}

var controlState = regexp.MustCompile(`"state":"([^"]*)"`)

// write writes down c. What settles one entry stands together.
func (s *scribe) write(now time.Time, c broker.Change) {
	var b strings.Builder
	fmt.Fprint(&b, "change")
	for _, x := range c.Settle {
		fmt.Fprintf(&b, "\n  settle %s as %s", s.name(x.Entry.ID), x.To)
	}
	for _, r := range c.Require {
		fmt.Fprintf(&b, "\n  require %s", r.Key)
	}
	for _, p := range c.Put {
		fmt.Fprintf(&b, "\n  put %s", p.Key)
		if p.Key == "~run" {
			fmt.Fprintf(&b, " (%s)", controlState.FindSubmatch(p.Body)[1])
		}
	}
	for _, l := range c.Open {
		fmt.Fprintf(&b, "\n  open %s of %d, window %d, stop at %d", l.ID, l.Total, l.Window, l.StopAt)
	}
	for _, e := range c.Enqueue {
		fmt.Fprintf(&b, "\n  enqueue %s", s.name(e.ID))
		if e.DueAt.After(now) {
			fmt.Fprintf(&b, " in %v", e.DueAt.Sub(now).Round(time.Minute))
		}
	}
	for _, f := range c.Feed {
		for _, e := range f.Entries {
			fmt.Fprintf(&b, "\n  feed %s", s.name(e.ID))
		}
	}
	for _, a := range c.Arrive {
		fmt.Fprintf(&b, "\n  arrive %s.%d marked %v", a.Latch, a.Member, a.Mark)
	}
	for _, m := range c.Move {
		fmt.Fprintf(&b, "\n  %s %s", m.Do, s.name(m.ID))
	}
	for _, e := range c.Drain {
		fmt.Fprintf(&b, "\n  drain to %s", s.name(e.ID))
	}
	if !c.Close.IsZero() {
		fmt.Fprint(&b, "\n  close")
	}
	s.lines = append(s.lines, b.String())
}

// name returns an id with the run's tags numbered, and without what is random.
func (s *scribe) name(id string) string {
	parts := strings.Split(strings.TrimPrefix(id, s.run+"~"), "~")
	i := slices.Index(s.tags, parts[0])
	if i < 0 {
		i, s.tags = len(s.tags), append(s.tags, parts[0])
	}
	parts[0] = fmt.Sprint(i)
	if strings.Contains(id, "~~rebuild~") {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, "~")
}

// afterwards is a step that takes a minute, and fails for good if it is given 13.
var afterwards = workflow.NewStep("afterwards", func(_ context.Context, n int) (int, error) {
	time.Sleep(time.Minute)
	if n == 13 {
		return 0, fmt.Errorf("%w: %w", errSome, task.SkipRetry)
	}
	return n, nil
})

// TestHowARunIsWrittenDown tells, change by change, what runs of several stories commit.
func TestHowARunIsWrittenDown(t *testing.T) {
	undo := workflow.NewStep("undo", func(context.Context, workflow.Undo[int, int]) (workflow.None, error) {
		time.Sleep(time.Minute)
		return workflow.None{}, nil
	})
	unlucky := true
	moody := workflow.NewStep("moody", func(_ context.Context, n int) (int, error) {
		time.Sleep(time.Minute)
		if unlucky {
			return 0, fmt.Errorf("%w: %w", errSome, task.SkipRetry)
		}
		return n, nil
	})
	chain := dag.New("told", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, afterwards, dag.Do(g, afterwards, dag.Do(g, afterwards, in)))
	})
	waits := dag.New("told", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, afterwards, dag.AwaitOr(g, approval, time.Hour, 7))
	})
	for name, c := range map[string]struct {
		w     flow
		in    int
		story func(t *testing.T, run workflow.Run[int])
	}{
		"chain":       {chain, 1, func(*testing.T, workflow.Run[int]) {}},
		"chain-fails": {chain, 13, func(*testing.T, workflow.Run[int]) {}},
		"chain-cancelled": {chain, 1, func(t *testing.T, run workflow.Run[int]) {
			time.Sleep(90 * time.Second)
			must(t, run.Cancel(t.Context()))
		}},
		"chain-paused": {chain, 1, func(t *testing.T, run workflow.Run[int]) {
			time.Sleep(90 * time.Second)
			must(t, run.Pause(t.Context()))
			time.Sleep(time.Hour)
			must(t, run.Resume(t.Context()))
		}},
		"retried": {dag.New("told", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, afterwards, dag.Do(g, moody, dag.Do(g, afterwards, in)))
		}), 1, func(t *testing.T, run workflow.Run[int]) {
			_ = run.Wait(t.Context())
			unlucky = false
			must(t, run.Retry(t.Context()))
		}},
		"undone": {dag.New("told", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			reversible := workflow.Reversible(afterwards, undo)
			two := dag.Do(g, reversible, dag.Do(g, reversible, in))
			return dag.Do(g, reversible, dag.Pick(g, two, func(int) int { return 13 }))
		}), 1, func(*testing.T, workflow.Run[int]) {}},
		"signalled": {waits, 1, func(t *testing.T, run workflow.Run[int]) {
			time.Sleep(time.Minute)
			must(t, approval.Send(t.Context(), run, 2))
		}},
		"signalled-before": {dag.New("told", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.AwaitOr(g, approval, time.Hour, 7, dag.After(dag.Do(g, afterwards, in)))
		}), 1, func(t *testing.T, run workflow.Run[int]) {
			time.Sleep(30 * time.Second)
			must(t, approval.Send(t.Context(), run, 2))
		}},
		"timed-out": {waits, 1, func(*testing.T, workflow.Run[int]) {}},
		"first": {dag.New("told", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			won := dag.First(g, []dag.Val[int]{dag.Do(g, late, in), dag.Do(g, afterwards, in)}, dag.CancelLosers())
			return dag.Do(g, afterwards, won, dag.As("then"))
		}), 1, func(*testing.T, workflow.Run[int]) {}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				unlucky = true
				s := &scribe{Broker: b, run: "r"}
				mux := task.NewMux()
				workflow.Register(mux, c.w)
				serveHandler(t, s, mux)
				run, err := c.w.Start(t.Context(), queue.NewClient(s), c.in, workflow.RunID("r"))
				if err != nil {
					t.Fatal(err)
				}
				c.story(t, run)
				_ = run.Wait(t.Context())
				time.Sleep(time.Minute)
				s.mu.Lock()
				defer s.mu.Unlock()
				compare(t, filepath.Join("testdata", "written", name+".txt"), strings.Join(s.lines, "\n")+"\n")
			})
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// compare demands that a file has a text, or writes it.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

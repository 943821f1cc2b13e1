package workflow_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// What cannot be read is parked: it is lost to nobody, and its run shows it. The other
// ends are in ends_test.go; a storage in memory holds nothing that cannot be read.
func TestAStepThatCannotBeReadIsShownByItsRunWhichItsDeadlineEnds(t *testing.T) {
	alone := func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) }
	for name, build := range map[string]func(*dag.Graph, dag.Val[int]) dag.Val[int]{
		"plain": alone,
		"tried": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Pick(g, dag.Try(g, alone(g, in)), mark) },
		"an item": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, sum, dag.Map(g, double, dag.Const(g, []int{1})))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, prefix := redistest.Shared(t), redistest.Prefix()
			b, err := redisbroker.Open(server.URL(), &redisbroker.Options{Prefix: prefix})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			w := dag.New("unreadable", build)
			c := queue.NewClient(b)
			run, err := w.Start(t.Context(), c, 1, workflow.RunDeadline(5*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			damage(t, server, prefix, w, b)
			serve(t, b, w)
			time.Sleep(time.Second)
			s, err := run.Status(t.Context())
			if s.State != workflow.Running || err != nil || name != "an item" && !strings.Contains(s.Steps[0].Problem, "parked") {
				t.Errorf("Status() = %+v, %v, want a run that goes on and shows what is parked", s, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if failed, ok := errors.AsType[*workflow.RunError](run.Wait(ctx)); !ok || failed.State != workflow.TimedOut {
				t.Errorf("Wait() = %v, want that it is too late", failed)
			}
			settle(t, b)
			page, err := b.OpenEntries(t.Context(), broker.OpenRequest{Home: broker.Home{Queue: "default", ID: run.ID}, Limit: 10})
			if len(page.Entries) > 0 || err != nil {
				t.Errorf("%v is open of the run, %v, want nothing", page.Entries, err)
			}
		})
	}
}

// damage makes the run's one step unreadable before a worker gets it.
func damage(t *testing.T, server *redistest.Server, prefix string, w workflow.Registrable, b broker.Broker) {
	t.Helper()
	pending := prefix + ":{default}:pending"
	if server.Do(t, "LLEN", pending) == "0" { // it is fed by a decide
		if _, err := b.Pause(t.Context(), time.Now(), "default", true); err != nil {
			t.Fatal(err)
		}
		serve(t, b, w)
		for server.Do(t, "LLEN", pending) == "0" {
			time.Sleep(10 * time.Millisecond)
		}
		defer func() {
			if _, err := b.Pause(t.Context(), time.Now(), "default", false); err != nil {
				t.Fatal(err)
			}
		}()
	}
	server.Do(t, "HSET", prefix+":{default}:t:"+server.Do(t, "LINDEX", pending, "0"), "msg", "garbage")
}

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
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// The tools of asynq know nothing of runs: they delete and archive without a word.
func TestARunHearsOfWhatAsynqsToolsHaveRemoved(t *testing.T) {
	unserved := dag.New("unserved", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) })
	for name, remove := range map[string]func(t *testing.T, s *redistest.Server, prefix, id string){
		"deleted": func(t *testing.T, s *redistest.Server, prefix, id string) {
			s.Do(t, "LREM", prefix+":{default}:pending", "0", id)
			s.Do(t, "DEL", prefix+":{default}:t:"+id)
		},
		"archived by hand": func(t *testing.T, s *redistest.Server, prefix, id string) {
			s.Do(t, "LREM", prefix+":{default}:pending", "0", id)
			s.Do(t, "ZADD", prefix+":{default}:archived", "1700000000", id)
			s.Do(t, "HSET", prefix+":{default}:t:"+id, "state", "archived")
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, prefix := redistest.Shared(t), redistest.Prefix()
			b, err := redisbroker.Open(server.URL(), &redisbroker.Options{Prefix: prefix})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			run, err := unserved.Start(t.Context(), queue.NewClient(b), 1)
			if err != nil {
				t.Fatal(err)
			}
			remove(t, server, prefix, server.Do(t, "LINDEX", prefix+":{default}:pending", "0"))
			if mended, err := workflow.SweepTwice(t.Context(), b, unserved); mended != 1 || err != nil {
				t.Fatalf("%d mended, %v, want one", mended, err)
			}
			serve(t, b, unserved)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if _, err := run.Result(ctx); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), name) {
				t.Errorf("Result() = %v, want ErrRunFailed because a step was %s", err, name)
			}
			if faults, err := b.Verify(t.Context(), time.Now()); len(faults) > 0 || err != nil {
				t.Errorf("Verify() = %q, %v, want nothing", faults, err)
			}
		})
	}
}

func TestARunOfWhichNothingIsOpenIsPutOnAgain(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix()
	b, err := redisbroker.Open(server.URL(), &redisbroker.Options{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	w := dag.New("forlorn", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) })
	run, err := w.Start(t.Context(), queue.NewClient(b), 1)
	if err != nil {
		t.Fatal(err)
	}
	id := server.Do(t, "LINDEX", prefix+":{default}:pending", "0")
	server.Do(t, "DEL", prefix+":{default}:pending", prefix+":{default}:t:"+id, prefix+":{default}:leat:open:"+run.ID)
	if _, err := workflow.SweepTwice(t.Context(), b, w); err == nil || !strings.Contains(err.Error(), "nothing open") {
		t.Errorf("sweep = %v, want one that says so", err)
	}
	serve(t, b, w)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if got, err := run.Result(ctx); got != 2 || err != nil {
		t.Errorf("Result() = %d, %v, want 2", got, err)
	}
}

func TestARegistrationTellsOfItsSweeps(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		mux := task.NewMux()
		r := workflow.Register(mux, shapes["chain"], awaits)
		c := serveHandler(t, b, mux)
		waits, err := awaits.Start(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Sweeps(); len(got) != 0 {
			t.Errorf("Sweeps() at the beginning = %v, want none", got)
		}
		time.Sleep(2 * time.Minute)
		got := r.Sweeps()
		if len(got) != 2 || got[0].Workflow != "awaits" || got[0].Runs != 1 || got[0].Mended != 0 || time.Since(got[0].Ended) > 30*time.Second {
			t.Errorf("Sweeps() = %+v, want two, the first of which has looked at one run", got)
		}
		if err := waits.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

var awaits = dag.New("awaits", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	return dag.Await(g, workflow.NewSignal[int]("answer"), 0)
})

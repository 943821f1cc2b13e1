package query_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

var echo = workflow.NewStep("echo", func(_ context.Context, n int) (int, error) { return n, nil })

func flow(name, beside string) workflow.Workflow[int, int] {
	return dag.New(name, func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, echo, in) }, workflow.Queue(beside))
}

// start starts runs of two workflows beside two queues, and returns what is stored of them.
func start(t *testing.T, b broker.Broker, n int) (runs []workflow.Summary) {
	t.Helper()
	c := queue.NewClient(b)
	for i := range n {
		f := flow([]string{"order", "refund"}[i%2], []string{"low", "mail"}[i/2%2])
		if _, err := f.Start(t.Context(), c, i, workflow.RunID(fmt.Sprintf("run-%02d", i)), workflow.Attribute("n", fmt.Sprint(i%5))); err != nil {
			t.Fatal(err)
		}
	}
	for _, beside := range []string{"low", "mail"} {
		page, err := workflow.Runs(t.Context(), c, workflow.RunsRequest{Queue: beside, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, page.Runs...)
	}
	if len(runs) != n {
		t.Fatalf("started %d runs, and %d are there", n, len(runs))
	}
	slices.SortFunc(runs, func(r, s workflow.Summary) int {
		return cmp.Or(broker.CeilMilli(s.Started).Compare(broker.CeilMilli(r.Started)), strings.Compare(s.ID, r.ID))
	})
	return runs
}

// find returns what searches find, each of which takes one step, if they are a relay, or
// else one search in many.
func find(t *testing.T, s query.RunSearch, isRelay bool, random *rand.Rand) (found []string) {
	t.Helper()
	for now, scanned := s, 0; ; {
		most, budget := 1+random.IntN(5), 1+random.IntN(9)
		step, err := now.Next(t.Context(), most, budget)
		if err != nil {
			t.Fatal(err)
		}
		if len(step.Runs) > most || step.Scanned > scanned+budget {
			t.Errorf("asked for %d of %d, it tells %d and has looked at %d more", most, budget, len(step.Runs), step.Scanned-scanned)
		}
		scanned = step.Scanned
		for _, r := range step.Runs {
			found = append(found, r.ID)
		}
		token := now.Token()
		if step.Done != (token == "") {
			t.Fatalf("it is done: %v, and its token is %q", step.Done, token)
		}
		if step.Done {
			return found
		}
		if isRelay {
			now = s
			if err := now.Resume(token); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestASearchForRunsTellsEachOnceTheLatestFirst(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		random := rand.New(rand.NewPCG(seed, 0))
		runs := start(t, b, 60)
		for _, text := range []string{"", "workflow:order", "queue:m*", "attr.n:3", "id:run-1*", "state:running workflow:ref*", "state:failed", "queue:none", "workflow:none"} {
			q, err := query.Runs.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, r := range runs {
				if q.Match(time.Now(), r) {
					want = append(want, r.ID)
				}
			}
			for _, isRelay := range []bool{false, true} {
				got := find(t, query.RunSearch{Client: queue.NewClient(b), Query: q}, isRelay, random)
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("%q finds (-want +got, resumed %v):\n%s", text, isRelay, diff)
				}
			}
		}
		got := find(t, query.RunSearch{Client: queue.NewClient(b), Queues: []string{"low"}}, true, random)
		if len(got) != 30 {
			t.Errorf("beside one queue it finds %d, want 30", len(got))
		}
	})
}

func TestASearchForRunsRefusesWhatMakesNoSense(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		start(t, b, 5)
		s := &query.RunSearch{Client: queue.NewClient(b)}
		if s.Token() != "" {
			t.Errorf("a search that has not begun has the token %q", s.Token())
		}
		if _, err := s.Next(t.Context(), 0, 1); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("the error about a search for nothing is %v", err)
		}
		if _, err := s.Next(t.Context(), 2, 2); err != nil {
			t.Fatal(err)
		}
		token := s.Token()
		for _, garbage := range []string{"", "?", "e30", token[:len(token)-4]} {
			if err := (&query.RunSearch{Client: s.Client}).Resume(garbage); !errors.Is(err, task.ErrInvalid) {
				t.Errorf("the token %q is accepted (%v)", garbage, err)
			}
		}
		if err := (&query.RunSearch{Client: s.Client, Queues: []string{"low"}}).Resume(token); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("the token of another search is accepted (%v)", err)
		}
	})
}

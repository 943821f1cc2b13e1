package stock_test

import (
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/stock"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// TestTheStorageHasEverything fills a storage and looks for something of every kind.
func TestTheStorageHasEverything(t *testing.T) {
	b, err := redisbroker.Open(redistest.Start(t, redistest.Options{}).URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	began := time.Now()
	if err := stock.Fill(t.Context(), b, 10_000, time.Now()); err != nil {
		t.Fatal(err)
	}
	t.Logf("filled after %v", time.Since(began))
	stop, err := stock.Serve(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("served after %v", time.Since(began))
	infos, broken, err := queue.NewInspector(b).Survey(t.Context())
	if err != nil || len(broken) > 0 {
		t.Fatal(err, broken)
	}
	in := map[task.State]int{}
	total := 0
	for _, i := range infos {
		total += i.Size()
		for _, s := range task.States() {
			in[s] += i.In(s)
		}
	}
	for _, s := range task.States() {
		if in[s] == 0 {
			t.Errorf("no task is %s", s)
		}
	}
	if total < 10_000 {
		t.Errorf("there are %d tasks, want 10000 or more", total)
	}
	page, err := workflow.Runs(t.Context(), queue.NewClient(b), workflow.RunsRequest{Queue: "flows", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	states := map[workflow.State]int{}
	for _, r := range page.Runs {
		states[r.State]++
	}
	for _, s := range []workflow.State{workflow.Running, workflow.Done, workflow.Failed, workflow.Paused, workflow.Cancelled} {
		if states[s] == 0 {
			t.Errorf("no run is %s: %v", s, states)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

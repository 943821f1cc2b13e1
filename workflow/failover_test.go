package workflow_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
)

// A failover to a replica that lags, or a restart from an older snapshot, loses what was
// committed last. As every commit of a run is in one place, what is left is a run as it
// was at some moment.
func TestRunsGoOnFromWhatAFailoverHasLeft(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 3 {
		kept, lost := time.Duration(r.IntN(150))*time.Millisecond, time.Duration(r.IntN(200))*time.Millisecond
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.Options{})
			b, err := redisbroker.Open(server.URL(), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			var inputs []int
			var ids []string
			for i := range 40 {
				inputs, ids = append(inputs, 20+i), append(ids, fmt.Sprintf("run-%d", i))
			}
			runs, err := shapes["map"].StartMany(t.Context(), queue.NewClient(b), inputs, ids)
			if err != nil {
				t.Fatal(err)
			}
			serve(t, b, shapes["map"])
			time.Sleep(kept)
			server.Do(t, "SAVE")
			time.Sleep(lost)
			server.Kill()
			server.Restart(t)
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			for i, run := range runs {
				n := inputs[i]
				if got, err := run.Result(ctx); got != n*(n-1) || err != nil {
					t.Errorf("Result() of run %s = %d, %v, want %d", run.ID, got, err, n*(n-1))
					explain(t, b)
					return
				}
			}
			settle(t, b)
			verify(t, b)
			for _, run := range runs {
				page, err := b.OpenEntries(t.Context(), broker.OpenRequest{Home: broker.Home{Queue: "default", ID: run.ID}, Limit: 10})
				if len(page.Entries) > 0 || err != nil {
					t.Errorf("%v is open of run %s, %v, want nothing", page.Entries, run.ID, err)
				}
			}
		})
	}
}

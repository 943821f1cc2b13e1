package workflow_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/workflow"
)

// brokers are the real ones.
var brokers = map[string]func(*testing.T) (broker.Broker, error){
	"sqlite memory": func(*testing.T) (broker.Broker, error) { return sqlitebroker.Open(":memory:", nil) },
	"sqlite file": func(t *testing.T) (broker.Broker, error) {
		return sqlitebroker.Open(filepath.Join(t.TempDir(), "leat.db"), nil)
	},
	"redis": func(t *testing.T) (broker.Broker, error) {
		return redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
	},
}

func TestEveryShapeRunsOnEveryBroker(t *testing.T) {
	for name, open := range brokers {
		t.Run(name, func(t *testing.T) {
			b, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			var flows []workflow.Registrable
			for _, w := range shapes {
				flows = append(flows, w)
			}
			c := serve(t, b, flows...)
			for _, f := range shapeCases {
				t.Run(fmt.Sprintf("%s of %d", f.shape, f.in), func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					run, err := shapes[f.shape].Start(ctx, c, f.in)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := run.Result(ctx); got != f.want || err != nil {
						t.Errorf("Result() = %d, %v, want %d", got, err, f.want)
					}
				})
			}
			settle(t, b)
			verify(t, b)
		})
	}
}

// verify demands that the storage is sound. It must not be written to meanwhile, which
// a server does now and then: so it is looked at until it holds still.
func verify(t *testing.T, b broker.Broker) {
	t.Helper()
	for tries := 0; ; tries++ {
		faults, err := b.(broker.Verifier).Verify(t.Context(), time.Now())
		if len(faults) == 0 && err == nil {
			return
		}
		if tries == 20 {
			t.Fatalf("Verify() = %q, %v, want nothing", faults, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// settle waits until nothing waits or runs any more.
func settle(t *testing.T, b broker.Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		counts, err := b.Counts(ctx, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(counts, func(c broker.Counts) bool { return c.Pending+c.Active > 0 }) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

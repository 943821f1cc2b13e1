package workflow_test

import (
	"fmt"
	"testing"

	"github.com/leatwork/leat/queue/broker"
)

func TestManyRunsAreStartedInAFewTrips(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, shapes["chain"])
		var inputs []int
		var ids []string
		for i := range 250 {
			inputs, ids = append(inputs, i), append(ids, fmt.Sprintf("run-%d", i))
		}
		for _, existed := range []bool{false, true} {
			runs, err := shapes["chain"].StartMany(t.Context(), c, inputs, ids)
			if err != nil || len(runs) != 250 {
				t.Fatalf("StartMany() = %d runs, %v, want 250", len(runs), err)
			}
			for i, run := range runs {
				got, err := run.Result(t.Context())
				if got != 8*i || err != nil || run.ID != ids[i] || run.Existed != existed {
					t.Fatalf("run %s (existed %v) = %d, %v, want %d of %s (%v)", run.ID, run.Existed, got, err, 8*i, ids[i], existed)
				}
			}
		}
		inputs[120] = 7
		if runs, err := shapes["chain"].StartMany(t.Context(), c, inputs, ids); err == nil || len(runs) != 120 {
			t.Errorf("StartMany() with another input = %d runs, %v, want 120 and an error", len(runs), err)
		}
		if _, err := shapes["chain"].StartMany(t.Context(), c, inputs, ids[1:]); err == nil {
			t.Error("StartMany() with too few ids = nil, want an error")
		}
	})
}

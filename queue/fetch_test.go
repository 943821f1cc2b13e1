package queue

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
)

var priorities = map[string]int{"critical": 60, "default": 30, "low": 10}

// seeded returns a source of chance, and prints how to get it again.
func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestSharesFollowTheWeights(t *testing.T) {
	for _, slots := range []int{1, 7, 100} {
		t.Run(fmt.Sprintf("%d slots", slots), func(t *testing.T) {
			p := newPicker(priorities, seeded(t))
			got := make(map[string]int)
			fetches := 200_000 / slots
			for range fetches {
				total := 0
				for _, s := range p.pick(slots) {
					got[s.Queue] += s.First
					total += s.First
				}
				if total != slots {
					t.Fatalf("shares add up to %d, want %d", total, slots)
				}
			}
			wantShares(t, got, map[string]float64{"critical": 0.6, "default": 0.3, "low": 0.1})
		})
	}
}

func TestSharesAreExactAfterEachFetch(t *testing.T) {
	r := seeded(t)
	p := newPicker(priorities, r)
	got, all := make(map[string]int), 0
	for range 10_000 {
		n := 1 + r.IntN(101)
		all += n
		for _, s := range p.pick(n) {
			got[s.Queue] += s.First
			if want := float64(all*priorities[s.Queue]) / 100; math.Abs(float64(got[s.Queue])-want) > 1 {
				t.Fatalf("queue %s got %d of %d tasks, want %.1f within one", s.Queue, got[s.Queue], all, want)
			}
		}
	}
}

// A queue that is empty leaves its share to the others. The broker gives it to
// them in the order of the shares.
func TestWhatAnEmptyQueueLeavesIsSharedByWeight(t *testing.T) {
	p := newPicker(priorities, seeded(t))
	got := make(map[string]int)
	for range 100_000 {
		shares := p.pick(2)
		left := 2
		for _, s := range shares {
			if s.Queue != "critical" {
				got[s.Queue] += s.First
				left -= s.First
			}
		}
		next := slices.IndexFunc(shares, func(s broker.Share) bool { return s.Queue != "critical" })
		got[shares[next].Queue] += left
	}
	wantShares(t, got, map[string]float64{"default": 0.75, "low": 0.25})
}

func wantShares(t *testing.T, got map[string]int, want map[string]float64) {
	t.Helper()
	total := 0
	for _, n := range got {
		total += n
	}
	for queue, share := range want {
		have := float64(got[queue]) / float64(total)
		if math.Abs(have-share)/share > 0.05 {
			t.Errorf("queue %s got %.3f of the slots, want %.3f within 5 %%", queue, have, share)
		}
	}
}

func TestStrictPriorityAsksTheHighestFirst(t *testing.T) {
	p := newPicker(map[string]int{"low": 1, "b": 5, "a": 5, "critical": 9}, nil)
	want := []broker.Share{{Queue: "critical", First: 3}, {Queue: "a", First: 3}, {Queue: "b", First: 3}, {Queue: "low", First: 3}}
	if diff := cmp.Diff(want, p.pick(3)); diff != "" {
		t.Errorf("shares (-want +got):\n%s", diff)
	}
}

func TestPickingAllocatesNothing(t *testing.T) {
	for name, p := range map[string]*picker{
		"weights": newPicker(priorities, seeded(t)),
		"strict":  newPicker(priorities, nil),
		"one":     newPicker(map[string]int{"default": 1}, seeded(t)),
	} {
		if n := testing.AllocsPerRun(100, func() { p.pick(10) }); n != 0 {
			t.Errorf("%s: %v allocations for a pick, want 0", name, n)
		}
	}
}

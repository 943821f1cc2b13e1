package queue_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
)

// killStorages are those that workers are killed on. Each gives the URL of an
// empty storage.
var killStorages = map[string]func(*testing.T) string{
	"sqlite": func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "kill.db") },
	"redis":  func(t *testing.T) string { return redistest.Start(t, redistest.Options{}).URL() },
}

// Three workers are kept busy for a minute. Every two seconds, at a moment by
// chance, one of them is killed and another takes its place.
func TestKilledWorkersLoseNothingAndDoubleNothing(t *testing.T) {
	if work(t) {
		return
	}
	t.Parallel()
	for name, storage := range killStorages {
		t.Run("on "+name, func(t *testing.T) {
			t.Parallel()
			url := storage(t)
			b, chance := openBroker(t, url), newChance(t)
			crew := newCrew(t, "TestKilledWorkersLoseNothingAndDoubleNothing", url)
			for range 3 {
				crew.hire()
			}
			const kills, every = 30, 2 * time.Second
			produced := produce(t, b, rand.New(rand.NewPCG(chance.Uint64(), 0)), kills*every)
			begin := time.Now()
			for n := range kills {
				moment := time.Duration(n)*every + time.Duration(chance.Int64N(int64(every)))
				time.Sleep(time.Until(begin.Add(moment)))
				crew.kill(crew.alive()[chance.IntN(3)])
				crew.hire()
			}
			accepted := <-produced
			drain(t, b)
			crew.dismiss()

			accepted.wantOutcomes(t, b)
			if n := accepted.wantExplained(t, crew); n < kills {
				t.Errorf("%d kills interrupted %d handlers: the workers were not busy", kills, n)
			}
			wantSound(t, b)
		})
	}
}

// What a killed worker was running is taken up by another, at no cost. The kill
// comes at any moment between two heartbeats.
func TestWhatAKilledWorkerRanIsTakenUpWithin15Seconds(t *testing.T) {
	if work(t) {
		return
	}
	t.Parallel()
	for name, storage := range killStorages {
		t.Run("on "+name, func(t *testing.T) {
			t.Parallel()
			url := storage(t)
			b, chance := openBroker(t, url), newChance(t)
			crew := newCrew(t, "TestWhatAKilledWorkerRanIsTakenUpWithin15Seconds", url)
			accepted := make(orders)
			for range workerSlots {
				accepted.enqueue(t, queue.NewClient(b), errand{Fails: failsNever})
			}
			first := crew.hire(workerHolds + "=1")
			eventually(t, 30*time.Second, "a worker runs all tasks", func() bool {
				return len(first.notes(t, noteStarted)) == len(accepted)
			})
			second := crew.hire()
			time.Sleep(time.Second + time.Duration(chance.Int64N(int64(4*time.Second))))
			crew.kill(first)
			killed := time.Now()
			drain(t, b)
			crew.dismiss()

			taken := second.notes(t, noteStarted)
			if len(taken) != len(accepted) {
				t.Fatalf("the second worker started %d tasks, want %d", len(taken), len(accepted))
			}
			took := taken[len(taken)-1].At.Sub(killed)
			t.Logf("%d tasks were taken up %v to %v after the kill", len(taken), taken[0].At.Sub(killed), took)
			if took > 15*time.Second {
				t.Errorf("the last task was taken up %v after the kill, want at most 15s", took)
			}
			accepted.wantOutcomes(t, b)
			accepted.wantExplained(t, crew)
			wantSound(t, b)
		})
	}
}

func openBroker(t *testing.T, url string) broker.Broker {
	t.Helper()
	b, err := brokerurl.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// newChance returns a source of chance, and prints how to get it again.
func newChance(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// drain waits until every task is completed or archived.
func drain(t *testing.T, b broker.Broker) {
	t.Helper()
	eventually(t, time.Minute, "every task is completed or archived", func() bool {
		c := counts(t, b)
		return c.Size() > 0 && c.Size() == c.Completed+c.Archived
	})
}

// eventually waits until done reports true.
func eventually(t *testing.T, most time.Duration, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(most); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v it is not so that %s", most, what)
		}
	}
}

func counts(t *testing.T, b broker.Broker) broker.Counts {
	t.Helper()
	c, err := b.Counts(t.Context(), time.Now(), "default")
	if err != nil {
		t.Fatal(err)
	}
	return c[0]
}

// wantSound has the broker check its storage.
func wantSound(t *testing.T, b broker.Broker) {
	t.Helper()
	faults, err := b.(broker.Verifier).Verify(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Errorf("unsound storage: %s", f)
	}
}

package sqlitebroker_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// waits begins to wait on b, and returns what gives the wake, which there must be.
func waits(t *testing.T, b *sqlitebroker.Broker, queues ...string) (woken func() broker.Wake) {
	t.Helper()
	wakes := make(chan broker.Wake, 1)
	go func() {
		if w, err := b.Wait(t.Context(), queues); err == nil {
			wakes <- w
		}
	}()
	return func() broker.Wake {
		t.Helper()
		select {
		case w := <-wakes:
			return w
		case <-time.After(10 * time.Second):
			t.Fatal("nobody is woken for ten seconds")
			return broker.Wake{}
		}
	}
}

// silent demands that nobody who waits on b for queues is woken in a minute.
func silent(t *testing.T, what string, b *sqlitebroker.Broker, queues ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if w, err := b.Wait(ctx, queues); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s: Wait() = %+v, %v, want none in a minute", what, w, err)
	}
}

// wakesWith demands that the next wake is want.
func wakesWith(t *testing.T, what string, woken func() broker.Wake, want broker.Wake) {
	t.Helper()
	if got := woken(); got.Queue != want.Queue || !got.At.Equal(want.At) {
		t.Errorf("%s: woken with %+v, want %+v", what, got, want)
	}
}

// later returns a change that adds an entry which is due d from now, and when.
func later(queue, id string, d time.Duration) (broker.Change, time.Time) {
	c := enqueue(queue, id)
	c.Enqueue[0].DueAt = broker.CeilMilli(time.Now().Add(d))
	return c, c.Enqueue[0].DueAt
}

func TestAnotherProcessWakesWhoWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	b := open(t, path)
	defer b.Close()
	woken := waits(t, b, "p", "q")
	process, _ := start(t, "enqueuer", path, "a")
	wakesWith(t, "an enqueue", woken, broker.Wake{Queue: "q"})
	if leased := lease(t, b, "q", 1).Leases; len(leased) != 1 {
		t.Errorf("leased %d entries when woken, want 1", len(leased))
	}
	process.Process.Kill() //nolint:errcheck // it may have ended
	process.Wait()         //nolint:errcheck // it was killed
}

func TestAnotherBrokerOfTheFileWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "leat.db")
		b, other := open(t, path), open(t, path)
		defer b.Close()
		defer other.Close()
		silent(t, "at first", b, "p", "q")
		woken := waits(t, b, "p", "q")
		must(t, other, enqueue("q", "a"))
		wakesWith(t, "an enqueue", woken, broker.Wake{Queue: "q"})

		lease(t, other, "q", 1)
		silent(t, "when it is leased", b, "p", "q")
		change, at := later("p", "b", time.Hour)
		woken = waits(t, b, "p", "q")
		must(t, other, change)
		wakesWith(t, "an enqueue for later", woken, broker.Wake{Queue: "p", At: at})

		beat(t, other)
		silent(t, "by a commit that makes nothing ready, nor due", b, "p", "q")
		pause(t, other, "q", true)
		must(t, other, enqueue("q", "c"))
		silent(t, "while the queue is paused", b, "p", "q")
		woken = waits(t, b, "p", "q")
		pause(t, other, "q", false)
		wakesWith(t, "a resumption", woken, broker.Wake{Queue: "q"})
	})
}

func beat(t *testing.T, b *sqlitebroker.Broker) {
	t.Helper()
	if err := b.Beat(t.Context(), time.Now(), broker.Server{ID: "server"}); err != nil {
		t.Fatal(err)
	}
}

func pause(t *testing.T, b *sqlitebroker.Broker, queue string, paused bool) {
	t.Helper()
	if _, err := b.Pause(t.Context(), time.Now(), queue, paused); err != nil {
		t.Fatal(err)
	}
}

func TestWhatAProcessThatIsGoneHasLeftWakesWhoWaitsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "leat.db")
		gone := open(t, path)
		change, at := later("p", "a", time.Hour)
		must(t, gone, change, enqueue("q", "b"))
		if err := gone.Close(); err != nil {
			t.Fatal(err)
		}
		b := open(t, path)
		defer b.Close()
		wakesWith(t, "what is to be leased", waits(t, b, "p", "q"), broker.Wake{Queue: "q"})
		wakesWith(t, "what is to be advanced", waits(t, b, "p", "q"), broker.Wake{Queue: "p", At: at})
		silent(t, "when both were given", b, "p", "q")
	})
}

func TestATransactionOfTheProgramsOwnWakesWhoWaits(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "leat.db"), ":memory:"} {
		synctest.Test(t, func(t *testing.T) {
			b := open(t, path)
			defer b.Close()
			woken := waits(t, b, "q")
			synctest.Wait() // in memory, nobody else can write until DB is used
			tx, err := b.DB().BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.ApplyTx(t.Context(), time.Now(), tx, []broker.Change{enqueue("q", "a")}); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			wakesWith(t, "a commit in "+filepath.Base(path), woken, broker.Wake{Queue: "q"})
		})
	}
}

func TestWhoWaitsAsksTenTimesASecondAndInMemoryNever(t *testing.T) {
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "leat.db"), "memory": ":memory:"} {
		synctest.Test(t, func(t *testing.T) {
			b := open(t, path)
			defer b.Close()
			go b.Wait(t.Context(), []string{"p", "q"}) //nolint:errcheck // it ends with the broker
			time.Sleep(time.Minute)
			asked := b.CountQueries(t)
			time.Sleep(time.Minute)
			want := 600
			if name == "memory" {
				want = 0
			}
			if got := asked(); got < want-1 || got > want+1 {
				t.Errorf("%s: %d queries in a minute, want %d", name, got, want)
			}
		})
	}
}

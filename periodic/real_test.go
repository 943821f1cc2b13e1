package periodic_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// A ledger notes the ticks whose tasks are run, in real time. Tasks are deleted as they
// are done, so that one which was enqueued again would be run again.
type ledger struct {
	*testing.T
	b broker.Broker

	mu    sync.Mutex
	ticks map[string][]time.Time // by entry
	from  time.Time              // lateness counts of ticks after it
	late  []time.Duration        // how much later than the tick its task began
	early []time.Duration        // how much before its tick a task began, of those that did
}

// keep notes what is run of b's queues until the test ends.
func keep(t *testing.T, b broker.Broker, queues ...string) *ledger {
	l := &ledger{T: t, b: b, ticks: make(map[string][]time.Time)}
	weights := make(map[string]int)
	for _, q := range queues {
		weights[q] = 1
	}
	srv, err := queue.NewServer(b, queue.Config{
		Concurrency: 50, Queues: weights, Logger: silent,
		LeaseDuration: time.Minute, // no outage has a task run again
	})
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, srv.Serving(task.HandlerFunc(l.note)))
	return l
}

func (l *ledger) note(ctx context.Context, _ *task.Task) error {
	began := time.Now()
	tick, ok := periodic.TickFromContext(ctx)
	if !ok {
		return errors.New("task of no tick")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ticks[tick.Entry] = append(l.ticks[tick.Entry], tick.Time)
	if tick.Time.After(l.from) {
		l.late = append(l.late, began.Sub(tick.Time))
	}
	if began.Before(tick.Time) {
		l.early = append(l.early, tick.Time.Sub(began))
	}
	return nil
}

// of returns the ticks of an entry that were run, in their order.
func (l *ledger) of(name string) []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.SortedFunc(slices.Values(l.ticks[name]), time.Time.Compare)
}

// last returns the last tick of an entry that was run; zero: none.
func (l *ledger) last(name string) time.Time {
	ticks := l.of(name)
	if len(ticks) == 0 {
		return time.Time{}
	}
	return ticks[len(ticks)-1]
}

// wantEachOnce demands that all ticks of an entry that has one a second, from the one
// after since to the last one that its record tells of, were run once.
func (l *ledger) wantEachOnce(name string, since time.Time) {
	l.Helper()
	info, err := periodic.NewInspector(l.b).Get(l.Context(), name)
	if err != nil {
		l.Fatal(err)
	}
	count := make(map[int64]int)
	for _, at := range l.of(name) {
		count[at.Unix()]++
	}
	for at := since.Truncate(time.Second).Add(time.Second); !at.After(info.Prev); at = at.Add(time.Second) {
		if n := count[at.Unix()]; n != 1 {
			l.Errorf("%s: tick %v was run %d times", name, at.UTC(), n)
		}
		delete(count, at.Unix())
	}
	for at, n := range count { // those before it was sure that the entry is known
		if n != 1 || at > since.Unix() {
			l.Errorf("%s: tick %v was run %d times, and is not after %v until %v", name, time.Unix(at, 0).UTC(), n, since, info.Prev)
		}
	}
}

// wantNoneEarly demands that no task began before its tick.
func (l *ledger) wantNoneEarly() {
	l.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.early) > 0 {
		l.Errorf("%d tasks began before their tick, up to %v", len(l.early), slices.Max(l.early))
	}
}

// count returns how many ticks were run.
func (l *ledger) count() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ticks := range l.ticks {
		n += len(ticks)
	}
	return n
}

// countLateness has the lateness count of ticks from now on.
func (l *ledger) countLateness() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from, l.late = time.Now(), nil
}

// lateness returns p50, p99 and the most by which a task began after its tick.
func (l *ledger) lateness() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.late)
	at := func(share float64) time.Duration { return l.late[int(share*float64(len(l.late)-1))] }
	return fmt.Sprintf("%.1f ms | %.1f ms | %.1f ms", ms(at(0.5)), ms(at(0.99)), ms(at(1)))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// drained waits until nothing is in the queues of b any more.
func (l *ledger) drained() {
	l.Helper()
	await(l.T, "all tasks are done", func() bool {
		counts, err := l.b.Counts(l.Context(), time.Now())
		return err == nil && !slices.ContainsFunc(counts, func(c broker.Counts) bool { return c.Size() > 0 })
	})
}

// sound demands that the storage is.
func (l *ledger) sound() {
	l.Helper()
	faults, err := l.b.(broker.Verifier).Verify(l.Context(), time.Now())
	if err != nil || len(faults) > 0 {
		l.Errorf("Verify() = %q, %v, want nothing", faults, err)
	}
}

// await waits until done reports true.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}

// runUntilEnd runs r until the test ends, or the returned function is called.
func runUntilEnd(t *testing.T, r queue.Runner) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// A place is a kind of storage.
type place struct {
	name string
	url  func(*testing.T) string                 // of a storage of its own
	part func(t *testing.T, n int) broker.Broker // one of several
}

var places = []place{
	{"Redis",
		func(t *testing.T) string { return redistest.Start(t, redistest.Options{}).URL() },
		func(t *testing.T, _ int) broker.Broker {
			b, err := redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
			return opened(t, b, err)
		}},
	{"a SQLite file",
		func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "leat.db") },
		func(t *testing.T, n int) broker.Broker {
			b, err := sqlitebroker.Open(filepath.Join(t.TempDir(), fmt.Sprint(n, ".db")), nil)
			return opened(t, b, err)
		}},
}

// openURL opens a broker until the test ends.
func openURL(t *testing.T, url string) broker.Broker {
	t.Helper()
	b, err := brokerurl.Open(url)
	return opened(t, b, err)
}

func opened(t *testing.T, b broker.Broker, err error) broker.Broker {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return b
}

package periodic_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// A bench is a storage with schedulers and servers, in a bubble of fake time. All that is
// enqueued of ticks is kept.
type bench struct {
	*testing.T
	b      broker.Broker
	client *queue.Client
	look   *periodic.Inspector
	log    lockedBuffer

	mu      sync.Mutex
	ids     []string // of tasks that were enqueued, in order
	calls   map[string]int
	commits int               // of records, made or refused
	parked  []broker.EntryRef // said to be open of every home
}

func inBubble(t *testing.T, f func(*bench)) {
	synctest.Test(t, func(t *testing.T) {
		x := &bench{T: t, calls: make(map[string]int)}
		x.b = &recorder{Broker: brokertest.NewModel(), x: x}
		x.client, x.look = queue.NewClient(x.b), periodic.NewInspector(x.b)
		f(x)
	})
}

// A recorder notes what is asked of a broker, and which tasks of ticks are enqueued.
type recorder struct {
	broker.Broker
	x *bench
}

func (r *recorder) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	done, err := r.Broker.Apply(ctx, now, changes, want)
	r.x.mu.Lock()
	defer r.x.mu.Unlock()
	r.x.calls["Apply"]++
	for i, outcome := range done.Outcomes {
		if len(changes[i].Put) > 0 {
			r.x.commits++
		}
		for _, e := range append(slices.Clone(changes[i].Enqueue), changes[i].Drain...) {
			if outcome == nil && e.Headers[periodic.HeaderEntry] != "" {
				r.x.ids = append(r.x.ids, e.ID)
			}
		}
	}
	return done, err
}

func (r *recorder) count(method string) {
	r.x.mu.Lock()
	defer r.x.mu.Unlock()
	r.x.calls[method]++
}

func (r *recorder) Homes(ctx context.Context, q broker.HomesRequest) (broker.HomesPage, error) {
	r.count("Homes")
	return r.Broker.Homes(ctx, q)
}

func (r *recorder) Documents(ctx context.Context, h broker.Home, keys ...string) ([]broker.Document, error) {
	r.count("Documents")
	return r.Broker.Documents(ctx, h, keys...)
}

func (r *recorder) OpenEntries(ctx context.Context, q broker.OpenRequest) (broker.OpenPage, error) {
	r.count("OpenEntries")
	page, err := r.Broker.OpenEntries(ctx, q)
	page.Entries = append(page.Entries, r.x.parked...)
	return page, err
}

func (r *recorder) Advance(ctx context.Context, now time.Time, q broker.AdvanceRequest) (broker.Advanced, error) {
	r.count("Advance")
	return r.Broker.Advance(ctx, now, q)
}

func (r *recorder) BeatScheduler(ctx context.Context, now time.Time, s broker.Scheduler) error {
	r.count("BeatScheduler")
	return r.Broker.BeatScheduler(ctx, now, s)
}

func (r *recorder) RecordTicks(ctx context.Context, ticks ...broker.Tick) error {
	r.count("RecordTicks")
	return r.Broker.RecordTicks(ctx, ticks...)
}

// enqueued returns the ids of the tasks of an entry that were enqueued, in order.
func (x *bench) enqueued(name string) (ids []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range x.ids {
		if strings.HasPrefix(id, name+"~") {
			ids = append(ids, id)
		}
	}
	return ids
}

// ticks returns the times of those that are of ticks of the schedule.
func (x *bench) ticks(name string) (times []time.Time) {
	x.Helper()
	for _, id := range x.enqueued(name) {
		_, text, _ := strings.Cut(id, "~")
		if at, err := time.Parse("20060102T150405Z", text); err == nil {
			times = append(times, at)
		}
	}
	return times
}

// schedule runs a scheduler with entries until the returned function is called, or the
// test ends.
func (x *bench) schedule(cfg periodic.Config, entries ...periodic.Entry) (stop func()) {
	x.Helper()
	_, stop = x.scheduler(x.client, cfg, entries...)
	return stop
}

func (x *bench) scheduler(c *queue.Client, cfg periodic.Config, entries ...periodic.Entry) (s *periodic.Scheduler, stop func()) {
	x.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(&x.log, nil))
	s = periodic.New(c, cfg)
	if err := s.Register(entries...); err != nil {
		x.Fatal(err)
	}
	return s, x.start(s)
}

// start runs r until the returned function is called, or the test ends.
func (x *bench) start(r queue.Runner) (stop func()) {
	ctx, cancel := context.WithCancel(x.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			x.Errorf("Run() = %v", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	x.Cleanup(stop)
	return stop
}

// serve runs a server of the default queue until the test ends.
func (x *bench) serve(h task.HandlerFunc) {
	x.Helper()
	srv, err := queue.NewServer(x.b, queue.Config{Concurrency: 10, NoHistory: true, Logger: slog.New(slog.NewTextHandler(&x.log, nil))})
	if err != nil {
		x.Fatal(err)
	}
	x.start(srv.Serving(h))
}

// pass waits until d has passed and nothing is going on any more.
func (x *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// busy is what a handler does that takes d.
func busy(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// info returns what is known of an entry.
func (x *bench) info(name string) periodic.Info {
	x.Helper()
	info, err := x.look.Get(x.Context(), name)
	if err != nil {
		x.Fatal(err)
	}
	return info
}

// told returns the words of an entry's history, without those of changes to it.
func (x *bench) told(name string) (words []string) {
	for _, e := range x.info(name).History {
		if e.What != periodic.EntryAdded && e.What != periodic.EntryChanged {
			words = append(words, string(e.What))
		}
	}
	return words
}

// every returns an entry that ticks each time d has passed, with o.
func every(name string, d time.Duration, o periodic.Overlap) periodic.Entry {
	return periodic.Entry{Name: name, Schedule: fmt.Sprintf("@every %v", d), Type: "tick", Overlap: o}
}

// wantTicks demands that exactly the ticks after one time, and not after another, were
// enqueued, in order.
func (x *bench) wantTicks(name string, period time.Duration, after, until time.Time) {
	x.Helper()
	var want []time.Time
	for at := after.Truncate(period).Add(period); !at.After(until); at = at.Add(period) {
		want = append(want, at)
	}
	x.wantTimes(name, want)
}

func (x *bench) wantTimes(name string, want []time.Time) {
	x.Helper()
	got := x.ticks(name)
	if slices.EqualFunc(got, want, time.Time.Equal) {
		return
	}
	count := map[time.Time]int{}
	for _, at := range got {
		count[at]++
	}
	for _, at := range want {
		if count[at.UTC()] != 1 {
			x.Errorf("%s: tick %v enqueued %d times", name, at.UTC(), count[at.UTC()])
		}
		delete(count, at.UTC())
	}
	x.Errorf("%s: %d ticks, want %d; not wanted are %v; in order: %t", name, len(got), len(want), count,
		slices.IsSortedFunc(got, func(a, b time.Time) int { return a.Compare(b) }))
	x.Logf("log:\n%s", cmp.Or(x.log.String(), "empty"))
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// errFault is what a call of the broker fails with that a test lets fail.
var errFault = fmt.Errorf("fault: %w", broker.ErrRefused)

// errLost is what it fails with when it was executed and the answer is lost.
var errLost = errors.New("answer lost")

package periodic_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// brokers are the real ones.
var brokers = map[string]func(*testing.T) (broker.Broker, error){
	"sqlite file": func(t *testing.T) (broker.Broker, error) {
		return sqlitebroker.Open(filepath.Join(t.TempDir(), "leat.db"), nil)
	},
	"redis": func(t *testing.T) (broker.Broker, error) {
		return redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
	},
	"redis in shards": func(t *testing.T) (broker.Broker, error) {
		return redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix(), Shards: 8})
	},
}

// A tally counts what handlers got, by the ids of tasks.
type tally struct {
	mu  sync.Mutex
	got map[string]int
}

func (c *tally) ProcessTask(ctx context.Context, _ *task.Task) error {
	id, _ := task.GetID(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[id]++
	return nil
}

// of returns the ids that begin with a prefix, sorted, and demands that each was run once.
func (c *tally) of(t *testing.T, prefix string) (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, n := range c.got {
		if n != 1 {
			t.Errorf("%s was run %d times", id, n)
		}
		if strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func TestEveryBrokerKeepsEntries(t *testing.T) {
	for name, open := range brokers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			x := &bench{T: t, b: b, client: queue.NewClient(b), look: periodic.NewInspector(b)}
			got := &tally{got: make(map[string]int)}
			x.serve(got.ProcessTask)
			var entries []periodic.Entry
			for o := periodic.Allow; o <= periodic.CancelPrevious; o++ {
				for n := range 3 {
					entries = append(entries, every(fmt.Sprintf("%v%d", o, n), time.Second, o))
				}
			}
			var s *periodic.Scheduler
			var stops []func()
			for range 3 {
				scheduler, stop := x.scheduler(queue.NewClient(b), periodic.Config{SyncInterval: 100 * time.Millisecond}, entries...)
				s, stops = scheduler, append(stops, stop)
			}
			x.eventually("there are ticks", func() bool { return len(got.of(t, "allow0~")) >= 3 })
			x.control(s, got)
			for _, stop := range stops {
				stop()
			}
			for _, e := range entries {
				if e.Overlap == periodic.Allow { // of others some may be left out
					gapless(t, got.of(t, e.Name+"~2"))
				}
			}
		})
	}
}

// control adds an entry, runs it, backfills it and removes it.
func (x *bench) control(s *periodic.Scheduler, got *tally) {
	x.Helper()
	e := periodic.Entry{Name: "stored", Schedule: "0 0 * * *", Type: "t", Payload: periodic.Template("{{.Time.Unix}}")}
	ctx := x.Context()
	if err := x.look.Add(ctx, e, "ann"); err != nil {
		x.Fatal(err)
	}
	_, id, err := x.look.RunNow(ctx, "stored", "ann")
	if err != nil {
		x.Fatal(err)
	}
	x.eventually("it is run", func() bool { return len(got.of(x.T, id)) == 1 })
	b := periodic.Backfill{From: time.Now().AddDate(0, 0, -10), To: time.Now(), Cap: 4}
	if _, err := s.Inspector().Backfill(ctx, "stored", b); err != nil {
		x.Fatal(err)
	}
	x.eventually("the backfill ends", func() bool {
		fills := x.info("stored").Backfills
		return len(fills) == 1 && !fills[0].Ended.IsZero()
	})
	x.eventually("ten are run", func() bool { return len(got.of(x.T, "stored~back~")) == 10 })
	if infos, err := x.look.List(ctx); err != nil || len(infos) != 13 {
		x.Errorf("List() = %d entries, %v, want 13", len(infos), err)
	}
	if err := x.look.Remove(ctx, "stored", "ann"); err != nil {
		x.Error(err)
	}
	if infos, err := x.look.List(ctx); err != nil || len(infos) != 12 {
		x.Errorf("List() = %d entries, %v, want 12", len(infos), err)
	}
}

// eventually waits until f is true.
func (x *bench) eventually(what string, f func() bool) {
	x.Helper()
	for range 600 {
		if f() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	x.Fatalf("a minute later it is not so that %s:\n%s", what, x.log.String())
}

// gapless demands that ids of ticks are a second apart.
func gapless(t *testing.T, ids []string) {
	t.Helper()
	var last time.Time
	for _, id := range ids {
		_, text, _ := strings.Cut(id, "~")
		at, err := time.Parse("20060102T150405Z", text)
		if err != nil || !last.IsZero() && at.Sub(last) != time.Second {
			t.Errorf("after the tick of %v there is %s, %v", last, id, err)
		}
		last = at
	}
	if len(ids) < 3 {
		t.Errorf("ticks are %v, want some more", ids)
	}
}

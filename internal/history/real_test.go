package history_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// TestEveryStorageKeepsIt has several keepers write at once into a real storage, and looks
// whether anything that is kept no longer is left, and whether anybody is disturbed.
func TestEveryStorageKeepsIt(t *testing.T) {
	cluster := sync.OnceValue(func() *redistest.Cluster { return redistest.StartCluster(t, redistest.Options{}) })
	for _, c := range []struct {
		name string
		open func(t *testing.T) broker.Broker
	}{
		{"SQLite", func(t *testing.T) broker.Broker {
			b, err := sqlitebroker.Open(filepath.Join(t.TempDir(), "jobs.db"), nil)
			return opened(t, b, err)
		}},
		{"Redis", func(t *testing.T) broker.Broker {
			b, err := redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
			return opened(t, b, err)
		}},
		{"Redis in shards", func(t *testing.T) broker.Broker {
			b, err := redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix(), Shards: 5})
			return opened(t, b, err)
		}},
		{"Cluster by queues", func(t *testing.T) broker.Broker {
			b, err := redisbroker.Open(cluster().URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
			return opened(t, b, err)
		}},
		{"Cluster in shards", func(t *testing.T) broker.Broker {
			b, err := redisbroker.Open(cluster().URL(), &redisbroker.Options{Prefix: redistest.Prefix(), Shards: 5})
			return opened(t, b, err)
		}},
	} {
		t.Run(c.name, func(t *testing.T) { keepsIt(t, c.open(t)) })
	}
}

func opened(t *testing.T, b broker.Broker, err error) broker.Broker {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func keepsIt(t *testing.T, b broker.Broker) {
	queues := []string{"default", "low", "a/b:c"}
	for i, q := range queues {
		enqueue(t, b, q, i+1)
	}
	const keepers, times = 4, 5
	began := time.Now()
	var all sync.WaitGroup
	for range keepers {
		k := history.NewKeeper(b, queues)
		all.Go(func() {
			for range times {
				for _, q := range queues {
					work(k, q, "mail", 10, time.Millisecond, time.Second)
				}
				k.Take(began)
				if err := k.Write(t.Context(), time.Now(), false); err != nil {
					t.Errorf("Write() = %v, want nil", err)
				}
			}
		})
	}
	all.Wait()
	f := read(t, b, history.Request{Queues: queues, From: began.Add(-time.Hour), Types: true})
	for i, q := range f.Queues {
		if got := q.Sum(); got.Processed != keepers*times*10 || got.Waits.Count() != got.Processed {
			t.Errorf("%d of %s were processed, want %d", got.Processed, q.Queue, keepers*times*10)
		}
		most := history.Gauges{}
		for _, g := range q.Gauges {
			most.Pending = max(most.Pending, g.Pending)
		}
		if int(most.Pending) != i+1 {
			t.Errorf("%d were pending in %s, want %d", most.Pending, q.Queue, i+1)
		}
	}
	undisturbed(t, b, queues)
	goes(t, b, began)
}

// undisturbed demands that nobody else sees the history.
func undisturbed(t *testing.T, b broker.Broker, queues []string) {
	faults, err := b.(broker.Verifier).Verify(t.Context(), time.Now())
	if err != nil || len(faults) > 0 {
		t.Errorf("Verify() = %q, %v", faults, err)
	}
	if got, err := b.Queues(t.Context()); err != nil || len(got) != len(queues) {
		t.Errorf("Queues() = %q, %v, want %q", got, err, queues)
	}
	if page, err := b.Homes(t.Context(), broker.HomesRequest{Queue: "leat~history", Limit: 10}); err != nil || len(page.Homes) > 0 {
		t.Errorf("Homes() = %v, %v, want none", page.Homes, err)
	}
	inspector := queue.NewInspector(b)
	if err := inspector.Delete(t.Context(), "default", "0"); err != nil {
		t.Fatal(err)
	}
	if err := inspector.RemoveQueue(t.Context(), "default", false); err != nil {
		t.Errorf("RemoveQueue() = %v, want nil", err)
	}
	if f := read(t, b, history.Request{Queues: []string{"default"}}); f.Total.Sum().Processed == 0 {
		t.Error("the history of a queue that was removed has gone with it")
	}
}

// goes demands that the history goes when its time is over.
func goes(t *testing.T, b broker.Broker, began time.Time) {
	kept := func(id string) bool {
		home := broker.Home{Queue: "leat~history", ID: began.UTC().Format(id)}
		key := "low~" + began.UTC().Format("15")
		if strings.HasPrefix(id, "hours") {
			key = "low~" + began.UTC().Format("02")
		}
		docs, err := b.Documents(t.Context(), home, key)
		if err != nil {
			t.Fatal(err)
		}
		return docs[0].Version > 0
	}
	for _, c := range []struct {
		days           int
		minutes, hours bool
	}{{0, true, true}, {2, true, true}, {3, false, true}, {90, false, true}, {122, false, false}} {
		k := history.NewKeeper(b, nil)
		if err := k.Write(t.Context(), began.AddDate(0, 0, c.days), false); err != nil {
			t.Fatal(err)
		}
		if minutes, hours := kept("minutes-20060102"), kept("hours-200601"); minutes != c.minutes || hours != c.hours {
			t.Errorf("after %d days there are minutes: %v, hours: %v; want %v, %v", c.days, minutes, hours, c.minutes, c.hours)
		}
	}
}

package history_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
)

// BenchmarkCount is what a task costs whoever runs it.
func BenchmarkCount(b *testing.B) {
	k := history.NewKeeper(nil, []string{"critical", "default", "low"})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c := k.Of("default", "email:welcome")
			c.Began(3 * time.Millisecond)
			c.Settled(broker.Done, false, 20*time.Millisecond)
		}
	})
}

// BenchmarkWrite is what a minute costs in which a queue has run tasks of six types, late
// in an hour, beside what the broker does.
func BenchmarkWrite(b *testing.B) {
	k := history.NewKeeper(brokertest.NewModel(), []string{"default"})
	for i := range b.N {
		busyMinute(k, i)
		k.Take(time.Now().Truncate(time.Hour).Add(time.Duration(i%60) * time.Minute))
		if err := k.Write(b.Context(), time.Now(), false); err != nil {
			b.Fatal(err)
		}
	}
}

// busyMinute counts tasks of six types that wait and run for times that differ.
func busyMinute(k *history.Keeper, seed int) {
	for i := range 600 {
		c := k.Of("default", fmt.Sprint("type:", i%6))
		c.Began(time.Duration(1+(i*7+seed)%50) * time.Millisecond)
		c.Settled(broker.Done, false, time.Duration(10+(i*13+seed)%900)*time.Millisecond)
	}
}

// TestADayOfAQueueIsSmall measures what a day takes of a queue that runs tasks of six types
// all the time.
func TestADayOfAQueueIsSmall(t *testing.T) {
	b := brokertest.NewModel()
	k := history.NewKeeper(b, []string{"default"})
	day := time.Now().UTC().Truncate(24 * time.Hour)
	for minute := range 24 * 60 {
		busyMinute(k, minute)
		k.Take(day.Add(time.Duration(minute) * time.Minute))
		if err := k.Write(t.Context(), time.Now(), false); err != nil {
			t.Fatal(err)
		}
	}
	size := func(id, key string) int {
		docs, err := b.Documents(t.Context(), broker.Home{Queue: "leat~history", ID: day.Format(id)}, day.Format(key))
		if err != nil || docs[0].Version == 0 {
			t.Fatalf("Documents() = %v, %v", docs, err)
		}
		return len(docs[0].Body)
	}
	minutes, hours := size("minutes-20060102", "default~15"), size("hours-200601", "default~02")
	t.Logf("an hour by the minute takes %d bytes, a day by the hour %d", minutes, hours)
	if minutes > 32<<10 || hours > 16<<10 {
		t.Errorf("an hour by the minute takes %d bytes, a day by the hour %d", minutes, hours)
	}
}

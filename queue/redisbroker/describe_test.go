package redisbroker_test

import (
	"errors"
	"strconv"
	"testing"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
)

func TestARedisTellsOfItself(t *testing.T) {
	server := redistest.Start(t, redistest.Options{AOF: true})
	b, err := redisbroker.Open(server.URL(), &redisbroker.Options{Prefix: "shop", Events: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	got, err := b.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Kind != "redis" || got.Address != server.Addr || got.Prefix != "shop" || !got.Events || got.Eviction != "noeviction" || got.Persistence != "appendonly" {
		t.Errorf("Describe() = %+v, want what the server was started with", got)
	}
	if got.Version == "" || got.Uptime == 0 || got.Connections == 0 || got.Memory == 0 || got.ClockDoubt == 0 || got.ClockOffset.Abs() > got.ClockDoubt {
		t.Errorf("Describe() = %+v, want a version, an uptime, connections, memory, and a clock that is ours", got)
	}
}

// A managed Redis may forbid all that is asked here.
func TestWhatARedisMayNotTellIsLeftOut(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := client(t, server)
	defer c.Close()
	if err := c.Do(t.Context(), "ACL", "SETUSER", "shy", "on", ">secret", "~*", "&*", "+@all", "-info", "-time", "-cluster", "-memory", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	b, err := redisbroker.Open("redis://shy:secret@"+server.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	got, err := b.Describe(t.Context())
	if err != nil || got.Kind != "redis" || got.Version != "" || got.Persistence != "" || got.ClockDoubt != 0 {
		t.Errorf("Describe() = %+v, %v, want no more than what is known without asking", got, err)
	}
}

func TestAClusterTellsWhereItsQueuesAre(t *testing.T) {
	cluster := redistest.StartCluster(t, redistest.Options{})
	b, err := redisbroker.Open(cluster.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	got, err := b.Describe(t.Context(), "mail")
	if err != nil {
		t.Fatal(err)
	}
	c := got.Cluster
	if got.Kind != "redis cluster" || c == nil || c.State != "ok" || c.Size != 3 || c.Nodes < 3 {
		t.Fatalf("Describe() = %+v with %+v, want a cluster of three that is ok", got, c)
	}
	want := cluster.Slot(t, "{mail}")
	if len(c.Places) != 1 || c.Places[0].Queue != "mail" || strconv.Itoa(c.Places[0].Slot) != want || len(c.Places[0].Nodes) == 0 {
		t.Errorf("Describe() has the places %+v, want slot %s with its nodes", c.Places, want)
	}
}

func TestAClosedBrokerTellsNothing(t *testing.T) {
	b, err := redisbroker.Open(redistest.Shared(t).URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Describe(t.Context()); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("Describe() = %v, want ErrClosed", err)
	}
}

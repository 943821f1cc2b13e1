package redisbroker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

var _ broker.Describer = (*Broker)(nil)

// Describe implements [broker.Describer]. Of a cluster it asks one node, but for
// what a cluster has in common.
func (b *Broker) Describe(ctx context.Context, queues ...string) (broker.About, error) {
	if err := b.Ping(ctx); err != nil {
		return broker.About{}, fmt.Errorf("describe: %w", err)
	}
	a := broker.About{Kind: "redis", Address: b.address, Prefix: b.options.Prefix, Events: b.options.Events > 0}
	if info, err := b.client.Info(ctx).Result(); err == nil {
		a.Facts = facts(info)
	}
	tell(&a)
	a.Persistence = b.persistence(ctx, a.Facts)
	asked := time.Now()
	if theirs, err := b.client.Time(ctx).Result(); err == nil {
		took := time.Since(asked)
		a.ClockOffset, a.ClockDoubt = theirs.Sub(asked.Add(took/2)), max(took/2, 1)
	}
	if c, ok := b.client.(*redis.ClusterClient); ok {
		a.Kind, a.Cluster = "redis cluster", b.describeCluster(ctx, c, queues)
	}
	return a, nil
}

// facts reads the reply to INFO, or to CLUSTER INFO.
func facts(info string) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			all[name] = value
		}
	}
	return all
}

// tell fills in what the facts say. A word that is no number stands for nothing.
func tell(a *broker.About) {
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(a.Facts[name], 10, 64)
		return n
	}
	a.Version = a.Facts["redis_version"]
	if a.Facts["uptime_in_seconds"] != "" {
		a.Uptime = max(time.Duration(number("uptime_in_seconds"))*time.Second, time.Second)
	}
	a.Connections = int(number("connected_clients"))
	a.Memory, a.PeakMemory, a.MaxMemory = number("used_memory"), number("used_memory_peak"), number("maxmemory")
	a.Eviction = a.Facts["maxmemory_policy"]
}

// persistence returns what survives a crash, as the server's words for it; "" if it may
// not be asked.
func (b *Broker) persistence(ctx context.Context, facts map[string]string) string {
	if facts["aof_enabled"] == "1" {
		return "appendonly"
	}
	said, err := b.client.ConfigGet(ctx, "save").Result()
	switch {
	case err != nil:
		return ""
	case said["save"] == "":
		return "none"
	default:
		return "snapshots"
	}
}

// describeCluster asks a cluster, and where the named queues are, if each has a slot of
// its own.
func (b *Broker) describeCluster(ctx context.Context, client *redis.ClusterClient, queues []string) *broker.Cluster {
	c := &broker.Cluster{Shards: b.options.Shards}
	if info, err := client.ClusterInfo(ctx).Result(); err == nil {
		said := facts(info)
		c.State = said["cluster_state"]
		c.Nodes, _ = strconv.Atoi(said["cluster_known_nodes"])
		c.Size, _ = strconv.Atoi(said["cluster_size"])
	}
	if len(queues) == 0 || c.Shards > 0 {
		return c
	}
	slots, err := client.ClusterSlots(ctx).Result() //nolint:staticcheck // Redis 6.2 knows no other
	if err != nil {
		return c
	}
	for _, queue := range queues {
		at := slot(queue)
		place := broker.QueuePlace{Queue: queue, Slot: at}
		for _, s := range slots {
			if s.Start <= at && at <= s.End {
				for _, node := range s.Nodes {
					place.Nodes = append(place.Nodes, node.Addr)
				}
			}
		}
		c.Places = append(c.Places, place)
	}
	return c
}

package command

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// A storage is what a storage tells of itself.
type storage struct {
	view.Storage

	notTold error
}

// described returns what the storage tells of itself. It may tell nothing.
func described(ctx context.Context, i *queue.Inspector) storage {
	about, err := i.Describe(ctx)
	return storage{view.StorageOf(about), err}
}

// places returns where queues are in a cluster; nil if there is none, or it does not say.
func places(ctx context.Context, i *queue.Inspector, infos []queue.QueueInfo) map[string]broker.QueuePlace {
	var names []string
	for _, info := range infos {
		names = append(names, info.Queue)
	}
	about, err := i.Describe(ctx, names...)
	if err != nil || about.Cluster == nil || len(about.Cluster.Places) == 0 {
		return nil
	}
	where := map[string]broker.QueuePlace{}
	for _, p := range about.Cluster.Places {
		where[p.Queue] = p
	}
	return where
}

// row returns the names of what is known, and what it is.
func (s storage) row() [2][]string {
	var row [2][]string
	for _, f := range [][2]string{
		{"version", s.Version}, {"uptime", uptime(s.UptimeSeconds)}, {"connections", number(s.Connections)}, {"memory usage", size(s.MemoryBytes)},
		{"peak memory usage", size(s.PeakMemoryBytes)}, {"persistence", s.Persistence}, {"Cluster State", s.ClusterState},
		{"Cluster Known Nodes", number(s.ClusterNodes)}, {"Cluster Size", number(s.ClusterSize)}, {"Shards", number(s.Shards)},
	} {
		name, text := f[0], f[1]
		if strings.HasPrefix(s.Kind, "sqlite") && name == "memory usage" {
			name = "size"
		}
		if text != "" {
			row[0], row[1] = append(row[0], name), append(row[1], text)
		}
	}
	if s.notTold != nil {
		row[0], row[1] = append(row[0], "not told"), append(row[1], s.notTold.Error())
	}
	return row
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func size(n int64) string {
	if n == 0 {
		return ""
	}
	return quantity.Bytes(n)
}

func uptime(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	if days := int(seconds / 86400); days > 0 {
		return fmt.Sprintf("%d days", days)
	}
	return quantity.Seconds(seconds)
}

package asynqmon

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/prom"
)

// A redis is what a Redis tells of itself.
type redis struct {
	Address   string            `json:"address"`
	Info      map[string]string `json:"info"`
	RawInfo   string            `json:"raw_info"`
	Cluster   bool              `json:"cluster"`
	RawNodes  string            `json:"raw_cluster_nodes"`
	Locations []location        `json:"queue_locations"`
}

// A location is where a queue is in a cluster.
type location struct {
	Queue string   `json:"queue"`
	Slot  int      `json:"keyslot"`
	Nodes []string `json:"nodes"`
}

// readRedis tells of the Redis; there is nothing at its address if the storage is none.
func readRedis(ctx context.Context, m *monitor, _ *call) (any, error) {
	names, err := m.names(ctx)
	if err != nil {
		return nil, err
	}
	about, err := m.Storage.Inspector.Describe(ctx, names...)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(about.Kind, "redis") {
		return nil, problem.New(http.StatusNotFound, "no-redis", "the storage is no Redis")
	}
	r := redis{Address: about.Address, Info: about.Facts, RawInfo: rawOf(about.Facts), Cluster: about.Cluster != nil, Locations: []location{}}
	if r.Info == nil {
		r.Info = map[string]string{}
	}
	if about.Cluster != nil {
		for _, p := range about.Cluster.Places {
			r.Locations = append(r.Locations, location{p.Queue, p.Slot, p.Nodes})
		}
	}
	return r, nil
}

// rawOf returns facts as a Redis writes them.
func rawOf(facts map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		b.WriteString(name + ":" + facts[name] + "\r\n")
	}
	return b.String()
}

// charts are the fields of what is answered for metrics, each of which is a chart.
var charts = []string{
	"queue_size", "queue_latency_seconds", "queue_memory_usage_approx_bytes", "tasks_processed_per_second", "tasks_failed_per_second",
	"error_rate", "pending_tasks_by_queue", "retry_tasks_by_queue", "archived_tasks_by_queue",
}

// mostSeconds is how long a range of metrics may be.
const mostSeconds = 366 * 24 * 3600

func readMetrics(ctx context.Context, m *monitor, c *call) (any, error) {
	duration, err := c.number("duration", 3600, mostSeconds)
	if err != nil {
		return nil, err
	}
	end, err := c.end(m.Storage.Now())
	if err != nil {
		return nil, err
	}
	if m.Prom == nil {
		return nil, problem.New(http.StatusNotFound, "no-prometheus", "no Prometheus server is configured")
	}
	var queues []string
	if list := c.query.Get("queues"); list != "" {
		queues = strings.Split(list, ",")
	}
	answer := map[string]json.RawMessage{}
	for _, name := range charts {
		chart, known := prom.Find(name)
		if !known {
			return nil, problem.New(http.StatusNotFound, "no-chart", "there is no chart "+name)
		}
		if answer[name], err = m.Prom.Answer(ctx, chart, end.Add(-time.Duration(duration)*time.Second), end, queues); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// end returns until when metrics are asked for.
func (c *call) end(now time.Time) (time.Time, error) {
	text := c.query.Get("endtime")
	if text == "" {
		return now, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > now.AddDate(100, 0, 0).Unix() {
		return now, task.Invalid("endtime", text, "must be a time in seconds since 1970")
	}
	return time.Unix(seconds, 0), nil
}

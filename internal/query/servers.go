package query

import (
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Servers is the language of servers.
var Servers = &Language[broker.Server]{
	things:  "servers",
	declare: serverFields,
	bare:    func(s broker.Server) []string { return []string{s.ID, s.Host} },
}

func serverFields() []field[broker.Server] {
	type server = broker.Server
	return []field[server]{
		textField("host", "the machine that it runs on", "host:web-*", func(s server) string { return s.Host }),
		countField("pid", "its process there", "pid:4711", func(s server) int { return s.PID }),
		textField("id", "its id", "id:3f2a*", func(s server) string { return s.ID }),
		wordField("state status s", "whether it takes new tasks", "state:stopped", []string{"active", "stopped"}, func(s server) string { return s.Status }),
		textsField("queue q", "a queue that it serves", "queue:critical", func(s server) []string { return slices.Sorted(maps.Keys(s.Queues)) }),
		textsField("type", "the type of a task that it is running", "type:email:*", func(s server) []string {
			var types []string
			for _, w := range s.Workers {
				types = append(types, w.Type)
			}
			return types
		}),
		countField("concurrency", "how many tasks it runs at once", "concurrency>10", func(s server) int { return s.Concurrency }),
		countField("running", "how many it is running", "running:0", func(s server) int { return len(s.Workers) }),
		truthField("strict", "whether its priorities are strict", "strict:yes", func(s server) bool { return s.Strict }),
		momentField(kindAge, "age", "how long ago it was started", "age>7d", func(s server) time.Time { return s.Started }),
		momentField(kindMoment, "started", "when it was started; a duration is so long ago", "started>1h", func(s server) time.Time { return s.Started }),
	}
}

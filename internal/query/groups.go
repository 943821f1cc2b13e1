package query

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A Group is a group of a queue that holds tasks.
type Group struct {
	broker.Group
	Queue string
}

// Groups is the language of groups.
var Groups = &Language[Group]{
	things:  "groups",
	declare: groupFields,
	bare:    func(g Group) []string { return []string{g.Name} },
}

func groupFields() []field[Group] {
	return []field[Group]{
		textField("queue q", "the queue that it is in", "queue:mail", func(g Group) string { return g.Queue }),
		textField("group name", "its name", "group:user-*", func(g Group) string { return g.Name }),
		countField("size", "how many tasks wait in it", "size>100", func(g Group) int { return g.Size }),
		countField("frozen", "how many are being folded", "frozen:0", func(g Group) int { return g.Frozen }),
		spanField("age", "for how long the task has waited in it that waits longest", "age>10m", func(g Group, now time.Time) (time.Duration, bool) {
			return now.Sub(g.Oldest), !g.Oldest.IsZero()
		}),
	}
}

package query

import (
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

// Entries is the language of periodic entries.
var Entries = &Language[periodic.Info]{
	things:  "entries",
	declare: entryFields,
	bare:    func(i periodic.Info) []string { return []string{i.Name, i.Schedule, i.Type} },
}

func entryFields() []field[periodic.Info] {
	type info = periodic.Info
	sources := []string{string(periodic.FromCode), string(periodic.FromProvider), string(periodic.FromStore)}
	return []field[info]{
		textField("name id", "what it is known by", "name:report*", func(i info) string { return i.Name }),
		textField("schedule", "when its ticks are", `schedule:@every*`, func(i info) string { return i.Schedule }),
		textField("zone", "the time zone that its schedule is in", "zone:Europe/*", func(i info) string { return i.Zone }),
		textField("type", "the type of its tasks", "type:report:*", func(i info) string { return i.Type }),
		textField("queue q", "the queue of its tasks", "queue:mail", queueOf),
		wordField("source", "where it comes from", "source:store", sources, func(i info) string { return string(i.Source) }),
		truthField("paused", "whether it is paused", "paused:yes", func(i info) bool { return i.Paused != nil }),
		truthField("late", "whether its next tick should have been decided", "late:yes", func(i info) bool { return i.Late }),
		truthField("running", "whether a scheduler that is alive runs it", "running:no", func(i info) bool { return len(i.RunBy) > 0 }),
		momentField(kindDue, "next", "its next tick; a duration is so long from now", "next<1h", func(i info) time.Time { return i.Next }),
		momentField(kindMoment, "prev", "its last tick that was enqueued; a duration is so long ago", "prev<1d", func(i info) time.Time { return i.Prev }),
	}
}

// queueOf returns the queue of an entry's tasks, "" if its options cannot be read.
func queueOf(i periodic.Info) string {
	s, err := task.Resolve(time.Now(), i.Options)
	if err != nil {
		return ""
	}
	return s.Queue
}

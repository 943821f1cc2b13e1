package query

import (
	"time"

	"github.com/leatwork/leat/task"
)

// Tasks is the language of tasks.
var Tasks = &Language[*task.Info]{
	things:  "tasks",
	declare: taskFields,
	bare:    func(i *task.Info) []string { return []string{i.ID, i.Type, i.LastErr} },
}

func taskFields() []field[*task.Info] {
	var states []string
	for _, s := range task.States() {
		states = append(states, s.String())
	}
	type info = *task.Info
	return []field[info]{
		textField("queue q", "the queue that it is in", "queue:mail,default", func(i info) string { return i.Queue }),
		wordField("state s", "how it stands", "state:retry,archived", states, func(i info) string { return i.State.String() }),
		textField("type", "what is to be done", "type:email:*", func(i info) string { return i.Type }),
		textField("id", "its id; one without a * is looked up, not searched for", "id:3f2a*", func(i info) string { return i.ID }),
		textField("group", "the group in which it waits to be folded, or will", "group:customer-17", func(i info) string { return i.Group }),
		textField("error", `the text of its last failure; error:"" for those that have none`, `error~"connection refused"`, func(i info) string { return i.LastErr }),
		documentField("payload", "its payload as text; payload.PATH: what is there in a payload of JSON", "payload.items.0.sku:A-7", func(i info) []byte { return i.Payload }),
		documentField("result", "what its handler wrote; result.PATH: what is there in JSON", "result.total>=100", func(i info) []byte { return i.Result }),
		documentField("progress", "what its handler last reported; progress.PATH: what is there in JSON", "progress.done<50", func(i info) []byte { return i.Progress }),
		namedField("header.NAME", "one of its headers", "header.tenant:acme", func(i info) map[string]string { return i.Headers }),
		momentField(kindAge, "age", "how long ago it was completed, or else last failed; other tasks have none", "age>2h", ended),
		momentField(kindDue, "due", "when it is due, if it is scheduled or to be retried; a duration is so long from now", "due<10m", due),
		momentField(kindMoment, "failed", "when it last failed; a duration is so long ago", "failed>2026-11-30", func(i info) time.Time { return i.LastFailedAt }),
		momentField(kindMoment, "completed", "when it was completed; a duration is so long ago", "completed>1h", func(i info) time.Time { return i.CompletedAt }),
		momentField(kindDue, "deadline", "when it must be done; a duration is so long from now", "deadline<1h", func(i info) time.Time { return i.Deadline }),
		countField("retried attempt", "how many retries were used", "retried>3", func(i info) int { return i.Retried }),
		countField("max_retry", "how many retries are allowed", "max_retry:0", func(i info) int { return i.MaxRetry }),
		countField("crashes", "how often its worker was lost, since an outcome was last recorded", "crashes>0", func(i info) int { return i.Crashes }),
		spanField("timeout", "how long an attempt may take; none has 0s", "timeout>30m", func(i info, _ time.Time) (time.Duration, bool) { return i.Timeout, true }),
		wordField("end", "why it was archived, if not because it failed too often", "end:poison",
			[]string{"cancelled", "expired", "poison", "undecodable"}, func(i info) string { return i.End }),
		truthField("orphaned", "whether it is active and no worker has it any more", "orphaned:yes", func(i info) bool { return i.IsOrphaned }),
		truthField("cancelling", "whether it is active and somebody has asked for it to be cancelled", "cancelling:yes", func(i info) bool { return i.CancelAsked }),
		textField("unique", "what it is the only one with in its queue", "unique:*", func(i info) string { return i.UniqueKey }),
		countField("size", "how many bytes its payload has", "size>=1000", func(i info) int { return len(i.Payload) }),
	}
}

// ended returns when something was last recorded of a task that came to an end, or
// failed.
func ended(i *task.Info) time.Time {
	if !i.CompletedAt.IsZero() {
		return i.CompletedAt
	}
	return i.LastFailedAt
}

// due returns when a task that waits for its time is due.
func due(i *task.Info) time.Time {
	if i.State == task.Scheduled || i.State == task.Retry {
		return i.NextProcessAt
	}
	return time.Time{}
}

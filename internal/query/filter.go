package query

import (
	"strings"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// Filter returns what [queue.Inspector.Bulk] takes in order to do something to the tasks
// that q takes now: how old they are is counted until this call, however long it then
// takes. The empty query's is the zero Filter. What a BulkRequest says by its own fields
// can be left out, see [Query.Without].
func Filter(q Query[*task.Info]) queue.Filter {
	if q.Empty() {
		return queue.Filter{}
	}
	now := time.Now()
	return queue.Filter{Type: q.typePrefix(), Match: func(i *task.Info) bool { return q.Match(now, i) }}
}

// typePrefix returns what the type of all tasks begins with that q takes.
func (q Query[T]) typePrefix() (prefix string) {
	for _, t := range q.terms {
		if t.field != "type" || t.op != opIs || t.not || len(t.values) > 1 {
			continue
		}
		if begin := t.values[0].pattern[0]; len(begin) > len(prefix) || !strings.HasPrefix(prefix, begin) {
			prefix = begin
		}
	}
	return prefix
}

// Package tick names what the task of a tick carries in its headers: package
// periodic writes it, and whatever the task starts reads it.
package tick

import (
	"strings"

	"github.com/leatwork/leat/task"
)

// The headers of a tick's task.
const (
	Entry   = "leat-entry"   // the name of the periodic entry
	Time    = "leat-tick"    // the tick's nominal time: RFC 3339, in UTC
	Overlap = "leat-overlap" // one of the words below
	Cancels = "leat-cancels" // ids of tasks that were cancelled to make way, joined by commas

	Backfill = "leat-backfill" // the id of the backfill that the task is part of, if it is
)

// The words of Overlap: what becomes of a tick while an earlier one is under way.
const (
	Allow  = "allow"
	Skip   = "skip"
	Queue  = "queue"
	Cancel = "cancel"
)

// Whole reports whether what the task with these headers has started is to be
// over before the task is: later ticks depend on it, or those that a backfill runs a
// few at a time.
func Whole(headers map[string]string) bool {
	overlap := headers[Overlap]
	return overlap != "" && overlap != Allow || headers[Backfill] != ""
}

// Cancelled returns the ids of the tasks that were cancelled for this one.
func Cancelled(headers map[string]string) []string {
	if headers[Cancels] == "" {
		return nil
	}
	return strings.Split(headers[Cancels], ",")
}

// Name returns the id of a task without what is kept for ids that are made: so may
// a user's thing be named that the task makes.
func Name(taskID string) string { return strings.ReplaceAll(taskID, string(task.Joint), ".") }

// StartType returns the type of the tasks that start runs of the workflow with that
// name.
func StartType(workflow string) string { return "workflow:start:" + workflow }

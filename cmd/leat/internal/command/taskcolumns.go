package command

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/task"
)

type taskColumn = output.Column[view.Task]

// taskTable returns how tasks are listed that are all in one state, or in several if
// that is 0. Their ids are told with their queues unless all are of one.
func taskTable(state task.State, oneQueue bool) output.Table[view.Task] {
	t := output.Table[view.Task]{ID: taskName, Empty: "No tasks."}
	if oneQueue {
		t.ID = func(t view.Task) string { return t.ID }
	}
	t.Columns = []taskColumn{nameColumn("ID", func(t view.Task) string { return t.ID })}
	if state == 0 {
		t.Columns = append(t.Columns, nameColumn("Queue", queueOfTask), taskColumn{Name: "State", Cell: stateOfTask, State: true})
	} else {
		t.Empty = fmt.Sprintf("No %s tasks.", state)
		t.Columns = append(t.Columns, wide(nameColumn("Queue", queueOfTask)))
	}
	t.Columns = append(t.Columns, nameColumn("Type", func(t view.Task) string { return t.Type }),
		taskColumn{Name: "Payload", Cell: payloadLine, Loose: true})
	t.Columns = append(t.Columns, columnsOf(state)...)
	return t
}

func taskName(t view.Task) string       { return t.Queue + "/" + t.ID }
func queueOfTask(t view.Task) string    { return t.Queue }
func stateOfTask(t view.Task) string    { return t.State }
func payloadLine(t view.Task) string    { return dataLine(t.Payload, t.PayloadBase64) }
func resultLine(t view.Task) string     { return dataLine(t.Result, t.ResultBase64) }
func errorLine(t view.Task) string      { return plain.Name(t.Error) }
func lastFailed(t view.Task) string     { return quantity.Time(t.FailedAt) }
func nextAttempt(t view.Task) string    { return until(time.Now(), t.NextProcessAt) }
func wide(c taskColumn) taskColumn      { c.Wide = true; return c }
func retriedOf(t view.Task) string      { return fmt.Sprint(t.Retried) }
func maxRetryOf(t view.Task) string     { return fmt.Sprint(t.MaxRetry) }
func headersLine(t view.Task) string    { return strings.ReplaceAll(headerLines(t), "\n", ", ") }
func completedClock(t view.Task) string { return quantity.Time(t.CompletedAt) }

// nameColumn is a column of what a stranger may have named.
func nameColumn(name string, of func(view.Task) string) taskColumn {
	return taskColumn{Name: name, Cell: func(t view.Task) string { return plain.Name(of(t)) }}
}

// columnsOf returns the columns that a list of tasks in a state has beside those of all;
// of tasks in several states, if it is 0, what matters most of each.
func columnsOf(state task.State) []taskColumn {
	failed := taskColumn{Name: "Last Failed", Cell: lastFailed}
	why := taskColumn{Name: "Last Error", Cell: errorLine, Loose: true}
	more := []taskColumn{
		wide(nameColumn("Unique Key", func(t view.Task) string { return t.UniqueKey })),
		{Name: "Headers", Cell: headersLine, Wide: true},
	}
	retries := []taskColumn{{Name: "Retried", Cell: retriedOf}, {Name: "Max Retry", Cell: maxRetryOf}}
	var own []taskColumn
	switch state {
	case task.Scheduled:
		own = []taskColumn{{Name: "Process In", Cell: nextAttempt}}
	case task.Retry:
		own = append([]taskColumn{{Name: "Next Retry", Cell: nextAttempt}, why, failed}, retries...)
	case task.Archived:
		own = []taskColumn{failed, why, wide(nameColumn("End", func(t view.Task) string { return t.End }))}
	case task.Completed:
		own = []taskColumn{{Name: "CompletedAt", Cell: completedClock}, {Name: "Result", Cell: resultLine, Loose: true}}
	case task.Aggregating:
		own = []taskColumn{nameColumn("Group", func(t view.Task) string { return t.Group })}
	case task.Active:
		own = []taskColumn{{Name: "Note", Cell: taskNote, Wide: true}}
	case task.Pending:
	default:
		own = []taskColumn{{Name: "Note", Cell: taskNote, Loose: true}}
	}
	if state != task.Retry {
		for _, c := range retries {
			own = append(own, wide(c))
		}
	}
	return append(own, more...)
}

// taskNote returns what matters most of a task in its state.
func taskNote(t view.Task) string {
	switch t.State {
	case "active":
		switch {
		case t.Orphaned:
			return "no worker has it any more"
		case t.Cancelling:
			return "is asked to end"
		}
		return ""
	case "scheduled":
		return nextAttempt(t)
	case "retry":
		return fmt.Sprintf("%s, %d/%d: %s", nextAttempt(t), t.Retried, t.MaxRetry, errorLine(t))
	case "archived":
		if t.End != "" {
			return t.End
		}
		return errorLine(t)
	case "completed":
		return resultLine(t)
	case "aggregating":
		return "group " + plain.Name(t.Group)
	default:
		return ""
	}
}

// bytesOf returns what was stored, of a field of view: exactly if it was no JSON.
func bytesOf(value view.Data, bytes []byte) []byte {
	if value == nil {
		return bytes
	}
	var text string
	if json.Unmarshal(value, &text) == nil && value[0] == '"' {
		return []byte(text)
	}
	return value
}

func dataLine(value view.Data, bytes []byte) string { return plain.Line(bytesOf(value, bytes)) }
func dataText(value view.Data, bytes []byte) string { return plain.Text(bytesOf(value, bytes)) }

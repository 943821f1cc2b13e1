package pages

import (
	"encoding/json"
	"fmt"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// A taskTable is tasks in a table, whose columns suit the state that they are in.
type taskTable struct {
	OneQueue, OneState bool // which are then not told
	Chosen             bool // its columns are those that somebody chose, and no others
	Link               int  // which of these leads to the task
	Columns            []taskColumn
	Rows               []taskRow
	Empty              string // what is said if there are none
	State, Query       string // the state that they are all in, or ""; and what takes them all
}

// A taskRow is a task in a table.
type taskRow struct {
	Queue, ID, Type string
	State           string
	Acts            string // its state, as what may be done to it goes by that
	Payload         string
	Cells           []any
}

// A taskColumn is a column that was chosen, or that some states have.
type taskColumn struct {
	Key         string // of one that was chosen
	Title, Help string
	Num         bool
	cell        func(t view.Task) any // of one that was not
}

// How much of a payload is looked at, and of an error shown.
const (
	lineBytes = 2 << 10 // that are looked at
	lineWidth = 120
)

// tableOf returns tasks as who has the role may see them. state is the one that they are
// all in, or 0.
func (p *Pages) tableOf(role access.Role, tasks []*task.Info, servers []broker.Server, state task.State, oneQueue bool) taskTable {
	t := newTaskTable(state)
	t.OneQueue, t.OneState, t.Columns = oneQueue, state != 0, columnsOf(state, p.MaxResult)
	for _, i := range tasks {
		i = p.Rules.Info(role, i)
		shown := view.TaskOf(i, servers...)
		row := rowOf(i)
		row.Payload = oneLine(i.Payload, p.MaxPayload)
		for _, c := range t.Columns {
			row.Cells = append(row.Cells, c.cell(shown))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// newTaskTable returns a table without columns and rows of tasks that are all in a state, or
// in several if it is 0.
func newTaskTable(state task.State) taskTable {
	if state == 0 {
		return taskTable{Empty: "No tasks."}
	}
	return taskTable{State: state.String(), Empty: "No " + state.String() + " tasks."}
}

// rowOf returns the row of a task, without what is shown in it.
func rowOf(i *task.Info) taskRow {
	return taskRow{Queue: i.Queue, ID: i.ID, Type: i.Type, State: i.State.String(), Acts: deed.TaskState(i)}
}

// oneLine returns the beginning of b on one line.
func oneLine(b []byte, width int) string {
	if most := max(lineBytes, 4*width); len(b) > most {
		b = b[:most]
	}
	return plain.Cut(plain.Line(b), width)
}

// resultLine returns the beginning of a result on one line.
func resultLine(t view.Task, width int) string {
	return oneLine(bytesOf(t.Result, t.ResultBase64), width)
}

// errorLine returns the beginning of an error on one line.
func errorLine(t view.Task) any { return plain.Cut(plain.Name(t.Error), lineWidth) }

// columnsOf returns the columns that tasks in a state have beside those of all; of tasks in
// several states, if it is 0, what matters most of each.
func columnsOf(state task.State, result int) []taskColumn {
	failed := taskColumn{Title: "Last failed", cell: func(t view.Task) any { return ago(t.FailedAt) }}
	why := taskColumn{Title: "Last error", cell: errorLine}
	switch state {
	case task.Active:
		return []taskColumn{{Title: "Since", cell: since}, {Title: "Worker", cell: worker}, {Title: "Note", cell: func(t view.Task) any { return note(t, result) }}}
	case task.Scheduled:
		return []taskColumn{{Title: "Due", cell: func(t view.Task) any { return ago(t.NextProcessAt) }}}
	case task.Retry:
		return []taskColumn{
			{Title: "Next attempt", cell: func(t view.Task) any { return ago(t.NextProcessAt) }},
			{Title: "Retried", Num: true, cell: retried}, why, failed,
		}
	case task.Archived:
		return []taskColumn{failed, {Title: "Retried", Num: true, cell: retried}, {Title: "Ended", cell: func(t view.Task) any { return t.End }}, why}
	case task.Completed:
		return []taskColumn{
			{Title: "Completed", cell: func(t view.Task) any { return ago(t.CompletedAt) }},
			{Title: "Result", cell: func(t view.Task) any { return resultLine(t, result) }},
		}
	case task.Aggregating:
		return []taskColumn{{Title: "Group", cell: func(t view.Task) any { return plain.Name(t.Group) }}}
	case task.Pending:
		return []taskColumn{{Title: "Retried", Num: true, cell: retried}}
	default:
		return []taskColumn{{Title: "When", cell: occasion}, {Title: "Note", cell: func(t view.Task) any { return note(t, result) }}}
	}
}

func retried(t view.Task) any { return fmt.Sprintf("%d/%d", t.Retried, t.MaxRetry) }

func since(t view.Task) any {
	if t.Worker == nil {
		return "–"
	}
	return ago(t.Worker.StartedAt)
}

func worker(t view.Task) any {
	if t.Worker == nil {
		return "–"
	}
	return plain.Name(fmt.Sprintf("%s:%d", t.Worker.Host, t.Worker.PID))
}

// occasion returns the moment that matters most of a task in its state.
func occasion(t view.Task) any {
	switch t.State {
	case "active":
		return since(t)
	case "scheduled", "retry":
		return ago(t.NextProcessAt)
	case "archived":
		return ago(t.FailedAt)
	case "completed":
		return ago(t.CompletedAt)
	}
	return "–"
}

// note returns what matters most of a task in its state.
func note(t view.Task, result int) any {
	switch t.State {
	case "active":
		switch {
		case t.Orphaned:
			return "no worker has it any more"
		case t.Cancelling:
			return "is asked to end"
		}
		return ""
	case "retry":
		return plain.Cut(fmt.Sprintf("%d/%d: %s", t.Retried, t.MaxRetry, plain.Name(t.Error)), lineWidth)
	case "archived":
		if t.End != "" {
			return t.End
		}
		return errorLine(t)
	case "completed":
		return resultLine(t, result)
	case "aggregating":
		return "group " + plain.Name(t.Group)
	}
	return ""
}

// bytesOf returns what was stored, of a field of view: exactly if it was no JSON.
func bytesOf(value view.Data, raw []byte) []byte {
	if value == nil {
		return raw
	}
	var text string
	if value[0] == '"' && json.Unmarshal(value, &text) == nil {
		return []byte(text)
	}
	return value
}

package dash

import (
	"strconv"
	"time"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/task"
)

type taskColumn = column[*task.Info]

// columns returns what is shown of the tasks of the list's place.
func (l *taskList) columns() []taskColumn {
	t := l.app.theme
	id := taskColumn{title: "ID", min: 13, most: 36, cut: true, ids: true, cell: func(i *task.Info) cell { return text(i.ID) }}
	kind := taskColumn{title: "Type", min: 12, most: 30, cut: true, cell: func(i *task.Info) cell { return text(i.Type) }}
	retry := taskColumn{title: "Retry", right: true, extra: 3, cell: func(i *task.Info) cell {
		return text(strconv.Itoa(i.Retried) + "/" + strconv.Itoa(i.MaxRetry))
	}}
	payload := taskColumn{title: "Payload", min: 8, grows: true, extra: 2, cell: func(i *task.Info) cell { return text(plain.Line(beginning(i.Payload))) }}
	failure := taskColumn{title: "Error", min: 10, grows: true, cell: func(i *task.Info) cell { return styled(t.bad, i.LastErr) }}
	failed := l.timeColumn("Failed", 2, func(i *task.Info) time.Time { return i.LastFailedAt })
	due := l.timeColumn("Due", 0, func(i *task.Info) time.Time { return i.NextProcessAt })
	switch l.place.state {
	case task.Active:
		return []taskColumn{id, kind, l.statusColumn(), retry, payload}
	case task.Pending:
		return []taskColumn{id, kind, retry, payload}
	case task.Scheduled:
		return []taskColumn{id, kind, due, payload}
	case task.Retry:
		return []taskColumn{id, kind, retry, due, failed, failure}
	case task.Archived:
		return []taskColumn{id, kind, retry, failed, l.endColumn(), failure}
	case task.Completed:
		return []taskColumn{id, kind, l.timeColumn("Completed", 0, func(i *task.Info) time.Time { return i.CompletedAt }), payload,
			{title: "Result", min: 8, grows: true, cell: func(i *task.Info) cell { return text(plain.Line(beginning(i.Result))) }}}
	case task.Aggregating:
		return []taskColumn{id, kind, {title: "Group", extra: 1, min: 8, most: 30, cell: func(i *task.Info) cell { return text(i.Group) }}, payload}
	}
	inQueue := taskColumn{title: "Queue", min: 7, most: 20, cut: true, cell: func(i *task.Info) cell { return text(i.Queue) }}
	what := taskColumn{title: "Error or payload", min: 10, grows: true, cell: func(i *task.Info) cell {
		if i.LastErr != "" {
			return styled(t.bad, i.LastErr)
		}
		return text(plain.Line(beginning(i.Payload)))
	}}
	return []taskColumn{inQueue, l.stateColumn(), id, kind, retry, what}
}

// widest is how many bytes of a payload are looked at for a row.
const widest = 4 << 10

// beginning returns as much of b as a row may show: where it is cut, it is not JSON.
func beginning(b []byte) []byte {
	if len(b) <= widest {
		return b
	}
	b = b[:widest]
	for n := range 3 { // do not cut a character
		if b[len(b)-1-n]&0xC0 != 0x80 {
			return b[:len(b)-1-n]
		}
	}
	return b
}

func (l *taskList) timeColumn(title string, extra int, of func(*task.Info) time.Time) taskColumn {
	return taskColumn{title: title, min: 11, extra: extra, cell: func(i *task.Info) cell { return text(when(l.app.now(), of(i))) }}
}

// stateColumn tells the state by its letter, its name and its colour.
func (l *taskList) stateColumn() taskColumn {
	return taskColumn{title: "State", min: 11, cell: func(i *task.Info) cell {
		return styled(l.app.theme.states[i.State], i.State.String())
	}}
}

func (l *taskList) statusColumn() taskColumn {
	t := l.app.theme
	return taskColumn{title: "Status", min: 10, cell: func(i *task.Info) cell {
		switch {
		case i.IsOrphaned:
			return styled(t.bad, "orphaned")
		case i.CancelAsked:
			return styled(t.warn, "cancelling")
		}
		return styled(t.good, "running")
	}}
}

func (l *taskList) endColumn() taskColumn {
	return taskColumn{title: "End", min: 9, extra: 1, cell: func(i *task.Info) cell {
		if i.End == "" {
			return text("failed")
		}
		return text(i.End)
	}}
}

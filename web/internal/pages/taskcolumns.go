package pages

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/problem"
)

type taskField = query.Column[*task.Info]

const (
	mostColumns    = 20
	longestColumns = 1000 // bytes of their names, which a cookie has room for
)

// readColumns reads which columns somebody wants. None are those that suit the state.
func readColumns(text string) ([]taskField, error) {
	if err := checkLength(text); err != nil {
		return nil, err
	}
	columns, err := query.Tasks.Columns(text)
	if bad, ok := errors.AsType[*query.Error](err); ok {
		refused := problem.New(http.StatusBadRequest, "", bad.Reason)
		refused.Field, refused.Value, refused.Hint, refused.At = "columns", text, bad.Hint, &bad.Pos
		return nil, refused
	}
	if len(columns) > mostColumns {
		return nil, task.Invalid("columns", fmt.Sprint(len(columns)), fmt.Sprintf("must be at most %d", mostColumns))
	}
	return columns, errors.Join(err, checkLength(nameColumns(columns))) // an alias is shorter than the name
}

func checkLength(names string) error {
	if len(names) > longestColumns {
		return task.Invalid("columns", fmt.Sprintf("%d bytes", len(names)), fmt.Sprintf("must be at most %d bytes", longestColumns))
	}
	return nil
}

// nameColumns is how columns are named in an address and in a cookie.
func nameColumns(columns []taskField) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name()
	}
	return strings.Join(names, ",")
}

// chosenTable returns tasks with the columns that were chosen, as who has the role may see
// them. state is the one that they are all in, or 0.
func (p *Pages) chosenTable(role access.Role, tasks []*task.Info, state task.State, columns []taskField) taskTable {
	t := newTaskTable(state)
	t.Chosen = true
	t.Link = max(0, slices.IndexFunc(columns, func(c taskField) bool { return c.Field() == "id" }))
	for _, c := range columns {
		t.Columns = append(t.Columns, taskColumn{Key: c.Name(), Title: titleOf(c), Help: c.Help(), Num: c.IsNumber()})
	}
	now := p.Storage.Now()
	for _, i := range tasks {
		row := rowOf(i)
		for n, cell := range tellMasked(columns, now, i, p.Rules.Info(role, i)) {
			row.Cells = append(row.Cells, p.writeCell(columns[n], cell))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// tellMasked returns what columns tell of a task as it may be seen. Its size is that of all
// that it has: it is no secret.
func tellMasked(columns []taskField, now time.Time, i, shown *task.Info) []query.Cell {
	cells := query.Tell(columns, now, shown)
	if n := slices.IndexFunc(columns, func(c taskField) bool { return c.Field() == "size" }); n >= 0 {
		cells[n] = query.Tell(columns[n:n+1], now, i)[0]
	}
	return cells
}

// titleOf returns what a column is called: a whole field in words, and a part as it is
// written.
func titleOf(c taskField) string {
	switch {
	case c.Field() == "id":
		return "ID"
	case !c.IsWhole():
		return c.Name()
	}
	words := []rune(strings.ReplaceAll(c.Field(), "_", " "))
	words[0] = unicode.ToUpper(words[0])
	return string(words)
}

// writeCell returns a cell as it is shown, on one line.
func (p *Pages) writeCell(c taskField, cell query.Cell) any {
	width := lineWidth
	switch {
	case c.IsMoment():
		return ago(cell.At)
	case cell.Text == "":
		return nothing
	case c.Field() == "state":
		return state(cell.Text)
	case c.Field() == "payload":
		width = p.MaxPayload
	case c.Field() == "result":
		width = p.MaxResult
	}
	return oneLine([]byte(cell.Text), width)
}

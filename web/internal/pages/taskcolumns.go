package pages

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
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

// usualColumns are those that are offered by themselves.
var usualColumns = []string{
	"id", "queue", "state", "type", "payload", "group", "error", "age", "due", "failed", "completed", "retried", "max_retry", "size", "progress", "result",
}

// readColumns reads which columns somebody wants. None are those that suit the state.
func readColumns(text string) ([]taskField, error) {
	if len(text) > longestColumns {
		return nil, task.Invalid("columns", fmt.Sprintf("%d bytes", len(text)), fmt.Sprintf("must be at most %d bytes", longestColumns))
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
	return columns, err
}

// nameColumns is how columns are named in an address and in a cookie.
func nameColumns(columns []taskField) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name()
	}
	return strings.Join(names, ",")
}

// remembered returns what a page is asked for, with the columns that who asks has chosen
// before unless it names some.
func (s settings) remembered(one page, asked url.Values) url.Values {
	if one.path == "/tasks" && asked.Get("columns") == "" && s.Columns != "" {
		asked.Set("columns", s.Columns)
	}
	return asked
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

// A columnsForm offers columns of a list.
type columnsForm struct {
	Offered []offeredColumn // those that are shown first, in their order
	Asked   string          // those that are shown, unless they are the usual ones of the state
	Back    string          // the address of the list without columns
}

// An offeredColumn is a column that may be shown.
type offeredColumn struct {
	Name, Help string
	Shown      bool
}

// columnsForm returns the form that offers columns of the list that r asks for.
func (p *Pages) columnsForm(r *request, chosen []taskField) (columnsForm, error) {
	back, err := p.with(r, "columns", "")
	form := columnsForm{Asked: nameColumns(chosen), Back: back}
	usual, e := query.Tasks.Columns(strings.Join(usualColumns, ","))
	shown := chosen
	if len(shown) == 0 && e == nil {
		shown = usual[:5]
	}
	for _, c := range shown {
		form.Offered = append(form.Offered, offeredColumn{c.Name(), c.Help(), true})
	}
	for _, c := range usual {
		if !slices.ContainsFunc(shown, func(s taskField) bool { return s.Name() == c.Name() }) {
			form.Offered = append(form.Offered, offeredColumn{c.Name(), c.Help(), false})
		}
	}
	return form, errors.Join(err, e)
}

// saveColumns keeps which columns of tasks somebody wants in their browser, and leads to the
// list with them.
func (p *Pages) saveColumns(w http.ResponseWriter, r *http.Request) {
	back, ok := p.ownAddress(r.PostFormValue("back"))
	if !ok {
		back = p.Root + "/tasks"
	}
	text := ""
	if r.PostFormValue("usual") == "" {
		text = strings.Join(r.PostForm["columns"], ",")
	}
	columns, err := readColumns(text)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.remember(w, r, "columns", url.QueryEscape(nameColumns(columns)))
	address, err := url.Parse(back)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	said := address.Query()
	said.Del("columns")
	if len(columns) > 0 {
		said.Set("columns", nameColumns(columns))
	}
	address.RawQuery = said.Encode()
	http.Redirect(w, r, address.String(), http.StatusSeeOther)
}

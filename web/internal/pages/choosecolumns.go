package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/query"
)

// usualColumns are those that are offered by themselves.
var usualColumns = []string{
	"id", "queue", "state", "type", "payload", "group", "error", "age", "due", "failed", "completed", "retried", "max_retry", "size", "progress", "result",
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

// remembered returns what a page is asked for, with the columns that who asks has chosen
// before unless it names some.
func (s settings) remembered(one page, asked url.Values) url.Values {
	if one.path == "/tasks" && asked.Get("columns") == "" && s.Columns != "" {
		asked.Set("columns", s.Columns)
	}
	return asked
}

package web_test

import (
	"testing"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

func TestAQueryIsCompletedByKeys(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{})
	s.enqueue("a", "{}", task.Queue("mail"), task.ID("wanted"))
	s.enqueue("a", "{}", task.Queue("images"), task.ID("other"))
	p := s.look("/tasks", browsertest.Options{})
	const field = `main input[data-complete]`
	p.WaitFor(field + `[role=combobox]`)
	p.Type(field, "que")
	p.WaitFor(`.offers [role=option]`, "queue:")
	p.Axe()
	p.Press("ArrowDown")
	p.WaitFor(field + `[aria-activedescendant]`)
	p.Press("Enter")
	p.WaitFor(`.offers`, "images", "mail")
	p.Press("ArrowDown", "ArrowDown", "Tab")
	if got := browsertest.Eval[string](p, `() => document.querySelector("main input[data-complete]").value`); got != "queue:mail" {
		t.Errorf("the field has %q", got)
	}
	p.Leave("Enter", func() { p.Press("Enter") })
	p.WaitFor("main", "wanted")
	p.Type(field, "sta")
	p.WaitFor(`.offers [role=option]`, "state:")
	p.Press("Escape")
	p.WaitFor(field + `[aria-expanded=false]`)
}

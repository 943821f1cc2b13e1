package dash

import (
	"context"
	"fmt"
	"strconv"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/workflow"
)

const mostItems = 1000 // that are listed

// An items is the screen of the items of a map.
type items struct {
	app    *app
	handle workflow.Handle
	step   string
	table  table[workflow.ItemStatus]
}

func newItems(a *app, h workflow.Handle, step string) *items {
	s := &items{app: a, handle: h, step: step}
	s.table = table[workflow.ItemStatus]{
		sorted: -1, columns: s.columns(), open: s.open, empty: "No items: the step has not begun.",
		key: func(i workflow.ItemStatus) string { return strconv.Itoa(i.Item) },
	}
	return s
}

func (s *items) title() string       { return "Items of " + s.step }
func (s *items) bindings() []binding { return s.table.moves() }
func (s *items) click(x, y int)      { s.table.click(x, y) }
func (s *items) wheel(by int)        { s.table.wheel(by) }

func (s *items) ask() ask {
	return func(ctx context.Context) (func(), error) {
		found, err := s.handle.Items(ctx, s.step, 0, mostItems)
		return func() { s.table.set(found) }, err
	}
}

// open opens the run or the task that an item is.
func (s *items) open(i workflow.ItemStatus) {
	switch {
	case i.Child != "":
		s.app.push(newRun(s.app, workflow.OpenRun(queue.NewClient(s.app.Broker), i.Queue, i.Child)))
	case i.TaskID != "":
		s.app.push(newTaskScreen(s.app, i.Queue, i.TaskID))
	}
}

func (s *items) columns() []column[workflow.ItemStatus] {
	return []column[workflow.ItemStatus]{
		{title: "Item", right: true, min: 6, cell: func(i workflow.ItemStatus) cell { return text(strconv.Itoa(i.Item)) }},
		{title: "State", min: 10, cell: func(i workflow.ItemStatus) cell {
			return styled(s.app.theme.stepStyle(i.State), stepSigns[i.State]+" "+i.State.String())
		}},
		{title: "Is", min: 20, grows: true, cell: func(i workflow.ItemStatus) cell { return text(i.Queue + "/" + i.Child + i.TaskID) }},
		{title: "Error", min: 10, extra: 1, most: 40, cell: func(i workflow.ItemStatus) cell { return styled(s.app.theme.bad, failureOf(i)) }},
		{title: "Took", right: true, min: 7, cell: func(i workflow.ItemStatus) cell {
			if i.Took == 0 {
				return text("")
			}
			return text(span(i.Took))
		}},
	}
}

func failureOf(i workflow.ItemStatus) string {
	if i.Failure == nil {
		return ""
	}
	return fmt.Sprint(i.Failure.Message)
}

func (s *items) draw(w, h int) []string { return s.table.draw(s.app.theme, 0, w, h) }

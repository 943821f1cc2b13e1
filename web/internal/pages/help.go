package pages

import (
	"context"

	"github.com/leatwork/leat/internal/query"
)

var helpPage = page{path: "/help", name: "help", title: "Help", load: func(_ context.Context, _ *Pages, _ *request) (any, error) {
	return map[string]any{"Tasks": query.Tasks.Fields(), "Runs": query.Runs.Fields(), "Keys": keys}, nil
}}

// A key is what a key does.
type key struct{ Keys, Does string }

// keys are those of static/keys.js.
var keys = []key{
	{"/", "search"},
	{"Ctrl-K", "go to a page or a queue, by a part of its name"},
	{"j k", "go down and up in a table"},
	{"Enter", "open the row"},
	{"x", "mark the row"},
	{"n p", "the next and the previous page of a list"},
	{"g o", "overview"},
	{"g q", "queues"},
	{"g t", "tasks"},
	{"g g", "groups"},
	{"g r", "runs"},
	{"g p", "periodic entries"},
	{"g s", "servers"},
	{"g b", "storage"},
	{"g a", "audit"},
	{"g e", "settings"},
	{"?", "this page"},
	{"Esc", "leave a field, close a dialog"},
}

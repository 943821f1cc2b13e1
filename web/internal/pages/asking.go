package pages

import (
	"errors"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
)

// A fault is what is wrong with a query, and where.
type fault struct {
	Before, At string // the query up to there, and from there on
	Reason     string
	Hint       string
	Known      []string // what might stand there
}

// faultOf returns what is wrong with a query if err says that, or nil.
func faultOf(err error) *fault {
	e, ok := errors.AsType[*query.Error](err)
	if !ok {
		return nil
	}
	return &fault{Before: plain.Name(e.Text[:e.Pos]), At: plain.Name(e.Text[e.Pos:]), Reason: plain.Name(e.Reason), Hint: plain.Name(e.Hint), Known: e.Known}
}

// parse reads a query. What is wrong with it is no error but something to be shown.
func parse[T any](l *query.Language[T], text string) (query.Query[T], *fault, error) {
	q, err := l.Parse(text)
	if f := faultOf(err); f != nil {
		return q, f, nil
	}
	return q, nil, err
}

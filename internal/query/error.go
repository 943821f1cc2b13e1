package query

import (
	"fmt"
	"strings"

	"github.com/leatwork/leat/task"
)

// An Error says why a text is no query. It matches [task.ErrInvalid].
type Error struct {
	Text   string   // the whole query
	Pos    int      // the byte of Text at which what is wrong begins
	Reason string   // what is wrong
	Hint   string   // what might have been meant, "" if nothing is likely
	Known  []string // the fields that there are, if it is about one that there is not; the words, if it is about a word
}

// Error tells the reason, where it is, and the hint.
func (e *Error) Error() string {
	text := fmt.Sprintf("query, character %d: %s", len([]rune(e.Text[:e.Pos]))+1, e.Reason)
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	if len(e.Known) > 0 {
		text += " (there are " + strings.Join(e.Known, ", ") + ")"
	}
	return text
}

// Is reports whether target is [task.ErrInvalid].
func (e *Error) Is(target error) bool { return target == task.ErrInvalid }

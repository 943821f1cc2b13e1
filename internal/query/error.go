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

// nearest returns the word of known that is most like word, or "" if none is.
func nearest(word string, known []string) string {
	best, least := "", min(len(word)/2, 3)+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance returns in how many places a and b differ: letters that are missing, too many,
// or others.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

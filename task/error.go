package task

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is matched by every [InvalidError], so that a caller can tell a
// refused value from a failed call without naming the field.
var ErrInvalid = errors.New("invalid")

// An InvalidError reports a value that was refused before anything was written.
// Calls that check several values join one InvalidError for each fault.
type InvalidError struct {
	Field  string // what was refused, in the caller's words: "queue", "task.MaxRetry"
	Value  string // the value, printed; long ones are cut
	Reason string // the rule that it breaks
}

// Error names the field, the value and the rule.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("invalid %s %s: %s", e.Field, e.Value, e.Reason)
}

// Is reports whether target is [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Invalid returns an [InvalidError] for field. The value is printed with %q if
// it is text and with %v otherwise, and cut after 80 bytes.
func Invalid(field string, value any, reason string) *InvalidError {
	const most = 80
	var text string
	switch v := value.(type) {
	case string:
		text = quoteCut(v, most)
	default:
		text = fmt.Sprintf("%v", v)
		if len(text) > most {
			text = strings.ToValidUTF8(text[:most], "") + "…"
		}
	}
	return &InvalidError{Field: field, Value: text, Reason: reason}
}

// quoteCut quotes at most most bytes of s.
func quoteCut(s string, most int) string {
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:most], len(s))
}

package plan

import (
	"encoding/json"
	"fmt"

	"github.com/leatwork/leat/task"
)

// Encode returns v as it is stored: a []byte as it is, anything else as JSON. An
// error wraps [task.SkipRetry]: a value that cannot be encoded now cannot be later.
func Encode[T any](v T) ([]byte, error) {
	if raw, ok := any(v).([]byte); ok {
		return append([]byte{}, raw...), nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w: %w", v, err, task.SkipRetry)
	}
	return b, nil
}

// Decode returns what was stored as b. An error names the type that was
// expected and the beginning of what was found, and wraps [task.SkipRetry].
func Decode[T any](b []byte) (v T, err error) {
	if raw, ok := any(&v).(*[]byte); ok {
		*raw = append([]byte{}, b...)
		return v, nil
	}
	if err := json.Unmarshal(b, &v); err != nil {
		const most = 120
		found := b
		if len(found) > most {
			found = append(found[:most:most], "…"...)
		}
		return v, fmt.Errorf("decode %q as %s: %w: %w", found, ShapeOf[T](), err, task.SkipRetry)
	}
	return v, nil
}

// CheckSize returns what a value of size bytes is refused for where most are
// allowed, or nil. what says what it is. The error wraps [task.SkipRetry].
func CheckSize(what string, size, most int) error {
	if size <= most {
		return nil
	}
	return fmt.Errorf("%w: %w", task.Invalid("size of "+what, size, fmt.Sprintf("is more than %d bytes", most)), task.SkipRetry)
}

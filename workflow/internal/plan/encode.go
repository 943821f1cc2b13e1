package plan

import (
	"encoding/json"
	"fmt"

	"github.com/leatwork/leat/task"
)

// MaxValue is the largest value that a run stores for an input, an output or a
// result, in bytes as JSON.
const MaxValue = 8 << 20

// Encode returns v as it is stored. An error wraps [task.SkipRetry]: a value
// that cannot be encoded now cannot be later.
func Encode[T any](v T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w: %w", v, err, task.SkipRetry)
	}
	if len(b) > MaxValue {
		return nil, fmt.Errorf("encode %T: %w: %w", v,
			task.Invalid("size of the value", len(b), fmt.Sprintf("is more than %d bytes", MaxValue)), task.SkipRetry)
	}
	return b, nil
}

// Decode returns what was stored as b. An error names the type that was
// expected and the beginning of what was found, and wraps [task.SkipRetry].
func Decode[T any](b []byte) (v T, err error) {
	if err := json.Unmarshal(b, &v); err != nil {
		const most = 120
		found := b
		if len(found) > most {
			found = append(found[:most:most], "…"...)
		}
		return v, fmt.Errorf("decode %q as %T: %w: %w", found, v, err, task.SkipRetry)
	}
	return v, nil
}

package task

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// How much of a JSON object its shape tells.
const (
	maxShapeKeys = 8
	maxShapeKey  = 40 // bytes
)

// shape says in a few words what b looks like, and no value that is in it.
func shape(b []byte) string {
	if len(b) == 0 {
		return "nothing"
	}
	var v any
	if json.Unmarshal(b, &v) != nil {
		return fmt.Sprintf("%d bytes that are no JSON", len(b))
	}
	switch v := v.(type) {
	case map[string]any:
		return objectShape(slices.Sorted(maps.Keys(v)))
	case []any:
		return fmt.Sprintf("JSON array of %d", len(v))
	case string:
		return "JSON string"
	case float64:
		return "JSON number"
	case bool:
		return "JSON boolean"
	default:
		return "JSON null"
	}
}

func objectShape(keys []string) string {
	if len(keys) == 0 {
		return "JSON object without keys"
	}
	var shown []string
	for _, key := range keys[:min(len(keys), maxShapeKeys)] {
		if len(key) > maxShapeKey {
			key = strings.ToValidUTF8(key[:maxShapeKey], "") + "…"
		}
		shown = append(shown, key)
	}
	text := "JSON object with keys " + strings.Join(shown, ", ")
	if more := len(keys) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A validator holds values against the schemas of a document, as far as that uses JSON
// Schema: a word that it does not know is a fault.
type validator struct{ document map[string]any }

var words = []string{
	"$ref", "type", "format", "contentEncoding", "description", "default", "enum", "minimum", "maximum",
	"properties", "required", "items", "additionalProperties",
}

// faults returns what of v is not as a schema has it.
func (d validator) faults(at string, schema any, v any) (faults []string) {
	s, ok := schema.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s: the schema is %v", at, schema)}
	}
	fault := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	for word := range s {
		if !slices.Contains(words, word) {
			fault("the schema says %s, which nobody checks", word)
		}
	}
	if ref, ok := s["$ref"].(string); ok {
		return append(faults, d.faults(at, d.lookUp(ref), v)...)
	}
	if is := typeOf(v); s["type"] != nil && !allows(s["type"], is) {
		fault("is %s, want %v", is, s["type"])
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, v) {
		fault("is %v, want one of %v", v, enum)
	}
	switch v := v.(type) {
	case string:
		if _, err := time.Parse(time.RFC3339Nano, v); s["format"] == "date-time" && (err != nil || !strings.HasSuffix(v, "Z")) {
			fault("%q is no time in UTC", v)
		}
		if _, err := base64.StdEncoding.DecodeString(v); s["contentEncoding"] == "base64" && err != nil {
			fault("%q is no base64", v)
		}
	case []any:
		if s["items"] == nil {
			break
		}
		for i, item := range v {
			faults = append(faults, d.faults(fmt.Sprintf("%s[%d]", at, i), s["items"], item)...)
		}
	case map[string]any:
		faults = append(faults, d.members(at, s, v)...)
	}
	return faults
}

func (d validator) members(at string, s, v map[string]any) (faults []string) {
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := v[fmt.Sprint(name)]; !ok {
			faults = append(faults, fmt.Sprintf("%s: has no %s", at, name))
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for name, value := range v {
		schema, known := properties[name]
		switch {
		case known:
			faults = append(faults, d.faults(at+"."+name, schema, value)...)
		case s["additionalProperties"] == false:
			faults = append(faults, fmt.Sprintf("%s: has %s, which the schema has not", at, name))
		case s["additionalProperties"] != nil:
			faults = append(faults, d.faults(at+"."+name, s["additionalProperties"], value)...)
		}
	}
	return faults
}

func (d validator) lookUp(ref string) any {
	var v any = d.document
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func allows(types any, is string) bool {
	all, several := types.([]any)
	if !several {
		all = []any{types}
	}
	return slices.Contains(all, any(is)) || is == "integer" && slices.Contains(all, any("number"))
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	default:
		return "object"
	}
}

func TestTheValidatorFindsFaults(t *testing.T) {
	var document map[string]any
	if err := json.Unmarshal([]byte(`{"it": {"type": "object", "required": ["n"], "additionalProperties": false, "properties": {
		"n": {"type": "integer"}, "list": {"type": "array", "items": {"type": ["string", "null"], "format": "date-time"}}, "it": {"$ref": "#/it"}}}}`), &document); err != nil {
		t.Fatal(err)
	}
	d := validator{document}
	for text, want := range map[string]int{
		`{"n": 1, "list": ["2026-11-30T12:00:00Z", null], "it": {"n": 2}}`: 0,
		`{"n": 1.5}`:                 1,
		`{}`:                         1,
		`{"n": 1, "m": 2}`:           1,
		`{"n": 1, "list": ["x", 1]}`: 2,
		`{"n": 1, "list": null}`:     1,
		`{"n": 1, "it": {"n": ""}}`:  1,
		`[]`:                         1,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if faults := d.faults("", document["it"], v); len(faults) != want {
			t.Errorf("%s has the faults %q, want %d", text, faults, want)
		}
	}
}

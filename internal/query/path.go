package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A segment is a step of a path into JSON: the name of a member or the index of an
// element, or any of them.
type segment struct {
	name string
	any  bool
}

// text returns what reads as s where ends end a name.
func (s segment) text(ends string) string {
	switch {
	case s.any:
		return "*"
	case s.name == "":
		return `""`
	}
	return quoted(s.name, ends+".*")
}

// pathText returns what reads as the path of a part of f where ends end a name, with the dot
// in front.
func (f field[T]) pathText(path []segment, ends string) string {
	if f.tail == tailName && len(path) > 0 {
		return "." + quoted(path[0].name, ends)
	}
	var b strings.Builder
	for _, s := range path {
		b.WriteString("." + s.text(ends))
	}
	return b.String()
}

// decodeJSON returns the value of b with its numbers as they are written, or nil if b is
// no JSON.
func decodeJSON(b []byte) any {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil
	}
	return v
}

// anyAt reports whether holds is true of a value that path leads to from v.
func anyAt(v any, path []segment, holds func(any) bool) bool {
	if len(path) == 0 {
		return holds(v)
	}
	switch v := v.(type) {
	case map[string]any:
		if !path[0].any {
			member, found := v[path[0].name]
			return found && anyAt(member, path[1:], holds)
		}
		for _, name := range slices.Sorted(maps.Keys(v)) { // so that it is the same each time
			if anyAt(v[name], path[1:], holds) {
				return true
			}
		}
	case []any:
		if !path[0].any {
			i, err := strconv.Atoi(path[0].name)
			return err == nil && i >= 0 && i < len(v) && anyAt(v[i], path[1:], holds)
		}
		for _, element := range v {
			if anyAt(element, path[1:], holds) {
				return true
			}
		}
	}
	return false
}

// jsonText returns a decoded value as text: a string without its quotes, all else as
// compact JSON.
func jsonText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "" // what was decoded can be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

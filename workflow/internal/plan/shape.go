package plan

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A Shape is what a type looks like as JSON, as far as that can be told: the
// names and shapes of fields, the elements of lists. Two programs that agree on it
// understand each other's values.
type Shape struct {
	Type   string  `json:"type"`             // the Go type, for people
	Kind   string  `json:"kind"`             // "object", "list", "map", "string", "bytes", "number", "bool" or "any"
	Fields []Field `json:"fields,omitempty"` // of an object, sorted by name
	Elem   *Shape  `json:"elem,omitempty"`   // of a list or a map
}

// A Field is one of an object's.
type Field struct {
	Name  string `json:"name"`
	Shape Shape  `json:"shape"`
}

// maxDepth is how deep shapes are looked at.
const maxDepth = 6

// ShapeOf returns the shape of T.
func ShapeOf[T any]() Shape { return shapeOf(reflect.TypeFor[T](), maxDepth) }

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func shapeOf(t reflect.Type, depth int) Shape {
	s := Shape{Type: t.String(), Kind: "any"}
	switch {
	case depth == 0 || t.Implements(jsonMarshaler) || reflect.PointerTo(t).Implements(jsonMarshaler):
		return s
	case t.Implements(textMarshaler) || reflect.PointerTo(t).Implements(textMarshaler):
		s.Kind = "string"
		return s
	}
	elem := func() *Shape {
		e := shapeOf(t.Elem(), depth-1)
		return &e
	}
	switch t.Kind() {
	case reflect.Pointer:
		s = shapeOf(t.Elem(), depth)
		s.Type = t.String()
	case reflect.Bool:
		s.Kind = "bool"
	case reflect.String:
		s.Kind = "string"
	case reflect.Slice, reflect.Array:
		if s.Kind = "list"; t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
			s.Kind = "bytes"
			return s
		}
		s.Elem = elem()
	case reflect.Map:
		s.Kind, s.Elem = "map", elem()
	case reflect.Struct:
		s.Kind, s.Fields = "object", fieldsOf(t, depth)
	default:
		if t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 {
			s.Kind = "number"
		}
	}
	return s
}

func fieldsOf(t reflect.Type, depth int) (fields []Field) {
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields = append(fields, Field{name, shapeOf(f.Type, depth-1)})
	}
	slices.SortFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// Reads returns why a value that was written as w cannot be read as s, or "". A
// field that w does not have is left empty; one that s does not have would be lost,
// as when a field was renamed.
func (s Shape) Reads(w Shape) string {
	if s.Kind == "any" || w.Kind == "any" {
		return ""
	}
	if s.Kind != w.Kind {
		return fmt.Sprintf("%s is a %s, %s a %s", w.Type, w.Kind, s.Type, s.Kind)
	}
	if s.Elem != nil && w.Elem != nil {
		return s.Elem.Reads(*w.Elem)
	}
	for _, f := range w.Fields {
		i := slices.IndexFunc(s.Fields, func(g Field) bool { return strings.EqualFold(g.Name, f.Name) })
		if i < 0 {
			return fmt.Sprintf("%s has no field %s, as %s had", s, f.Name, w)
		}
		if why := s.Fields[i].Shape.Reads(f.Shape); why != "" {
			return fmt.Sprintf("field %s: %s", f.Name, why)
		}
	}
	return ""
}

// String returns the type with its fields: "main.Order{ID string, Items []main.Item}".
func (s Shape) String() string {
	if len(s.Fields) == 0 {
		return s.Type
	}
	var fields []string
	for _, f := range s.Fields {
		fields = append(fields, f.Name+" "+f.Shape.Type)
	}
	return fmt.Sprintf("%s{%s}", s.Type, strings.Join(fields, ", "))
}

// Raw reports whether values of the type are stored as they are, not as JSON: it
// is []byte.
func (s Shape) Raw() bool { return s.Type == rawType }

var rawType = reflect.TypeFor[[]byte]().String()

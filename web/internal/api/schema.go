package api

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/web/internal/deed"
)

// A schema says what a value of JSON looks like, as JSON Schema has it.
type schema struct {
	Ref         string             `json:"$ref,omitempty"`
	Type        any                `json:"type,omitempty"` // a name, or several
	Format      string             `json:"format,omitempty"`
	Encoding    string             `json:"contentEncoding,omitempty"`
	Description string             `json:"description,omitempty"`
	Default     any                `json:"default,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Minimum     *int               `json:"minimum,omitempty"`
	Maximum     *int               `json:"maximum,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Additional  any                `json:"additionalProperties,omitempty"` // of which schema all others are; false: there are none
}

// schemas are those of the document that have names.
type schemas map[string]*schema

const inComponents = "#/components/schemas/"

var (
	timeType      = reflect.TypeFor[time.Time]()
	dataType      = reflect.TypeFor[json.RawMessage]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// of returns the schema of a type. Structs are named.
func (s schemas) of(t reflect.Type) *schema {
	switch {
	case t == timeType:
		return &schema{Type: "string", Format: "date-time"}
	case t == dataType:
		return &schema{}
	case t == reflect.TypeFor[deed.Result](): // which says itself what it is
		return s.of(reflect.TypeFor[Result]())
	case t.Implements(textMarshaler):
		return &schema{Type: "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Struct:
		return s.named(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &schema{Type: "string", Encoding: "base64"}
		}
		return &schema{Type: "array", Items: s.of(t.Elem())}
	case reflect.Map:
		return &schema{Type: "object", Additional: s.of(t.Elem())}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Float32, reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint64:
		return &schema{Type: "integer"}
	default:
		panic(fmt.Sprintf("no schema of %v", t)) // which the first test tells
	}
}

// named returns a reference to the schema of a struct, which it adds if need be.
func (s schemas) named(t reflect.Type) *schema {
	name := nameOf(t)
	if _, known := s[name]; !known {
		is := &schema{Type: "object", Properties: map[string]*schema{}, Additional: false}
		s[name] = is // it may hold some of its own
		s.fields(is, t)
		slices.Sort(is.Required)
	}
	return &schema{Ref: inComponents + name}
}

// fields adds what a struct holds, and the structs in it whose fields are its own.
func (s schemas) fields(to *schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, tagged := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			s.fields(to, f.Type)
			continue
		case !f.IsExported() || name == "-" || name == "" && !tagged:
			continue
		}
		is := s.of(f.Type)
		isLeftOut := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		if f.Type.Kind() == reflect.Pointer && !isLeftOut {
			is.Type = []string{fmt.Sprint(is.Type), "null"}
		}
		if to.Properties[name] = is; !isLeftOut {
			to.Required = append(to.Required, name)
		}
	}
}

// nameOf returns what the schema of a struct is called: of a list of tasks "TaskList", and
// of an entry in the audit log "AuditEntry".
func nameOf(t reflect.Type) string {
	name, of, isList := strings.Cut(t.Name(), "[")
	path := t.PkgPath() + "." + name
	if isList {
		path = strings.TrimSuffix(of, "]")
	}
	home, thing, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ".")
	if !slices.Contains([]string{"view", "api", "problem"}, home) {
		thing = strings.ToUpper(home[:1]) + home[1:] + thing
	}
	if isList {
		return thing + name
	}
	return thing
}

// forms are what the parameters of deeds look like.
var forms = map[deed.Form]schema{
	deed.Text:     {Type: "string"},
	deed.JSON:     {Description: "A value, or a string that has its text, which need not be JSON."},
	deed.Base64:   {Type: "string", Encoding: "base64"},
	deed.Lines:    {Type: "string", Description: "One thing a line."},
	deed.Choice:   {Type: "string"},
	deed.Moment:   {Type: "string", Description: "RFC 3339, a day, or a duration from now."},
	deed.Duration: {Type: "string", Description: "A duration as in 1h30m."},
	deed.Number:   {Type: []string{"integer", "string"}},
	deed.Truth:    {Type: []string{"boolean", "string"}},
}

// bodySchema returns what is sent for a deed.
func bodySchema(d deed.Deed) *schema {
	is := &schema{Type: "object", Properties: map[string]*schema{}, Additional: false}
	target := &schema{Type: "object", Properties: map[string]*schema{}, Required: targetOf(d), Additional: false}
	for _, name := range targetOf(d) {
		is.Properties[name] = &schema{Type: "string"}
		target.Properties[name] = &schema{Type: "string"}
	}
	if d.Several {
		is.Properties[severalField] = &schema{Type: "array", Items: target, Description: "Several of them, instead of one."}
	} else {
		is.Required = targetOf(d)
	}
	for name, p := range paramsOf(d) {
		form := forms[p.Form]
		form.Enum = p.Choices
		form.Description = strings.TrimSpace(strings.TrimSuffix(p.Help, ".") + ". " + form.Description)
		if p.Default != "" {
			form.Default = p.Default
		}
		if is.Properties[name] = &form; p.Required {
			is.Required = append(is.Required, name)
		}
	}
	slices.Sort(is.Required)
	return is
}

// structSchema returns what is sent as a struct, of which some fields are required.
func structSchema(t reflect.Type, required ...string) *schema {
	all := schemas{}
	is := all[strings.TrimPrefix(all.of(t).Ref, inComponents)]
	is.Required = required
	return is
}

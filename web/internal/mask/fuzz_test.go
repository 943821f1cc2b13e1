package mask

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/leatwork/leat/web/access"
)

// FuzzPayload compares what is hidden with the plainest reading of the rules: what is
// hidden is each place to which one of them leads.
func FuzzPayload(f *testing.F) {
	for _, seed := range [][2]string{
		{"card.number", `{"card":{"number":1,"cvc":2}}`},
		{"*.password", `{"a":{"password":{"b":1}},"password":2}`},
		{"**.token", `[[{"token":[1]}],{"a":{"TOKEN":2}}]`},
		{"users.*.**.x", `{"users":[[{"x":1,"a":[{"x":2}]}]]}`},
		{"a.0", `{"a":[1,2],"b":{"0":1}}`},
		{`"a.b"."*"`, `{"a.b":{"*":1,"c":2}}`},
		{"a", `"text"`}, {"a", `{"a":1}x`}, {"a", ""}, {"*", "{}"},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, rule string, doc []byte) {
		r, err := New(access.Admin, rule)
		if err != nil || len(r.paths) == 0 || strings.Count(rule, "**") > 2 || len(doc) > 60 { // the plainest reading takes long
			return
		}
		got := r.Payload(access.Viewer, doc)
		if again := r.Payload(access.Viewer, got); string(got) != string(again) && string(again) != string(hidden()) {
			t.Errorf("%s masks %s as %s, and that as %s", rule, doc, got, again)
		}
		v, ok := decode(doc)
		switch v.(type) {
		case map[string]any, []any:
		default:
			ok = false
		}
		if !ok {
			if len(bytes.TrimSpace(doc)) > 0 && string(got) != string(hidden()) {
				t.Errorf("%s masks %q, which is no document, as %s", rule, doc, got)
			}
			return
		}
		shown, ok := decode(got)
		if want := plainly(v, r.paths[0], nil); !ok || !reflect.DeepEqual(shown, want) {
			t.Errorf("%s masks %s as %s, want %v", rule, doc, got, want)
		}
	})
}

func decode(b []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err := d.Decode(&v)
	return v, err == nil && json.Valid(b)
}

// A place is a member by its name, or an element by its number.
type place struct {
	name    string
	isIndex bool
}

func plainly(v any, rule path, at []place) any {
	if len(at) > 0 && leads(rule, at) {
		return Hidden
	}
	switch v := v.(type) {
	case map[string]any:
		shown := map[string]any{}
		for name, member := range v {
			shown[name] = plainly(member, rule, append(at[:len(at):len(at)], place{name, false}))
		}
		return shown
	case []any:
		shown := []any{}
		for i, element := range v {
			shown = append(shown, plainly(element, rule, append(at[:len(at):len(at)], place{strconv.Itoa(i), true})))
		}
		return shown
	}
	return v
}

// leads reports whether rule leads to a place: the step of an element may be left out.
func leads(rule path, at []place) bool {
	switch {
	case len(at) == 0:
		return rule.isDeep()
	case at[0].isIndex && leads(rule, at[1:]) && len(at) > 1:
		return true
	case len(rule) == 0:
		return false
	case rule[0].deep:
		return leads(rule[1:], at) || leads(rule, at[1:])
	}
	return (rule[0].any || strings.EqualFold(rule[0].name, at[0].name)) && leads(rule[1:], at[1:])
}

package pages

import (
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/assets"
)

// functions returns what templates may call. What they return is text, unless its type
// says that it is HTML; then every byte that is not ours has been escaped.
func (p *Pages) functions(role access.Role) template.FuncMap {
	all := template.FuncMap{
		// addresses
		"url":   p.url,
		"asset": func(name string) string { return p.Root + assets.Path(name) },

		// times and quantities
		"when":    when,
		"ago":     ago,
		"seconds": seconds,
		"bytes":   func(n any) string { return quantity.Bytes(toInt(n)) },
		"count":   func(n any) string { return quantity.Count(int(toInt(n))) },
		"many":    quantity.Many,
		"percent": quantity.Percent,

		// bytes of strangers
		"name":  plain.Name,
		"line":  func(b []byte) string { return plain.Line(b) },
		"lines": func(s string) string { return plain.Text([]byte(s)) },
		"text":  func(b []byte) string { return plain.Text(b) },
		"cut":   plain.Cut,

		// what is shown alike everywhere
		"state":  state,
		"states": stateNames,
		"term":   query.Term,
		"may":    func(least string) (bool, error) { return p.allows(role, least) },
		"sees": func(least string) (bool, error) {
			needed, err := access.ParseRole(least)
			return role.Allows(needed), err
		},
		"dict": dict,
	}
	maps.Copy(all, p.deedFunctions(role))
	return all
}

// url returns the address of a page with what its query says, as names and values in turn.
// Values that are empty are left out.
func (p *Pages) url(path string, query ...any) (string, error) {
	if len(query)%2 != 0 {
		return "", errors.New("url: a name without a value")
	}
	v := url.Values{}
	for i := 0; i < len(query); i += 2 {
		if value := fmt.Sprint(query[i+1]); value != "" {
			v.Add(fmt.Sprint(query[i]), value)
		}
	}
	if len(v) == 0 {
		return p.Root + path, nil
	}
	return p.Root + path + "?" + strings.ReplaceAll(v.Encode(), "+", "%20"), nil
}

func (p *Pages) allows(role access.Role, least string) (bool, error) {
	needed, err := access.ParseRole(least)
	return role.Allows(needed) && (!p.ReadOnly || needed <= access.Viewer), err
}

// when returns a moment, which scripts write in the zone of who looks.
func when(t time.Time) template.HTML { return moment(t, "") }

// ago is when, for moments of which matters how long ago they are.
func ago(t time.Time) template.HTML { return moment(t, ` data-as="ago"`) }

// nothing is shown where there is nothing to show.
const nothing template.HTML = `<span class="dim">–</span>`

func moment(t time.Time, as string) template.HTML {
	if t.IsZero() {
		return nothing
	}
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s"%s>%s UTC</time>`, t.Format(time.RFC3339Nano), as, t.Format(time.DateTime))) //nolint:gosec // digits
}

// state returns a state as a mark with a sign, so that no colour alone tells it.
func state(s string) template.HTML {
	class := strings.ReplaceAll(strings.ReplaceAll(s, " ", "-"), "_", "-")
	return template.HTML(fmt.Sprintf(`<span class="state state-%s">%s</span>`, template.HTMLEscapeString(class), template.HTMLEscapeString(s))) //nolint:gosec // escaped
}

// dict returns a map, for a template that is given several things.
func dict(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a name without a value")
	}
	return m, nil
}

func toInt(n any) int64 {
	switch n := n.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	case uint64:
		return int64(n) //nolint:gosec // a size
	case *int64:
		if n != nil {
			return *n
		}
	}
	return 0
}

// seconds returns how long something takes, which may be known by a pointer only.
func seconds(v any) string {
	switch v := v.(type) {
	case float64:
		return quantity.Seconds(v)
	case *float64:
		if v != nil {
			return quantity.Seconds(*v)
		}
	}
	return "–"
}

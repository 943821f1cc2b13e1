package trail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/leatwork/leat/task"
)

// A Link leads from tasks and runs to something elsewhere. It may be used by several goroutines.
type Link struct {
	Name  string
	parts []string // of the address, and between them:
	holes []string // what stands in braces
}

// A Place is where a link leads for one task, or one run.
type Place struct{ Name, URL string }

var hole = regexp.MustCompile(`\{([^{}]*)\}`)

// Parse reads the template of an address: http or https, with what is known of a task in
// braces behind the host: {id}, {queue}, {type}, {group}, {trace_id}, {header.NAME} and
// {payload.PATH}, where PATH is the names and indexes that lead there in JSON; or of a run:
// {id}, {queue}, {workflow}, {attr.NAME}, {trace_id} and {header.NAME}. What makes no sense
// is refused with a [task.InvalidError].
func Parse(name, template string) (Link, error) {
	l := Link{Name: name}
	if name == "" {
		return l, task.Invalid("link", template, "needs a name")
	}
	end := 0
	for _, m := range hole.FindAllStringSubmatchIndex(template, -1) {
		l.parts, l.holes = append(l.parts, template[end:m[0]]), append(l.holes, template[m[2]:m[3]])
		end = m[1]
	}
	l.parts = append(l.parts, template[end:])
	for _, h := range l.holes {
		if !isKnown(h) {
			return l, task.Invalid("link "+name, template, fmt.Sprintf("has {%s}, which is none of {id}, {queue}, {type}, {group}, {workflow}, {trace_id}, {header.NAME}, {attr.NAME}, {payload.PATH}", h))
		}
	}
	if strings.ContainsAny(strings.Join(l.parts, ""), "{}") {
		return l, task.Invalid("link "+name, template, "has a brace that is not closed, or closes nothing")
	}
	u, err := url.Parse(strings.Join(l.parts, "x"))
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return l, task.Invalid("link "+name, template, "must be an address of http or https")
	case u.User != nil:
		return l, task.Invalid("link "+name, "(hidden)", "must not tell a password to all who look")
	case !strings.HasPrefix(l.parts[0], u.Scheme+"://"+u.Host):
		return l, task.Invalid("link "+name, template, "must say itself which host it is")
	case len(l.holes) > 0 && l.parts[0] == u.Scheme+"://"+u.Host:
		return l, task.Invalid("link "+name, template, "must have a slash behind the host")
	}
	return l, nil
}

func isKnown(hole string) bool {
	switch hole {
	case "id", "queue", "type", "group", "workflow", "trace_id":
		return true
	}
	kind, rest, _ := strings.Cut(hole, ".")
	return (kind == "header" || kind == "attr" || kind == "payload") && rest != ""
}

// For returns where the link leads for a task, and whether it leads anywhere: the task has
// all that it needs, and nothing of that is in hidden.
func (l Link) For(i *task.Info, hidden string) (Place, bool) {
	return l.lead(func(hole string) string { return valueOf(i, hole) }, hidden)
}

// lead returns where the link leads with the values that of has.
func (l Link) lead(of func(hole string) string, hidden string) (Place, bool) {
	var b strings.Builder
	for n, part := range l.parts {
		b.WriteString(part)
		if n == len(l.holes) {
			break
		}
		value := of(l.holes[n])
		if value == "" || value == "." || value == ".." || hidden != "" && strings.Contains(value, hidden) {
			return Place{}, false
		}
		b.WriteString(strings.ReplaceAll(url.QueryEscape(value), "+", "%20"))
	}
	return Place{Name: l.Name, URL: b.String()}, true
}

// valueOf returns what is known of a task, "" if it is not.
func valueOf(i *task.Info, hole string) string {
	switch hole {
	case "id":
		return i.ID
	case "queue":
		return i.Queue
	case "type":
		return i.Type
	case "group":
		return i.Group
	case "trace_id":
		return TraceID(i.Headers)
	}
	kind, rest, _ := strings.Cut(hole, ".")
	if kind == "header" {
		return headerOf(i.Headers, rest)
	}
	return memberOf(i.Payload, strings.Split(rest, "."))
}

// headerOf returns a header, whatever the case of its name.
func headerOf(headers map[string]string, name string) string {
	if v, ok := headers[name]; ok {
		return v
	}
	for n, v := range headers {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}

var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}`)

// TraceID returns the id of the trace that headers tell of in the form of the W3C, or "".
func TraceID(headers map[string]string) string {
	m := traceparent.FindStringSubmatch(headerOf(headers, "traceparent"))
	if m == nil || strings.Trim(m[1], "0") == "" || strings.HasPrefix(m[0], "ff") {
		return ""
	}
	return m[1]
}

// memberOf returns what is in JSON where a path leads, if it is a text, a number or a truth.
func memberOf(doc []byte, path []string) string {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return ""
	}
	for _, name := range path {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n < 0 || n >= len(at) {
				return ""
			}
			v = at[n]
		default:
			return ""
		}
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

package mask

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

// Headers returns what who has the role may see of headers.
func (r *Rules) Headers(role access.Role, headers map[string]string) map[string]string {
	if !r.Hides(role) || headers == nil {
		return headers
	}
	shown := maps.Clone(headers)
	for name := range shown {
		if r.hidesHeader(name) {
			shown[name] = Hidden
		}
	}
	return shown
}

// Info returns what who has the role may see of a task. i is not changed.
func (r *Rules) Info(role access.Role, i *task.Info) *task.Info {
	if !r.Hides(role) {
		return i
	}
	shown := *i
	shown.Payload = r.Payload(role, i.Payload)
	shown.Result = r.Payload(role, i.Result)
	shown.Progress = r.Payload(role, i.Progress)
	shown.Headers = r.Headers(role, i.Headers)
	shown.UniqueKey = r.text(role, i.UniqueKey)
	return &shown
}

// Task returns what who has the role may see of a task. t is not changed; nor are their
// arguments by the methods below.
func (r *Rules) Task(role access.Role, t view.Task) view.Task {
	if !r.Hides(role) {
		return t
	}
	t.Payload, t.PayloadBase64 = r.data(role, t.Payload, t.PayloadBase64)
	t.Result, t.ResultBase64 = r.data(role, t.Result, t.ResultBase64)
	t.Progress, t.ProgressBase64 = r.data(role, t.Progress, t.ProgressBase64)
	t.Headers = r.Headers(role, t.Headers)
	t.UniqueKey = r.text(role, t.UniqueKey)
	return t
}

// Worker returns what who has the role may see of what a server is running.
func (r *Rules) Worker(role access.Role, w view.Worker) view.Worker {
	w.Payload, w.PayloadBase64 = r.data(role, w.Payload, w.PayloadBase64)
	return w
}

// Server returns what who has the role may see of a server.
func (r *Rules) Server(role access.Role, s view.Server) view.Server {
	if !r.looks(role) {
		return s
	}
	s.Workers = slices.Clone(s.Workers)
	for i, w := range s.Workers {
		s.Workers[i] = r.Worker(role, w)
	}
	return s
}

// Entry returns what who has the role may see of a periodic entry.
func (r *Rules) Entry(role access.Role, e view.Entry) view.Entry {
	e.Payload, e.PayloadBase64 = r.data(role, e.Payload, e.PayloadBase64)
	e.Template = r.text(role, e.Template)
	if r.Hides(role) {
		e.Options = slices.Clone(e.Options)
		for i, o := range e.Options {
			e.Options[i] = r.option(o)
		}
	}
	return e
}

// option masks an option that sets a header.
func (r *Rules) option(text string) string {
	pair, isHeader := strings.CutPrefix(text, "Header(")
	if !isHeader {
		return text
	}
	var header [2]string
	if err := json.Unmarshal([]byte(strings.TrimSuffix(pair, ")")), &header); err == nil && !r.hidesHeader(header[0]) {
		return text
	}
	return task.Header(header[0], Hidden).String()
}

// data masks a value, or hides the bytes that are shown in base64.
func (r *Rules) data(role access.Role, value view.Data, raw []byte) (view.Data, []byte) {
	if !r.looks(role) || len(value)+len(raw) == 0 {
		return value, raw
	}
	return r.Payload(role, append(slices.Clip(value), raw...)), nil // one of them is empty
}

// text hides a text in which there is no looking for paths: a template, and what a task is
// unique by, which may be made from its payload, so that guesses at that could be tested.
func (r *Rules) text(role access.Role, s string) string {
	if !r.looks(role) || s == "" {
		return s
	}
	return Hidden
}

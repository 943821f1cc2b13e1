package deed

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// Go returns the body of a Go function that does the same, to which ctx and b, a broker,
// are given and which returns an error: "" if none can without the query language.
func (w Wording) Go() string {
	switch {
	case w.Deed.Kind == View:
		return ""
	case w.Deed.Name == "clone":
		if w.Of == nil {
			return ""
		}
		return w.clone().Go()
	case w.All:
		return w.goOfMany()
	case w.Deed.Kind == Task && w.Deed.New:
		return "_, err := queue.NewClient(b).Enqueue(ctx, " + w.goTask(strconv.Quote(w.said("type")), w.goPayload()) + ")\nreturn err"
	case w.Deed.Kind == Run && w.Deed.New:
		input := w.said("input")
		if input == "" {
			input = "null"
		}
		return "_, err := queue.NewClient(b).Enqueue(ctx, " + w.goTask("workflow.StartType("+strconv.Quote(w.said("workflow"))+")", goBytes([]byte(input))) + ")\nreturn err"
	case w.Deed.Kind == Entry && w.Deed.New:
		return "e := periodic.Entry{Name: " + strconv.Quote(w.said("name")) + "}\n" + w.goEntry() + `return periodic.NewInspector(b).Add(ctx, e, "me")`
	}
	if len(w.Targets) > mostLines {
		return ""
	}
	if len(w.Targets) == 1 {
		return w.goCall(strconv.Quote(w.Targets[0].Queue), strconv.Quote(w.Targets[0].ID))
	}
	var refs []string
	for _, t := range w.Targets {
		refs = append(refs, fmt.Sprintf("\t{Queue: %q, ID: %q},\n", t.Queue, t.ID))
	}
	call := strings.ReplaceAll(w.goCall("t.Queue", "t.ID"), "\n", "\n\t\t")
	return "for _, t := range []broker.EntryRef{\n" + strings.Join(refs, "") + "} {\n\tif err := func() error {\n\t\t" + call + "\n\t}(); err != nil {\n\t\treturn err\n\t}\n}\nreturn nil"
}

// methods are those of an inspector, or of a run, that do a deed and need no more than its
// target.
var methods = map[string]string{
	"task run": "Run", "task requeue": "Run", "task cancel": "Cancel", "task archive": "Archive", "task delete": "Delete", "task recover": "Recover", "task drop": "Drop",
	"queue resume": "Resume", "entry resume": "Resume", "entry remove": "Remove", "entry run": "RunNow",
	"run pause": "Pause", "run resume": "Resume", "run cancel": "Cancel", "run retry": "Retry", "run delete": "Delete",
}

// goCall returns what is done to one thing, which two expressions name.
func (w Wording) goCall(queue, id string) string {
	method := methods[string(w.Deed.Kind)+" "+w.Deed.Name]
	switch w.Deed.Kind {
	case Task:
		return w.goOfTask(method, queue, id)
	case Queue:
		switch w.Deed.Name {
		case "pause":
			return fmt.Sprintf("_, err := queue.NewInspector(b).PauseBy(ctx, %s, \"me\", %q)\nreturn err", queue, w.said("why"))
		case "remove":
			force, _ := parseTruth(w.said("force"))
			return fmt.Sprintf("return queue.NewInspector(b).RemoveQueue(ctx, %s, %v)", queue, force)
		}
		return fmt.Sprintf("_, err := queue.NewInspector(b).%s(ctx, %s)\nreturn err", method, queue)
	case Group:
		return fmt.Sprintf("_, err := queue.NewInspector(b).Bulk(ctx, queue.BulkRequest{\n\tQueue: %s, State: task.Aggregating, Group: %s, Do: broker.%s,\n})\nreturn err", queue, id, title(w.Deed.Name))
	case Entry:
		return w.goOfEntry(method, id)
	case Run:
		return w.goOfRun(method, fmt.Sprintf("workflow.OpenRun(queue.NewClient(b), %s, %s)", queue, id))
	case Server, View:
	}
	return ""
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

func (w Wording) goOfTask(method, queue, id string) string {
	target := "ctx, " + queue + ", " + id
	switch w.Deed.Name {
	case "reschedule":
		return "return queue.NewInspector(b).Reschedule(" + target + ", " + goTime(w.said("at")) + ")"
	case "transfer":
		return "return queue.NewInspector(b).Transfer(" + target + ", " + strconv.Quote(w.said("to")) + ")"
	case "edit":
		return "return queue.NewInspector(b).EditPayload(" + target + ", " + w.goPayload() + ")"
	}
	return "return queue.NewInspector(b)." + method + "(" + target + ")"
}

func (w Wording) goOfEntry(method, id string) string {
	switch w.Deed.Name {
	case "change":
		return "i := periodic.NewInspector(b)\ninfo, err := i.Get(ctx, " + id + ")\nif err != nil {\n\treturn err\n}\ne := info.Entry\n" + w.goEntry() + `return i.Change(ctx, e, "me")`
	case "run":
		return "_, _, err := periodic.NewInspector(b).RunNow(ctx, " + id + ", \"me\")\nreturn err"
	case "pause":
		return fmt.Sprintf(`return periodic.NewInspector(b).Pause(ctx, %s, "me", %q)`, id, w.said("why"))
	case "end-backfill":
		return fmt.Sprintf(`return periodic.NewInspector(b).EndBackfill(ctx, %s, %q, "me")`, id, w.said("backfill"))
	case "backfill":
		force, _ := parseTruth(w.said("force"))
		most := max(w.args().number("cap"), 1)
		return fmt.Sprintf("_, err := periodic.NewInspector(b).Backfill(ctx, %s, periodic.Backfill{\n\tFrom: %s, To: %s, Cap: %d, Force: %v, By: \"me\",\n})\nreturn err", id, goTime(w.said("from")), goTime(w.said("to")), most, force)
	}
	return fmt.Sprintf(`return periodic.NewInspector(b).%s(ctx, %s, "me")`, method, id)
}

func (w Wording) goOfRun(method, run string) string {
	switch w.Deed.Name {
	case "retry-all":
		return "return " + run + ".RetryAll(ctx)"
	case "retry-from":
		return fmt.Sprintf("return %s.RetryFrom(ctx, %q)", run, w.said("step"))
	case "skip":
		output := w.said("output")
		if output == "" {
			output = "null"
		}
		return fmt.Sprintf("return %s.Skip(ctx, %q, %s)", run, w.said("step"), goBytes([]byte(output)))
	case "signal":
		payload, more := w.said("payload"), ""
		if payload == "" {
			payload = "null"
		}
		if id := w.said("signal_id"); id != "" {
			more = fmt.Sprintf(", workflow.SignalID(%q)", id)
		}
		return fmt.Sprintf("return workflow.NewSignal[json.RawMessage](%q).Send(ctx, %s, %s%s)", w.said("signal"), run, strings.Replace(goBytes([]byte(payload)), "[]byte", "json.RawMessage", 1), more)
	}
	return "return " + run + "." + method + "(ctx)"
}

// goPayload returns the payload that was said.
func (w Wording) goPayload() string {
	if text := w.said("payload_base64"); text != "" {
		b, _ := base64.StdEncoding.DecodeString(text)
		return goBytes(b)
	}
	return goBytes([]byte(w.said("payload")))
}

func goBytes(b []byte) string {
	if strconv.CanBackquote(string(b)) && strings.ContainsAny(string(b), `"\`) {
		return "[]byte(`" + string(b) + "`)"
	}
	return "[]byte(" + strconv.Quote(string(b)) + ")"
}

// goTime returns a moment that was said, as it was.
func goTime(text string) string {
	if d, err := time.ParseDuration(text); err == nil {
		return "time.Now().Add(" + goDuration(d) + ")"
	}
	at, _ := parseMoment("", text, time.Now())
	at = at.UTC()
	return fmt.Sprintf("time.Date(%d, time.%s, %d, %d, %d, %d, %d, time.UTC)", at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond())
}

func goDuration(d time.Duration) string {
	for _, unit := range []struct {
		is   time.Duration
		name string
	}{{time.Hour, "time.Hour"}, {time.Minute, "time.Minute"}, {time.Second, "time.Second"}, {time.Millisecond, "time.Millisecond"}} {
		if d != 0 && d%unit.is == 0 {
			return fmt.Sprintf("%d*%s", d/unit.is, unit.name)
		}
	}
	return fmt.Sprintf("time.Duration(%d)", d)
}

// goTask returns a task of a type, with a payload and what was said besides.
func (w Wording) goTask(typ, payload string) string {
	a := w.args()
	var options []string
	add := func(name, format string, value func() string) {
		if a.has(name) {
			options = append(options, fmt.Sprintf("task."+format, value()))
		}
	}
	text := func(name string) func() string { return func() string { return strconv.Quote(a.text(name)) } }
	number := func(name string) func() string { return func() string { return strconv.Itoa(a.number(name)) } }
	moment := func(name string) func() string { return func() string { return goTime(a.text(name)) } }
	span := func(name string) func() string { return func() string { return goDuration(a.duration(name)) } }
	add("queue", "Queue(%s)", text("queue"))
	add("id", "ID(%s)", text("id"))
	add("at", "ProcessAt(%s)", moment("at"))
	add("group", "Group(%s)", text("group"))
	add("retry", "MaxRetry(%s)", number("retry"))
	add("max_crashes", "MaxCrashes(%s)", number("max_crashes"))
	if a.has("timeout") && a.duration("timeout") == 0 {
		options = append(options, "task.NoTimeout()")
	} else {
		add("timeout", "Timeout(%s)", span("timeout"))
	}
	add("deadline", "Deadline(%s)", moment("deadline"))
	add("start_by", "StartBy(%s)", moment("start_by"))
	add("retention", "Retention(%s)", span("retention"))
	add("unique_key", "UniqueKey(%s)", text("unique_key"))
	add("unique", "Unique(%s)", span("unique"))
	add("unique_for", "UniqueFor(%s)", span("unique_for"))
	add("on_conflict", "OnConflict(task.%s)", func() string { return title(a.text("on_conflict")) })
	for _, line := range a.lines("headers") {
		key, value, _ := strings.Cut(line, "=")
		options = append(options, fmt.Sprintf("task.Header(%q, %q)", key, value))
	}
	if a.truth("unique_until_done") {
		options = append(options, "task.UniqueUntilDone()")
	}
	if a.truth("unique_until_start") {
		options = append(options, "task.UniqueUntilStart()")
	}
	if len(options) == 0 {
		return "task.New(" + typ + ", " + payload + ")"
	}
	return "task.New(" + typ + ", " + payload + ",\n\t" + strings.Join(options, ",\n\t") + ",\n)"
}

// goEntry returns what makes of e, an entry, what was said.
func (w Wording) goEntry() string {
	a := w.args()
	var b strings.Builder
	set := func(name, format string, value func() string) {
		if a.has(name) {
			fmt.Fprintf(&b, format+"\n", value())
		}
	}
	text := func(name string) func() string { return func() string { return strconv.Quote(a.text(name)) } }
	set("schedule", "e.Schedule = %s", text("schedule"))
	set("zone", "e.Zone = %s", text("zone"))
	set("start", "e.Start = %s", func() string { return goTime(a.text("start")) })
	set("end", "e.End = %s", func() string { return goTime(a.text("end")) })
	set("jitter", "e.Jitter = %s", func() string { return goDuration(a.duration("jitter")) })
	set("window", "e.Window = %s", func() string { return goDuration(a.duration("window")) })
	set("missed", "if err := e.Missed.UnmarshalText([]byte(%s)); err != nil {\n\treturn err\n}", text("missed"))
	set("overlap", "if err := e.Overlap.UnmarshalText([]byte(%s)); err != nil {\n\treturn err\n}", text("overlap"))
	set("type", "e.Type = %s", text("type"))
	set("workflow", "e.Type = %s", func() string { return strconv.Quote(workflow.StartType(a.text("workflow"))) })
	set("payload", "e.Payload = periodic.Bytes(%s)", func() string { return goBytes(a.bytes("payload")) })
	set("template", "e.Payload = periodic.Template(%s)", text("template"))
	lines := a.lines("options")
	if a.has("queue") {
		lines = append(lines, task.Queue(a.text("queue")).String())
	}
	for _, line := range lines {
		fmt.Fprintf(&b, "if o, err := task.ParseOption(%q); err != nil {\n\treturn err\n} else {\n\te.Options = append(e.Options, o)\n}\n", line)
	}
	return b.String()
}

// goOfMany returns what is done to all tasks of some queues and states, if that is what the
// query says.
func (w Wording) goOfMany() string {
	q, err := query.Tasks.Parse(w.Query)
	if err != nil || w.Deed.act == 0 || w.Deed.SuitsState(Orphaned) || !q.Without("queue", "state").Empty() {
		return ""
	}
	queues, names := q.Only("queue"), []string{}
	if queues == nil && !q.Without("state").Empty() {
		return ""
	}
	for _, name := range queues {
		names = append(names, strconv.Quote(name))
	}
	if len(names) == 0 {
		names = []string{`""`}
	}
	var states []string
	for _, s := range task.States() {
		if q.Allows("state", s.String()) && (w.Deed.SuitsState(s.String()) || q.Only("state") != nil && w.Deed.act.From(s)) {
			states = append(states, "task."+title(s.String()))
		}
	}
	at := ""
	if text := w.said("at"); text != "" {
		at = ", At: " + goTime(text)
	}
	return fmt.Sprintf("i := queue.NewInspector(b)\nfor _, q := range []string{%s} {\n\tfor _, s := range []task.State{%s} {\n\t\tif _, err := i.Bulk(ctx, queue.BulkRequest{Queue: q, State: s, Do: broker.%s%s}); err != nil {\n\t\t\treturn err\n\t\t}\n\t}\n}\nreturn nil",
		strings.Join(names, ", "), strings.Join(states, ", "), title(w.Deed.act.String()), at)
}

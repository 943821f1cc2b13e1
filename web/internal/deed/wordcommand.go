package deed

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/query"
)

// Command returns what to type into a shell, so that leat does the same: "" if it cannot.
func (w Wording) Command() string {
	switch {
	case w.Deed.Kind == View:
		return "" // they are of the dashboard only
	case w.Deed.Name == "clone":
		if w.Of == nil {
			return ""
		}
		return w.clone().Command()
	case w.All && w.Deed.act != 0 && verbs[w.Deed.act.String()]:
		return w.commandOfMany()
	case w.All:
		return w.commandOfList()
	case w.Deed.Kind == Group:
		return w.commandOfGroups()
	}
	var names []string
	for _, t := range w.Targets {
		names = append(names, strings.Trim(t.Queue+"/"+t.ID, "/"))
	}
	if w.Deed.Kind == Run && w.Deed.Several && len(names) > 1 && w.Deed.Name == "signal" {
		return "" // one run is signalled at a time
	}
	return w.line(names)
}

// verbs are what a command of leat does to all tasks that a query takes.
var verbs = map[string]bool{"run": true, "archive": true, "delete": true, "cancel": true}

// commandWords are the commands whose words are others than the deed's.
var commandWords = map[string]string{
	"task requeue": "task run", "queue resume": "queue unpause", "queue remove": "queue rm",
	"entry remove": "periodic rm", "entry end-backfill": "periodic backfill end",
	"run retry-from": "workflow retry", "run retry-all": "workflow retry --all", "run delete": "workflow rm",
}

func (w Wording) commandWords() string {
	kind := string(w.Deed.Kind)
	if words := commandWords[kind+" "+w.Deed.Name]; words != "" {
		return words
	}
	switch w.Deed.Kind {
	case Entry:
		kind = "periodic"
	case Run:
		kind = "workflow"
	case Task, Queue, Group, Server, View:
	}
	return kind + " " + w.Deed.Name
}

// line returns the command line about things of these names.
func (w Wording) line(names []string) string {
	words := append([]string{"leat"}, strings.Fields(w.commandWords())...)
	var before string
	var behind []string // names, and what comes behind them without a flag
	behind = append(behind, names...)
	if w.Deed.Final && (w.Deed.Kind == Run || w.Deed.Kind == Queue) {
		words = append(words, "--yes")
	}
	for _, p := range w.Deed.Params {
		text, said := w.Args[p.Name]
		switch {
		case p.Name == "payload_base64" && text != "":
			before = "echo " + quote(text) + " | base64 -d | "
			words = append(words, "--payload-file", "-")
		case text == "" && !(said && w.Deed.Name == "edit" && p.Name == "payload" && w.said("payload_base64") == ""):
		case p.Form == Truth:
			if is, _ := parseTruth(text); is {
				words = append(words, "--"+flagOf(w.Deed, p.Name, text))
			}
		case positional(w.Deed, p.Name):
			behind = append(behind, text)
		case p.Form == Lines:
			for _, line := range w.args().lines(p.Name) {
				words = append(words, "--"+flagOf(w.Deed, p.Name, text), line)
			}
		case takesFiles(w.Deed, p.Name) && (strings.HasPrefix(text, "@") || text == "-"):
			before = "echo " + quote(base64.StdEncoding.EncodeToString([]byte(text))) + " | base64 -d | "
			words = append(words, "--"+flagOf(w.Deed, p.Name, text), "-")
		default:
			words = append(words, "--"+flagOf(w.Deed, p.Name, text), flagValue(w.Deed, p, text))
		}
	}
	for i, word := range words {
		words[i] = quote(word)
	}
	dashed := false
	for i, word := range behind {
		dashed = dashed || strings.HasPrefix(word, "-")
		behind[i] = quote(word)
	}
	if dashed {
		words = append(words, "--")
	}
	return before + strings.Join(append(words, behind...), " ")
}

// positional reports whether a command takes a parameter without a flag.
func positional(d Deed, param string) bool {
	switch d.Kind {
	case Run:
		return param == "workflow" || param == "signal" || param == "step" && d.Name == "skip"
	case Entry:
		return param == "name" || param == "backfill"
	case Task, Queue, Group, Server, View:
	}
	return false
}

// takesFiles reports whether a value of a flag may name a file, so that a text that looks
// like that has to come in another way.
func takesFiles(d Deed, param string) bool {
	return d.Kind != Task && (param == "payload" || param == "template" || param == "input" || param == "output")
}

// flags are those whose names are others than the parameter's.
var flags = map[string]string{
	"task type": "type-name", "task headers": "header", "entry options": "option", "run output": "value", "run signal_id": "id", "run step": "from",
}

func flagOf(d Deed, param, text string) string {
	if name := flags[string(d.Kind)+" "+param]; name != "" {
		return name
	}
	_, err := time.ParseDuration(text)
	switch {
	case param == "at" && d.Name == "enqueue" && err == nil:
		return "process-in"
	case param == "at" && d.Name == "enqueue":
		return "process-at"
	case param == "at" && err == nil:
		return "in"
	}
	return strings.ReplaceAll(param, "_", "-")
}

// flagValue returns a value as a flag takes it: of a moment, the time, unless it is how
// long it is until then and the flag is for that.
func flagValue(d Deed, p Param, text string) string {
	if p.Form != Moment || strings.HasSuffix(flagOf(d, p.Name, text), "in") {
		return text
	}
	at, _ := parseMoment(p.Name, text, time.Now())
	return at.UTC().Format(time.RFC3339)
}

// commandOfGroups returns a line for the groups of each queue.
func (w Wording) commandOfGroups() string {
	var lines []string
	for _, q := range w.queues() {
		words := []string{"leat group", w.Deed.Name, "--queue", quote(q), "--yes", "--"}
		for _, t := range w.Targets {
			if t.Queue == q {
				words = append(words, quote(t.ID))
			}
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return strings.Join(lines, "\n")
}

// commandOfMany returns the line about all tasks that the query takes.
func (w Wording) commandOfMany() string {
	if w.Deed.SuitsState(Orphaned) {
		return w.commandOfList()
	}
	words := []string{"leat task", w.Deed.act.String() + "-all", "--yes"}
	q, err := query.Tasks.Parse(w.Query)
	if err != nil {
		return ""
	}
	if q.Only("state") == nil {
		words = append(words, "--state", strings.Join(w.Deed.States, ","))
	}
	if q.Empty() {
		return strings.Join(append(words, "--all-queues"), " ")
	}
	return strings.Join(append(words, "--", quote(w.Query)), " ")
}

// lists are the commands that list what a query takes.
var lists = map[Kind]string{Task: "leat task ls --output id --scan 0", Run: "leat workflow ls --output id --limit 100000", Entry: "leat periodic ls --output id", Queue: "leat queue ls --output id"}

// commandOfList returns a line that lists what the query takes, and does the deed to each.
func (w Wording) commandOfList() string {
	text := w.Query
	if states := w.Deed.States; states != nil && !strings.Contains(text, "state:") {
		switch {
		case w.Deed.SuitsState(Orphaned):
			text += " orphaned:yes"
		case w.Deed.Kind == Task || w.Deed.Kind == Run:
			text += " state:" + strings.ReplaceAll(strings.Join(states, ","), " ", "-")
		}
	}
	list := lists[w.Deed.Kind]
	if list == "" {
		return "" // no command lists those
	}
	if text = strings.TrimSpace(text); text != "" {
		list += " -- " + quote(text)
	}
	if w.Deed.Name == "signal" || w.Deed.Kind == Entry && w.Deed.Name == "backfill" {
		return ""
	}
	return list + " | " + w.line([]string{"-"})
}

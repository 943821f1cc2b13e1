package deed

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
)

// A Wording is a deed with all that it is to be done with, to be written down elsewhere: as
// a command line, as a program, or as a request of the API.
type Wording struct {
	Deed    Deed
	Targets []Target // if it is done to named things
	All     bool     // it is done to all that Query takes
	Query   string
	Confirm int // how many these are
	Args    map[string]string

	// Of is the task that a clone is like.
	Of *task.Info
}

// said returns an argument, "" if there is none.
func (w Wording) said(name string) string { return w.Args[name] }

// args returns what was said as a deed reads it.
func (w Wording) args() args { return args{w.Args, time.Now()} }

// clone returns the wording of an enqueue that comes to the same as w, a clone.
func (w Wording) clone() Wording {
	said := map[string]string{}
	prefillPayload(said, w.Of.Payload, w.Of.Payload)
	prefillTask(said, w.Of)
	said["headers"] = strings.Join(headerLines(w.Of.Headers), "\n")
	if w.said("payload") != "" || w.said("payload_base64") != "" {
		delete(said, "payload")
		delete(said, "payload_base64")
	}
	for name, text := range w.Args {
		if text != "" {
			said[name] = text
		}
	}
	said["queue"], said["id"] = said["new_queue"], said["new_id"]
	delete(said, "new_queue")
	delete(said, "new_id")
	enqueue, _ := Find(Task, "enqueue") // there is one
	return Wording{Deed: enqueue, Args: said}
}

// Request returns the path of the API below its root, and the body that is posted to it,
// for each thing that the deed is done to; or once for all that a query takes.
func (w Wording) Request() (path string, bodies []string) {
	if w.All {
		body := struct {
			Bulk
			Args map[string]string `json:"args,omitempty"`
		}{Bulk{Kind: w.Deed.Kind, Deed: w.Deed.Name, Query: w.Query, Confirm: w.Confirm}, w.given()}
		return "/bulk", []string{compact(body)}
	}
	path = "/" + string(w.Deed.Kind) + "/" + w.Deed.Name
	if w.Deed.New {
		return path, []string{compact(w.given())}
	}
	for _, t := range w.Targets {
		body := w.given()
		if t.Queue != "" {
			body["queue"] = t.Queue
		}
		if t.ID != "" {
			body["id"] = t.ID
		}
		bodies = append(bodies, compact(body))
	}
	return path, bodies
}

// given returns the arguments that say something, for a payload be it nothing.
func (w Wording) given() map[string]string {
	given := maps.Clone(w.Args)
	if given == nil {
		given = map[string]string{}
	}
	maps.DeleteFunc(given, func(name, text string) bool { return text == "" && (name != "payload" || w.Deed.Name != "edit") })
	if given["payload_base64"] != "" && given["payload"] == "" {
		delete(given, "payload")
	}
	return given
}

func compact(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // text and numbers
	return strings.TrimSuffix(b.String(), "\n")
}

// Curl returns the requests as command lines, for an API at an address: "" if they are
// more than anybody would copy.
func (w Wording) Curl(api string) string {
	path, bodies := w.Request()
	if len(bodies) > mostLines {
		return ""
	}
	var lines []string
	for _, body := range bodies {
		lines = append(lines, strings.Join([]string{"curl", "-X", "POST", quote(api + path), "-H", quote("Content-Type: application/json"), "-d", quote(body)}, " "))
	}
	return strings.Join(lines, "\n")
}

// mostLines is how many lines are written for one deed.
const mostLines = 50

// quote returns a word as a shell reads it.
func quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !strings.ContainsRune(plainRunes, r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

const plainRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-"

// queues returns the names of the queues of the targets, each once.
func (w Wording) queues() (names []string) {
	for _, t := range w.Targets {
		if !slices.Contains(names, t.Queue) {
			names = append(names, t.Queue)
		}
	}
	return names
}

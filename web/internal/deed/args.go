package deed

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
)

// confirmArg is the argument in which their number is typed where a deed is done to many
// things.
const confirmArg = "confirm"

// check returns a [task.InvalidError] for each argument that a deed needs and has not got,
// that cannot be read, or that it does not know.
func check(params []Param, args map[string]string, now time.Time) error {
	var faults []error
	known := map[string]bool{confirmArg: true}
	for _, p := range params {
		known[p.Name] = true
		switch text := args[p.Name]; {
		case text != "":
			faults = append(faults, p.check(text, now))
		case p.Required:
			faults = append(faults, task.Invalid(p.Name, "", "is needed"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if !known[name] {
			faults = append(faults, task.Invalid(name, args[name], "is not known"))
		}
	}
	return errors.Join(faults...)
}

func (p Param) check(text string, now time.Time) error {
	switch p.Form {
	case Moment:
		_, err := parseMoment(p.Name, text, now)
		return err
	case Duration:
		if d, err := time.ParseDuration(text); err != nil || d < 0 {
			return task.Invalid(p.Name, text, "is no duration such as 90s")
		}
	case Number:
		if n, err := strconv.Atoi(text); err != nil || n < 0 {
			return task.Invalid(p.Name, text, "is no number")
		}
	case Truth:
		if _, err := parseTruth(text); err != nil {
			return task.Invalid(p.Name, text, "is neither true nor false")
		}
	case Base64:
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			return task.Invalid(p.Name, text, "is no base64")
		}
	case Choice:
		if !slices.Contains(p.Choices, text) {
			return task.Invalid(p.Name, text, "is none of "+strings.Join(p.Choices, ", "))
		}
	case Text, JSON, Lines:
	}
	return nil
}

// parseMoment reads a time, a day, or how long it is until then.
func parseMoment(field, text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), nil
	}
	return time.Time{}, task.Invalid(field, text, "is no time such as 2030-01-31T08:00:00Z, 2030-01-31 or 2h")
}

// parseTruth reads what strconv does, and what a browser sends for a box that is ticked.
func parseTruth(text string) (bool, error) {
	if text == "on" {
		return true, nil
	}
	return strconv.ParseBool(text)
}

// An args is what was said beside the target. It has been checked: what cannot be read is
// not there.
type args struct {
	said map[string]string
	now  time.Time
}

func (a args) has(name string) bool    { return a.said[name] != "" }
func (a args) text(name string) string { return a.said[name] }
func (a args) bytes(name string) []byte {
	return []byte(a.said[name])
}

func (a args) decoded(name string) []byte {
	b, _ := base64.StdEncoding.DecodeString(a.said[name])
	return b
}

func (a args) time(name string) time.Time {
	t, _ := parseMoment(name, a.said[name], a.now)
	return t
}

func (a args) duration(name string) time.Duration {
	d, _ := time.ParseDuration(a.said[name])
	return d
}

func (a args) number(name string) int {
	n, _ := strconv.Atoi(a.said[name])
	return n
}

func (a args) truth(name string) bool {
	is, _ := parseTruth(a.said[name])
	return is
}

// lines returns what stands on the lines of an argument that are not blank.
func (a args) lines(name string) (lines []string) {
	for line := range strings.Lines(a.said[name]) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// json returns an argument that must be JSON, or fallback if nothing is said.
func (a args) json(name, fallback string) (json.RawMessage, error) {
	text := a.said[name]
	if text == "" {
		text = fallback
	}
	if !json.Valid([]byte(text)) {
		return nil, task.Invalid(name, text, "is no JSON")
	}
	return json.RawMessage(text), nil
}

package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/leatwork/leat/task"
)

// A param is a parameter of a query.
type param struct {
	name     string
	help     string
	kind     kind
	required bool
	def      string
	least    int // of a number
	most     int
	words    []string // one of which it has to be
}

// A kind is what a parameter is read as.
type kind string

const (
	text   kind = "string"
	number kind = "integer"
	truth  kind = "boolean"
)

// What many lists take.
var (
	limitParam  = param{name: "limit", help: "how many there are to be, at most", kind: number, def: "100", least: 1, most: 500}
	cursorParam = param{name: "cursor", help: "the next of the answer before: where to go on, with the same query", kind: text}
	queueParam  = param{name: "queue", help: "name of the queue", kind: text, required: true}
	idParam     = param{name: "id", help: "its id", kind: text, required: true}
	nameParam   = param{name: "name", help: "its name", kind: text, required: true}
)

func queryParam(things string) param {
	return param{name: "q", help: "which " + things + ", in the language of docs/query.md; all, if it is empty", kind: text}
}

// args are the parameters of a request, with the defaults of those that were not given.
type args map[string]string

// parse reads a query, and refuses what makes no sense in it: what is not known, is given
// twice, or is not of its kind.
func parse(query string, params []param) (args, error) {
	given, err := url.ParseQuery(query)
	if err != nil {
		return nil, task.Invalid("query", query, "cannot be read")
	}
	read := args{}
	for _, p := range params {
		values, ok := given[p.name]
		delete(given, p.name)
		switch {
		case len(values) > 1:
			return nil, task.Invalid(p.name, strings.Join(values, ", "), "is given more than once")
		case !ok || values[0] == "":
			if p.required {
				return nil, task.Invalid(p.name, "", "is needed")
			}
			read[p.name] = p.def
			continue
		}
		if err := p.check(values[0]); err != nil {
			return nil, err
		}
		read[p.name] = values[0]
	}
	for name := range given {
		return nil, task.Invalid(name, given.Get(name), "is no parameter of this address; "+known(params))
	}
	return read, nil
}

// check returns what makes no sense in a value, or nil.
func (p param) check(value string) error {
	switch p.kind {
	case number:
		if n, err := strconv.Atoi(value); err != nil || n < p.least || n > p.most {
			return task.Invalid(p.name, value, "must be a number from "+strconv.Itoa(p.least)+" to "+strconv.Itoa(p.most))
		}
	case truth:
		if value != "true" && value != "false" {
			return task.Invalid(p.name, value, "must be true or false")
		}
	case text:
		if p.words != nil && !slices.Contains(p.words, value) {
			return task.Invalid(p.name, value, "must be one of "+strings.Join(p.words, ", "))
		}
	}
	return nil
}

func known(params []param) string {
	if len(params) == 0 {
		return "there is none"
	}
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.name
	}
	return "there are " + strings.Join(names, ", ")
}

// number returns a parameter that is one.
func (a args) number(name string) int {
	n, _ := strconv.Atoi(a[name]) // which was seen when it was read
	return n
}

// truth returns a parameter that is true or false.
func (a args) truth(name string) bool { return a[name] == "true" }

package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// deedRoutes returns a route for each deed that there is.
func deedRoutes() []route {
	var all []route
	for _, d := range deed.All(access.Admin) {
		all = append(all, route{
			method: http.MethodPost, path: "/" + string(d.Kind) + "/" + d.Name, tag: chapters[d.Kind], help: d.Help,
			role: d.Role, body: bodySchema(d), gives: reflect.TypeFor[Done](),
			do: func(ctx context.Context, a *api, r *request) (any, error) { return a.doDeed(ctx, r, d) },
		})
	}
	return all
}

// chapters are those of the document.
var chapters = map[deed.Kind]string{
	deed.Task: "tasks", deed.Queue: "queues", deed.Group: "groups", deed.Entry: "entries", deed.Run: "runs", deed.Server: "servers", deed.View: "views",
}

// Done is what came of a deed.
type Done struct {
	Text    string        `json:"text"`              // a sentence
	Made    *deed.Target  `json:"made,omitempty"`    // what was made, if something was
	Results []deed.Result `json:"results,omitempty"` // what came of it to each of targets
	Failed  int           `json:"failed,omitempty"`  // to how many of them it was not done
}

// A Result is a [deed.Result] in JSON.
type Result struct {
	deed.Target

	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"` // why it was not done
}

// doDeed does a deed to what a request names: one thing, or several.
func (a *api) doDeed(ctx context.Context, r *request, d deed.Deed) (Done, error) {
	sent, err := readDeed(d, r.body)
	if err != nil {
		return Done{}, err
	}
	if sent.targets == nil {
		came, err := a.Doer.Perform(ctx, r.who, d, sent.target, sent.args)
		return Done{Text: came.Text, Made: came.Made}, err
	}
	came, err := a.Doer.Many(ctx, r.who, d, sent.targets, sent.args)
	if err != nil {
		return Done{}, err
	}
	done := Done{Results: came}
	for _, c := range came {
		if c.Err != nil {
			done.Failed++
		}
	}
	done.Text = fmt.Sprintf("it is done to %d of %d", len(came)-done.Failed, len(came))
	return done, nil
}

// An order is what is sent for a deed.
type order struct {
	target  deed.Target
	targets []deed.Target // instead, if there are several
	args    map[string]string
}

// severalField is the field in which several targets are sent.
const severalField = "targets"

// readDeed reads what is sent for a deed: the fields of its target, and its parameters.
func readDeed(d deed.Deed, body []byte) (o order, err error) {
	var sent map[string]json.RawMessage
	if err := decode(body, &sent); err != nil {
		return o, err
	}
	fields := targetOf(d)
	if list, several := sent[severalField]; several && d.Several {
		if err := decode(list, &o.targets); err != nil || len(o.targets) == 0 {
			return o, task.Invalid(severalField, string(list), "must be some targets, each of which has "+strings.Join(fields, " and "))
		}
		delete(sent, severalField)
		fields = nil
	}
	for _, name := range fields {
		text, err := nameIn(sent, name)
		if err != nil {
			return o, err
		}
		if name == "queue" {
			o.target.Queue = text
		} else {
			o.target.ID = text
		}
	}
	o.args, err = argumentsOf(d, sent)
	return o, err
}

// nameIn takes a name out of what is sent.
func nameIn(sent map[string]json.RawMessage, field string) (name string, err error) {
	value, given := sent[field]
	if !given {
		return "", task.Invalid(field, "", "is needed")
	}
	delete(sent, field)
	if json.Unmarshal(value, &name) != nil || name == "" {
		return "", task.Invalid(field, string(value), "must be a name")
	}
	return name, nil
}

// targetOf returns which fields of a target say what a deed is done to.
func targetOf(d deed.Deed) (fields []string) {
	if d.Kind.NamesQueue() && !d.New {
		fields = append(fields, "queue")
	}
	if d.Kind.NamesID() && !d.New {
		fields = append(fields, "id")
	}
	return fields
}

// paramsOf returns the parameters of a deed by their names.
func paramsOf(d deed.Deed) map[string]deed.Param {
	params := map[string]deed.Param{}
	for _, p := range d.Params {
		params[p.Name] = p
	}
	if d.Final {
		params[confirm.Name] = confirm
	}
	return params
}

var confirm = deed.Param{Name: "confirm", Form: deed.Number, Help: "How many things it is about, if they are many."}

// argumentsOf returns the arguments of a deed, of what is sent beside its target.
func argumentsOf(d deed.Deed, sent map[string]json.RawMessage) (map[string]string, error) {
	params, args := paramsOf(d), map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		p, known := params[name]
		if !known {
			return nil, task.Invalid(name, string(sent[name]), "is no field of what is to be sent")
		}
		value, err := argument(name, p.Form, sent[name])
		if err != nil {
			return nil, err
		}
		args[name] = value
	}
	return args, nil
}

// argument returns a value as a deed takes it: of a string what it says, and anything else
// as it is written, if the parameter can be that.
func argument(name string, form deed.Form, value json.RawMessage) (string, error) {
	var said string
	if value[0] == '"' && json.Unmarshal(value, &said) == nil {
		return said, nil
	}
	written := string(value)
	switch {
	case form == deed.JSON,
		form == deed.Number && strings.ContainsAny(written[:1], "-0123456789"),
		form == deed.Truth && (written == "true" || written == "false"):
		return written, nil
	}
	return "", task.Invalid(name, written, "must be a string, of the form "+string(form))
}

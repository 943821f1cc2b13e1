package deed

import (
	"context"

	"github.com/leatwork/leat/web/access"
)

// A Kind is what a deed is done to.
type Kind string

// The kinds.
const (
	Task   Kind = "task"
	Queue  Kind = "queue"
	Group  Kind = "group"
	Entry  Kind = "entry"
	Run    Kind = "run"
	Server Kind = "server"
)

// A Deed is something that can be done.
type Deed struct {
	Kind  Kind
	Name  string      // in addresses: "archive"
	Label string      // on a button: "Archive"
	Help  string      // what it does, a sentence
	Role  access.Role // who may, at least

	// Final is whether it cannot be undone: then it is asked for again, and if it is done
	// to many things, their number has to be typed.
	Final bool

	// New is whether it makes something, and has no target: enqueue, start.
	New bool

	Params []Param
	States []string // of what it may be done to, in the words of internal/view; nil: any

	do func(ctx context.Context, d *Doer, who access.Identity, t Target, args map[string]string) (string, error)
}

// A Param is something more that a deed has to know.
type Param struct {
	Name     string // in forms and in the API
	Label    string
	Help     string
	Form     Form
	Required bool
	Default  string
}

// A Form is what a parameter is written as.
type Form string

// The forms.
const (
	Text     Form = "text"
	JSON     Form = "json"     // or text, if it is none
	Moment   Form = "time"     // RFC 3339, a day, or a duration from now
	Duration Form = "duration" // as Go writes it
	Number   Form = "number"
	Truth    Form = "bool"
)

// A Target is what a deed is done to. Which of the fields are needed, the kind says: a
// task and a run have a queue and an id, a group a queue and an id, which is its name, a
// queue only Queue, an entry and a server only ID.
type Target struct {
	Queue string `json:"queue,omitempty"`
	ID    string `json:"id,omitempty"`
}

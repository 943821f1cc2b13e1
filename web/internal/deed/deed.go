package deed

import (
	"context"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
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
	View   Kind = "view" // of a list, kept under a name
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

	// Instead is the name of a deed of the same kind that can be undone, and is offered
	// where this one is; "": there is none.
	Instead string

	// New is whether it makes something, and has no target: enqueue, start.
	New bool

	// Part is whether it is done to a part of its target that a parameter names: it is
	// offered where that part is listed.
	Part bool

	// Several is whether it may be done to several things at once, and to all that a
	// query takes.
	Several bool

	Params []Param
	States []string // of what it may be done to, in the words of internal/view and of [TaskState]; nil: any

	do func(ctx context.Context, c call) (Outcome, error)

	// count returns how many things it is done to, if that may be others than one.
	count func(ctx context.Context, c call) (int, error)

	// weigh returns how many things one is that was found, as count does.
	weigh func(s Sample) int

	// act is what it is for the storage, if it is done to tasks and act is not 0.
	act broker.Act

	// picks returns to which of the tasks that a query takes it is done. nil: to all.
	picks func(c call) (func(*task.Info) bool, error)
}

// SuitsState reports whether the deed makes sense for something in that state.
func (d Deed) SuitsState(state string) bool {
	if d.States == nil {
		return true
	}
	for _, s := range d.States {
		if s == state {
			return true
		}
	}
	return false
}

// A Param is something more that a deed has to know.
type Param struct {
	Name     string // in forms and in the API
	Label    string
	Help     string
	Form     Form
	Required bool
	Default  string
	Choices  []string // of a [Choice]
}

// A Form is what a parameter is written as.
type Form string

// The forms.
const (
	Text     Form = "text"
	JSON     Form = "json"     // or text, if it is none
	Base64   Form = "base64"   // bytes
	Lines    Form = "lines"    // one thing a line
	Moment   Form = "time"     // RFC 3339, a day in UTC, or a duration from now
	Duration Form = "duration" // as Go writes it
	Number   Form = "number"   // not negative
	Truth    Form = "bool"
	Choice   Form = "choice" // one of Choices
)

// An Outcome is what came of a deed.
type Outcome struct {
	Text string  // a sentence, without a full stop
	Made *Target // what it has made, if it is New
}

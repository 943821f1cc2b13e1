package audit

import (
	"strings"
	"time"

	"github.com/leatwork/leat/web/access"
)

// An Entry is one thing that somebody did, or tried to do.
type Entry struct {
	At   time.Time   `json:"at"`
	By   string      `json:"by,omitempty"` // the name of an [access.Identity]; "": anybody
	Role access.Role `json:"role"`
	From string      `json:"from,omitempty"` // the address that it came from

	Deed   string            `json:"deed"`             // "archive"
	Kind   string            `json:"kind"`             // of what: "task"
	Target string            `json:"target,omitempty"` // "mail/3f2a", or the query of many
	Args   map[string]string `json:"args,omitempty"`   // without what must not be seen by all who see the log
	Count  int               `json:"count,omitempty"`  // to how many it was done, if that was asked for many
	Err    string            `json:"err,omitempty"`    // why it was not, or not to all
}

const (
	mostText = 512 // bytes of a text that are kept
	mostArgs = 32
)

// within returns e in the size in which it is kept.
func (e Entry) within() Entry {
	e.At = e.At.UTC()
	for _, text := range []*string{&e.By, &e.From, &e.Deed, &e.Kind, &e.Target, &e.Err} {
		*text = cut(*text)
	}
	args := make(map[string]string, len(e.Args))
	for name, value := range e.Args {
		if len(args) == mostArgs {
			break
		}
		args[cut(name)] = cut(value)
	}
	e.Args = args
	return e
}

// cut returns s with at most mostText bytes and an ellipsis, as valid UTF-8.
func cut(s string) string {
	if len(s) <= mostText {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:mostText], "") + "…"
}

package deed

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
)

// longestShown is how many bytes of an argument are told.
const longestShown = 200

// shown returns the arguments as others may see them: of what a task, a step or a signal
// carries, which may be a secret, and of what is no argument of the deed, only how much it
// is.
func shown(what Deed, args map[string]string) map[string]string {
	told := make(map[string]string, len(args))
	for name, text := range args {
		switch {
		case text == "":
		case what.tells(name):
			told[name] = text[:min(len(text), longestShown)]
		default:
			told[name] = fmt.Sprintf("(%d bytes)", len(text))
		}
	}
	return told
}

// tells reports whether others may see an argument.
func (d Deed) tells(name string) bool {
	if name == confirmArg || name == bulkArg {
		return true
	}
	i := slices.IndexFunc(d.Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return false
	}
	form := d.Params[i].Form
	return form != JSON && form != Base64 && form != Lines
}

// named are what errors say of what a deed is done to, which is told anyway.
var named = []string{"queue", "id", "target", "targets", "query"}

// faultShown returns what an error says, as others may see it: without the values that
// [shown] does not tell, and without what the storage said.
func faultShown(what Deed, args map[string]string, err error) string {
	if p := problem.Of(err); p.Status >= http.StatusInternalServerError {
		return p.Detail
	}
	text := err.Error()
	for _, bad := range invalids(err) {
		name := strings.ToLower(bad.Field)
		isTarget := slices.Contains(named, name) && args[name] == ""
		if bad.Value != `""` && !isTarget && !what.tells(name) {
			text = strings.ReplaceAll(text, bad.Error(), "invalid "+bad.Field+": "+bad.Reason)
		}
	}
	return text
}

// invalids returns all values that an error refuses.
func invalids(err error) (all []*task.InvalidError) {
	switch e := err.(type) { //nolint:errorlint // it is taken apart here
	case *task.InvalidError:
		return []*task.InvalidError{e}
	case interface{ Unwrap() error }:
		return invalids(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			all = append(all, invalids(one)...)
		}
	}
	return all
}

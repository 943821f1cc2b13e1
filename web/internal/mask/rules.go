package mask

import (
	"errors"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

// Hidden is what is shown in place of what may not be seen.
const Hidden = "•••"

// Rules say what is hidden from whom. Nil rules hide nothing. They may be used by several
// goroutines.
type Rules struct {
	unmasked access.Role
	all      bool
	paths    []path
	headers  []string // names in lower case; "*": all
}

const headerPrefix = "header:"

// New returns the rules that are written in lines, for everybody whose role is below
// unmasked, which must be [access.Viewer] or above. A line that makes no sense is refused
// with a [task.InvalidError]; without lines nothing is hidden.
func New(unmasked access.Role, lines ...string) (*Rules, error) {
	r := &Rules{unmasked: unmasked}
	var faults []error
	if unmasked < access.Viewer || unmasked > access.Admin {
		faults = append(faults, task.Invalid("unmasked", unmasked.String(), "must be viewer, operator or admin"))
	}
	for _, line := range lines {
		if err := r.add(line); err != nil {
			faults = append(faults, err)
		}
	}
	return r, errors.Join(faults...)
}

func (r *Rules) add(line string) error {
	if line == "*" {
		r.all = true
		return nil
	}
	if name, ok := strings.CutPrefix(line, headerPrefix); ok {
		if name == "" || name != "*" && strings.Contains(name, "*") {
			return task.Invalid("mask", line, "must name a header, or all by *")
		}
		r.headers = append(r.headers, strings.ToLower(name))
		return nil
	}
	p, err := parsePath(line)
	if err != nil {
		return err
	}
	r.paths = append(r.paths, p)
	return nil
}

// Hides reports whether there is anything that who has the role may not see.
func (r *Rules) Hides(role access.Role) bool {
	return r != nil && !role.Allows(r.unmasked) && (r.all || len(r.paths)+len(r.headers) > 0)
}

// looks reports whether a document has to be looked through for who has the role.
func (r *Rules) looks(role access.Role) bool {
	return r.Hides(role) && (r.all || len(r.paths) > 0)
}

// hidesHeader reports whether a header of that name may not be seen by those for whom
// the rules are.
func (r *Rules) hidesHeader(name string) bool {
	if r.all {
		return true
	}
	for _, h := range r.headers {
		if h == "*" || strings.EqualFold(h, name) {
			return true
		}
	}
	return false
}

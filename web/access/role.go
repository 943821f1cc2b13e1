package access

import (
	"fmt"
	"strings"

	"github.com/leatwork/leat/task"
)

// A Role is what somebody may do. Each may do what those below it may.
type Role int

// The roles.
const (
	Nobody   Role = iota // nothing
	Viewer               // look at everything that is not masked
	Operator             // what is routine: run, cancel, archive, retry, pause, enqueue, start
	Admin                // what destroys or forges as well: delete, edit a payload, skip a step
)

var roles = []string{"nobody", "viewer", "operator", "admin"}

// String returns the role's name, as [ParseRole] reads it.
func (r Role) String() string {
	if r < Nobody || r > Admin {
		return fmt.Sprintf("Role(%d)", int(r))
	}
	return roles[r]
}

// Allows reports whether who has the role may do what needs the role least.
func (r Role) Allows(least Role) bool { return r >= least }

// ParseRole returns the role of that name: "nobody", "viewer", "operator" or "admin". Any
// other is refused with a [task.InvalidError].
func ParseRole(name string) (Role, error) {
	for i, known := range roles {
		if name == known {
			return Role(i), nil
		}
	}
	return Nobody, task.Invalid("role", name, "must be one of "+strings.Join(roles, ", "))
}

// MarshalText writes the role's name.
func (r Role) MarshalText() ([]byte, error) {
	if r < Nobody || r > Admin {
		return nil, task.Invalid("role", int(r), "is none")
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what [Role.MarshalText] has written, as [ParseRole] does.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}
